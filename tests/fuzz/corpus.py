"""Where mutants begin: the examples of the RFCs and what routers were recorded to send, each time with fresh chance.

RFC 2865 section 7; RFC 2866 section 5; RFC 2759 section 9.2 in the attributes of RFC 2548; RFC 2869; RFC 3162; RFC 3579
sections 3.1 and 4.3; RFC 4372; RFC 5997 section 6; and every vector of tests/radius.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.tickets import Ticket
from radius.attributes import Attributes
from radius.backend import Service
from radius.codes import Code
from radius.credentials import ChapResponse, MsChapV2Response
from radius.signatures import SharedSecret, hide_password, sign_access_request, sign_accounting_request
from radius.values import Value
from tests.radius.test_vectors import read_vectors

PEOPLE: Final = {"nemo": "arctangent", "flopsy": "arctangent", "user": "clientPass"}  # of the RFCs' examples
HASHED: Final = ("mopsy", "challenge")
MAC_KNOWN: Final = "02:aa:00:00:00:01"

_MACS: Final = (MAC_KNOWN, "02:aa:00:00:00:02", "02:aa:00:00:00:03")
_COUNTS: Final = (0, 1, 10_000, 2**31, 2**32 - 1)
_CHILLI: Final = ("ChilliSpot-Version", "ChilliSpot-OriginalURL", "WISPr-Location-ID", "WISPr-Logoff-URL")


@dataclass(frozen=True, slots=True)
class Seed:
    """A kind of request. `weight` says how often it is begun from, compared with the others."""

    name: str
    service: Service
    write: Callable[[random.Random, SharedSecret], bytes]
    weight: int = 10


def seeds(mac_secret: str, ticket: Callable[[], Ticket]) -> Sequence[Seed]:
    """Return all of them; the city they are for has `PEOPLE`, and lets `MAC_KNOWN` in by `mac_secret`."""
    auth, acct = Service.AUTH, Service.ACCT
    return (
        *(Seed(f"rfc2865_7_1_pap_{name}", auth, _pap(name, password)) for name, password in PEOPLE.items()),
        Seed("rfc2865_7_3_pap_hashed", auth, _pap(*HASHED), weight=1),  # argon2id: 20 ms each
        Seed("rfc2865_7_2_chap", auth, _chap),
        Seed("rfc2759_9_2_ms_chap_2", auth, _ms_chap),
        Seed("rfc3579_eap", auth, _eap),
        Seed("mac", auth, _pap(MAC_KNOWN.upper().replace(":", "-"), mac_secret)),
        Seed("ticket", auth, _ticket(ticket)),
        Seed("rfc5997_6_1_status", auth, _status),
        Seed("rfc5997_6_2_status", acct, _status),
        *(Seed(f"rfc2866_{word.lower()}", acct, _accounting(word)) for word in ("Start", "Interim-Update", "Stop")),
        *(Seed(f"rfc2866_{word.lower()}", acct, _accounting(word), weight=2) for word in ("Accounting-On", "Accounting-Off")),
        Seed("rfc2866_unknown_status", acct, _accounting(15), weight=2),
        *(
            Seed(vector.fields["name"], service, _as_it_is(vector.octets), weight=1)
            for vector in read_vectors()
            for service in Service
        ),
    )  # fmt: skip


def _ticket(new: Callable[[], Ticket]) -> Callable[[random.Random, SharedSecret], bytes]:
    def write(chance: random.Random, secret: SharedSecret) -> bytes:
        ticket = new()
        return _pap(ticket.name, ticket.password)(chance, secret)

    return write


def _as_it_is(octets: bytes) -> Callable[[random.Random, SharedSecret], bytes]:
    return lambda _chance, _secret: octets


def _pap(name: str, password: str) -> Callable[[random.Random, SharedSecret], bytes]:
    def write(chance: random.Random, secret: SharedSecret) -> bytes:
        authenticator = chance.randbytes(16)
        attributes = Attributes([("User-Name", name)])
        attributes.add("User-Password", hide_password(secret, authenticator, password.encode()))
        return _access(attributes, authenticator, chance, secret)

    return write


def _chap(chance: random.Random, secret: SharedSecret) -> bytes:
    authenticator = chance.randbytes(16)
    challenge = authenticator if chance.random() < 0.5 else chance.randbytes(chance.choice((8, 16, 24)))
    response = ChapResponse.answering(challenge, chance.randrange(256), PEOPLE["flopsy"])
    attributes = Attributes(
        [("User-Name", "flopsy"), ("CHAP-Password", bytes((response.identifier,)) + response.response)]
    )
    if challenge is not authenticator:
        attributes.add("CHAP-Challenge", challenge)
    return _access(attributes, authenticator, chance, secret)


def _ms_chap(chance: random.Random, secret: SharedSecret) -> bytes:
    authenticator_challenge = bytes.fromhex("5b5d7c7d7b3f2f3e3c2c602132262628")
    response = MsChapV2Response.answering(
        authenticator_challenge,
        chance.randrange(256),
        b"User",
        PEOPLE["user"],
        peer_challenge=bytes.fromhex("21402324255e262a28295f2b3a337c7e"),
    )
    attributes = Attributes([("User-Name", "User"), ("Framed-Protocol", "PPP"), ("NAS-Port-Type", "Virtual")])
    attributes.add("MS-CHAP-Challenge", authenticator_challenge)
    said = bytes((response.identifier, 0)) + response.peer_challenge + bytes(8) + response.response
    attributes.add("MS-CHAP2-Response", said)
    return _access(attributes, chance.randbytes(16), chance, secret)


def _eap(chance: random.Random, secret: SharedSecret) -> bytes:
    identity = b"\x02" + chance.randbytes(1) + b"\x00\x09\x01nemo"
    attributes = Attributes([("User-Name", "nemo"), ("NAS-Port-Type", "Ethernet"), ("EAP-Message", identity)])
    if chance.random() < 0.3:
        attributes.add("EAP-Message", chance.randbytes(chance.randint(1, 253)))
    if chance.random() < 0.3:
        attributes.add("State", chance.randbytes(16))
    return _access(attributes, chance.randbytes(16), chance, secret)


def _status(chance: random.Random, secret: SharedSecret) -> bytes:
    return sign_access_request(secret, Code.STATUS_SERVER, chance.randrange(256), chance.randbytes(16), b"")


def _access(attributes: Attributes, authenticator: bytes, chance: random.Random, secret: SharedSecret) -> bytes:
    _add_where(attributes, chance)
    _add_session(attributes, chance)
    for name, value in (("Service-Type", "Login"), ("Framed-MTU", 1400), ("Connect-Info", "CONNECT 0Mbps 802.11b")):
        if chance.random() < 0.3:
            attributes.add(name, value)
    return sign_access_request(secret, Code.ACCESS_REQUEST, chance.randrange(256), authenticator, attributes.to_bytes())


def _accounting(status: Value) -> Callable[[random.Random, SharedSecret], bytes]:
    def write(chance: random.Random, secret: SharedSecret) -> bytes:
        attributes = Attributes([("Acct-Status-Type", status)])
        _add_where(attributes, chance)
        _add_session(attributes, chance)
        attributes.add("User-Name", chance.choice([*PEOPLE, "aaaaaaaaaaaaaaaa~x", MAC_KNOWN]))
        for name in ("Acct-Input-Octets", "Acct-Output-Octets", "Acct-Input-Packets", "Acct-Output-Packets"):
            if chance.random() < 0.8:
                attributes.add(name, chance.choice(_COUNTS))
        for name, most in (
            ("Acct-Input-Gigawords", 9),
            ("Acct-Output-Gigawords", 9),
            ("Acct-Session-Time", 90_000),
            ("Acct-Delay-Time", 3600),
            ("Acct-Terminate-Cause", 25),
            ("Acct-Authentic", 4),
            ("ChilliSpot-Acct-View-Point", 3),
            ("Event-Timestamp", 2**32 - 1),
        ):
            if chance.random() < 0.4:
                attributes.add(name, chance.randint(0, most))
        if chance.random() < 0.3:
            attributes.add("Class", chance.randbytes(chance.choice((1, 33, 64))))
        body = attributes.to_bytes()
        return sign_accounting_request(
            secret, Code.ACCOUNTING_REQUEST, chance.randrange(256), body, message=chance.random() < 0.3
        )

    return write


def _add_where(attributes: Attributes, chance: random.Random) -> None:
    attributes.add("NAS-Identifier", chance.choice(("gusung-1", "melahing-1", "")) or "lain")
    if chance.random() < 0.5:
        attributes.add("NAS-IP-Address", "192.168.1.16")
    if chance.random() < 0.2:
        attributes.add("NAS-IPv6-Address", "2001:db8::1")
    attributes.add(
        "Called-Station-Id", chance.choice(("02-10-99-00-00-01:Gusung", "02-10-99-00-00-01", "10.99.10.1[4500]"))
    )
    for name in _CHILLI:
        if chance.random() < 0.15:
            attributes.add(name, "http://192.0.2.1/logoff?x=1")


def _add_session(attributes: Attributes, chance: random.Random) -> None:
    mac = chance.choice(_MACS)
    spelled = chance.choice((mac.upper().replace(":", "-"), mac, mac.replace(":", ""), "10.99.10.194[4500]"))
    attributes.add("Calling-Station-Id", spelled)
    if chance.random() < 0.9:
        attributes.add("Acct-Session-Id", f"81a{chance.randrange(40):05x}")
    if chance.random() < 0.7:
        attributes.add("Framed-IP-Address", f"10.5.50.{chance.randint(2, 250)}")
    if chance.random() < 0.2:
        attributes.add("Framed-IPv6-Prefix", "2001:db8::/64")
    if chance.random() < 0.1:
        attributes.add("Chargeable-User-Identity", b"\0")
    if chance.random() < 0.2:
        attributes.add("Proxy-State", chance.randbytes(chance.randint(1, 20)))
