"""What a trace shows of a datagram, and what it never shows (A10.04)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.acceptances import Acceptance, class_value
from app.node.trace import MASKED, Traced, TraceFilter, shown, traced
from radius import AccessQuery, Attributes, Code, DropReason, PapPassword, Service
from radius.client_engine import ClientEngine
from radius.dictionary import BY_NAME, Kind
from radius.net.events import Event
from radius.packet import Packet
from radius.values import Value

SOURCE = ("192.0.2.7", 40_000)
SECRET = b"a-shared-secret-of-gusung"
PASSWORD = "rahasia-siti-17"
CLASS_KEY = bytes(32)
ACCOUNT, OTHER_ACCOUNT = "aaaabbbbccccdddd", "bbbbbbbbbbbbbbbb"
TICKET = f"{ACCOUNT}~faaaaaaabcdefgh7a"
PROOF = class_value(Acceptance("0102030405060708", ACCOUNT), key=CLASS_KEY, nas_id="nas-a")

PROOFS = [
    "User-Password", "CHAP-Password", "ARAP-Password", "CHAP-Challenge", "MS-CHAP-Challenge", "MS-CHAP-Response",
    "MS-CHAP2-Response", "MS-CHAP2-Success", "EAP-Message", "State", "Class",
]  # fmt: skip


def packet(*pairs: tuple[str, Value], code: Code = Code.ACCESS_REQUEST) -> bytes:
    return Packet(code, 7, bytes(16), Attributes(pairs)).to_bytes()


def event(
    datagram: bytes, outcome: Code | DropReason = Code.ACCESS_ACCEPT, *, reply: bytes | None = None, reason: str = ""
) -> Event:
    return Event(Service.AUTH, SOURCE, "nas-a", datagram, outcome, reply, reason, False, 1_800_000_000.0, 0.00123)


def account_of(user: str) -> str | None:
    return ACCOUNT if user == "siti" else None


def look(
    seen: Event, wanted: TraceFilter | None = None, *, nas: str | None = "gusung-1", class_key: bytes = CLASS_KEY
) -> Traced | None:
    return traced(
        seen, wanted or TraceFilter(), process="radius-0", nas=nas, class_key=class_key, account_of=account_of
    )


def seen(found: Traced | None) -> Traced:
    assert found is not None
    return found


def test_datagram_is_shown_with_its_decision_and_reply() -> None:
    reply = packet(("Session-Timeout", 3600), ("Class", PROOF), code=Code.ACCESS_ACCEPT)
    datagram = packet(("User-Name", "siti"), ("NAS-Port-Type", "Wireless-802.11"), ("NAS-IP-Address", "10.9.1.2"))
    assert look(event(datagram, reply=reply, reason="password")) == {
        "at": 1_800_000_000.0,
        "process": "radius-0",
        "nas": "gusung-1",
        "hints": [],
        "source": "192.0.2.7:40000",
        "service": "auth",
        "packet": "Access-Request",
        "id": 7,
        "octets": len(datagram),
        "signed": False,
        "account": ACCOUNT,
        "attributes": [
            {"name": "User-Name", "value": "siti"},
            {"name": "NAS-Port-Type", "value": "Wireless-802.11"},
            {"name": "NAS-IP-Address", "value": "10.9.1.2"},
        ],
        "malformed": "",
        "outcome": "Access-Accept",
        "reason": "password",
        "repeated": False,
        "milliseconds": 1.23,
        "reply": [{"name": "Session-Timeout", "value": "3600"}, {"name": "Class", "value": MASKED}],
    }


@pytest.mark.parametrize("name", PROOFS)
def test_a10_04_proof_is_masked(name: str) -> None:
    (only,) = shown(Attributes([(name, b"proof" * 4)]))
    assert only == {"name": name, "value": MASKED}


@given(st.sampled_from(sorted(BY_NAME)), st.binary(min_size=8, max_size=32))
def test_a10_04_no_attribute_that_could_be_a_proof_is_shown_whatever_its_value(name: str, value: bytes) -> None:
    if BY_NAME[name].kind is Kind.OCTETS and name not in ("Proxy-State", "Vendor-Specific"):
        shown_values = [one["value"] for one in shown(Attributes([(name, value)]))]
        if any(word in name for word in ("Password", "Challenge", "Response", "State", "EAP", "Key", "Class")):
            assert shown_values == [MASKED]


@pytest.mark.parametrize(
    ("number", "raw"),
    [
        pytest.param(69, b"\x00\x80\x01secret-of-a-tunnel", id="Tunnel-Password"),
        pytest.param(26, b"\x00\x00\x01\x37\x0c\x17secret-key-of-ms-mppe", id="MS-CHAP-MPPE-Keys"),
        pytest.param(26, b"\x00\x00\x01\x37\x11\x99secret-key-of-ms-mppe", id="a vendor's, of another shape"),
        pytest.param(250, b"secret-of-nobody-knows", id="unknown"),
    ],
)
def test_a10_04_of_an_attribute_without_a_name_only_the_length_is_shown(number: int, raw: bytes) -> None:
    (only,) = shown(Attributes().add_raw(number, raw))
    assert only["value"].endswith(" octets")
    assert "secret" not in str(only)
    assert b"secret".hex() not in str(only)


def test_a10_04_neither_password_nor_secret_nor_signature_is_in_a_signed_request() -> None:
    query = AccessQuery(Attributes([("User-Name", "siti")]), PapPassword(PASSWORD.encode()))
    datagram = ClientEngine(SECRET).ask(query, now=0.0, chance=b"c" * 32).datagram
    found = seen(look(event(datagram)))
    attributes = Packet.parse(datagram).attributes
    hidden, signature = attributes.octets("User-Password"), attributes.octets("Message-Authenticator")
    assert hidden is not None
    assert signature is not None
    assert found["signed"]
    assert [one["name"] for one in found["attributes"]] == ["User-Name", "User-Password"]
    for octets in (PASSWORD.encode(), SECRET, hidden, signature):
        assert octets.hex() not in str(found)
        assert repr(octets)[2:-1] not in str(found)


def test_name_of_a_ticket_shows_its_account_alone() -> None:
    found = seen(look(event(packet(("User-Name", TICKET)))))
    assert found["attributes"] == [{"name": "User-Name", "value": f"{ACCOUNT}~***"}]
    assert found["account"] == ACCOUNT


def test_drop_has_its_reason_and_no_reply() -> None:
    found = seen(look(event(packet(("User-Name", "siti")), DropReason.BAD_MESSAGE_AUTHENTICATOR)))
    assert (found["outcome"], found["reason"], found["reply"]) == ("dropped", "bad_message_authenticator", [])


@pytest.mark.parametrize(
    ("datagram", "kind", "problem"),
    [
        pytest.param(b"", "code 0", "too_short: 0 octets", id="nothing"),
        pytest.param(b"\x01\x00\x00\x15" + bytes(17), "Access-Request", "malformed: ", id="half an attribute"),
        pytest.param(b"\xff" * 30, "code 255", "bad_length: ", id="noise"),
    ],
)
def test_datagram_that_is_no_packet_says_what_is_wrong_and_shows_no_octets(
    datagram: bytes, kind: str, problem: str
) -> None:
    found = seen(look(event(datagram, DropReason.MALFORMED)))
    assert (found["packet"], found["attributes"]) == (kind, [])
    assert found["malformed"].startswith(problem)


@given(st.binary(max_size=200))
def test_d20_any_datagram_can_be_shown(datagram: bytes) -> None:
    assert seen(look(event(datagram, DropReason.MALFORMED)))["octets"] == len(datagram)


def test_class_of_another_key_or_nas_tells_no_account() -> None:
    datagram = packet(("Class", PROOF), code=Code.ACCOUNTING_REQUEST)
    assert seen(look(event(datagram)))["account"] == ACCOUNT
    assert seen(look(event(datagram), class_key=b"k" * 32))["account"] is None
    assert seen(look(event(datagram)._replace(nas_id="nas-b")))["account"] is None


BY_PHONE = event(packet(("User-Name", "Siti"), ("Calling-Station-Id", "02-AA-00-00-00-01:Pesisir")))
BY_TICKET = event(packet(("User-Name", TICKET)))
OF_SOMEBODY = event(packet(("User-Name", f"{OTHER_ACCOUNT}~x")))
DROP = event(b"", DropReason.TOO_SHORT)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(TraceFilter(), [BY_PHONE, BY_TICKET, OF_SOMEBODY, DROP], id="everything"),
        pytest.param(TraceFilter(nas="gusung-1"), [BY_PHONE, BY_TICKET, OF_SOMEBODY, DROP], id="their NAS"),
        pytest.param(TraceFilter(nas="melahing-1"), [], id="another NAS"),
        pytest.param(TraceFilter(user="siti"), [BY_PHONE, BY_TICKET], id="a user, as they typed it or by a ticket"),
        pytest.param(TraceFilter(user=OTHER_ACCOUNT), [OF_SOMEBODY], id="an account"),
        pytest.param(TraceFilter(mac="02:aa:00:00:00:01"), [BY_PHONE], id="a device"),
        pytest.param(TraceFilter(user="siti", mac="02:aa:00:00:00:02"), [], id="a user with another device"),
        pytest.param(TraceFilter(drops=True), [DROP], id="drops"),
    ],
)
def test_filter(wanted: TraceFilter, found: list[Event]) -> None:
    everything = [BY_PHONE, BY_TICKET, OF_SOMEBODY, DROP]
    assert [each for each in everything if look(each, wanted) is not None] == found
