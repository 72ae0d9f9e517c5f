"""MS-CHAPv2 in Access-Requests, and what goes back (A3.03, A4.10)."""

import re

import pytest

from radius import (
    PROFILES,
    Accept,
    AccessQuery,
    AccessRequest,
    Attributes,
    Authorization,
    Challenge,
    ClientEngine,
    Code,
    DropReason,
    MsChapV2Response,
    Packet,
    Reject,
)
from radius.server_engine import Answered, PendingAccess, ServerEngine
from radius.signatures import prepared, verify_message
from tests.radius.support import CLASS, NOW, SECRET, FakeBackend, make_arrival, make_datagram, make_nas, reveal_key
from tests.radius.test_mschap import CHALLENGE, PASSWORD, PEER_CHALLENGE, RESPONSE

IDENT = 0x2A
WIRE = bytes((IDENT, 0)) + PEER_CHALLENGE + bytes(8) + RESPONSE
ACCEPT = Accept(Authorization(session_timeout_seconds=3600), CLASS)
PPP = ("Framed-Protocol", "PPP")
SUCCESS = bytes((IDENT,)) + b"S=407A5589115FD0D6209F510FE9C04566932CDA56"
SEND_KEY = bytes.fromhex("8B7CDC149B993A1BA118CB153F56DCCB")
RECEIVE_KEY = bytes.fromhex("D5F0E9521E3EA9589645E86051C82226")
MPPE = ("MS-MPPE-Encryption-Policy", "MS-MPPE-Encryption-Types", "MS-MPPE-Send-Key", "MS-MPPE-Recv-Key")


def request(
    *more: tuple[str, str | bytes], response: bytes = WIRE, challenge: bytes = CHALLENGE, user_name: bytes = b"User"
) -> AccessQuery:
    attributes = Attributes([("MS-CHAP2-Response", response), ("MS-CHAP-Challenge", challenge), *more])
    return AccessQuery(attributes.add_raw(1, user_name))


def receive(query: AccessQuery, family: str = "generic", *, chance: bytes = b"c" * 32) -> tuple[ServerEngine, object]:
    engine = ServerEngine(FakeBackend(make_nas(family=family)))
    return engine, engine.receive(make_datagram(query, chance=chance), make_arrival())


def credential_of(query: AccessQuery) -> MsChapV2Response:
    _, received = receive(query)
    assert isinstance(received, PendingAccess)
    credential = received.request.credential
    assert isinstance(credential, MsChapV2Response)
    return credential


def decided(asked: AccessRequest, answer: Accept | Reject | Challenge) -> Accept | Reject | Challenge:
    assert isinstance(asked.credential, MsChapV2Response)
    return answer._replace(ms_chap=asked.credential.success(PASSWORD)) if isinstance(answer, Accept) else answer


def reply_to(
    query: AccessQuery,
    answer: Accept | Reject | Challenge = ACCEPT,
    family: str = "generic",
    *,
    chance: bytes = b"c" * 32,
) -> Packet:
    engine, received = receive(query, family, chance=chance)
    assert isinstance(received, PendingAccess)
    reply = Packet.parse(engine.reply(received, decided(received.request, answer), NOW))
    assert reply.signature_at == 22
    assert verify_message(prepared(SECRET), reply.raw, 22, received.packet.authenticator)
    return reply


def names(packet: Packet) -> list[str]:
    return [name for name, _ in packet.attributes]


# The request


def test_a3_03_rfc2759_9_2_response_matches_its_password_only() -> None:
    credential = credential_of(request())
    assert credential.matches(PASSWORD)
    assert credential.matches(PASSWORD.encode())
    assert not credential.matches("clientpass")
    assert not credential.matches("")
    assert not credential.matches(b"\xff")


@pytest.mark.parametrize(
    "user_name",
    [
        pytest.param(b"User", id="none"),
        pytest.param(b"BIGCO\\User", id="a domain"),
        pytest.param(b"\\User", id="an empty domain"),
    ],
)
def test_a3_03_rfc2759_4_domain_is_not_hashed(user_name: bytes) -> None:
    assert credential_of(request(user_name=user_name)).matches(PASSWORD)


@pytest.mark.parametrize("user_name", [b"user", b"User@bigco", b"BIGCO/User", b"User ", b"A\\B\\User"])
def test_a3_03_user_name_is_hashed_as_sent(user_name: bytes) -> None:
    assert not credential_of(request(user_name=user_name)).matches(PASSWORD)


@pytest.mark.parametrize("user_name", ["siti", "BONTANG\\siti", "Étienne"])
def test_a3_03_our_own_client_answers_as_a_device_does(user_name: str) -> None:
    made = MsChapV2Response.answering(CHALLENGE, IDENT, user_name.encode(), "kata·sandi", peer_challenge=PEER_CHALLENGE)
    query = AccessQuery(Attributes([("User-Name", user_name)]), made)
    assert credential_of(query) == made
    assert credential_of(query).matches("kata·sandi")


def test_a10_04_credential_and_proof_are_never_shown() -> None:
    credential = credential_of(request())
    assert repr(credential) == "MsChapV2Response(***)"
    assert repr(credential.success(PASSWORD)) == "MsChapV2Success(***)"


def test_response_and_challenge_may_share_one_vendor_specific() -> None:
    inside = b"\x00\x00\x01\x37\x0b\x12" + CHALLENGE + b"\x19\x34" + WIRE
    query = AccessQuery(Attributes([("User-Name", "User")]).add_raw(26, inside))
    assert credential_of(query).matches(PASSWORD)


@pytest.mark.parametrize("at", range(18, 26))
def test_a3_03_reserved_octets_must_be_zero(at: int) -> None:
    assert_refused(request(response=WIRE[:at] + b"\x01" + WIRE[at + 1 :]))


@pytest.mark.parametrize("flags", [1, 0x80])
def test_a3_03_flags_must_be_zero(flags: int) -> None:
    assert_refused(request(response=WIRE[:1] + bytes((flags,)) + WIRE[2:]))


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(request(response=WIRE[:-1]), id="response of 49 octets"),
        pytest.param(request(response=WIRE + b"\0"), id="response of 51 octets"),
        pytest.param(request(response=WIRE[:1]), id="response of 1 octet"),
        pytest.param(request(challenge=CHALLENGE[:-1]), id="challenge of 15 octets"),
        pytest.param(request(challenge=CHALLENGE + b"\0"), id="challenge of 17 octets"),
        pytest.param(AccessQuery(Attributes([("MS-CHAP2-Response", WIRE)])), id="no challenge"),
        pytest.param(request(("MS-CHAP-Challenge", CHALLENGE)), id="two challenges"),
        pytest.param(request(("MS-CHAP2-Response", WIRE)), id="two responses"),
        pytest.param(request(("MS-CHAP-Response", b"\x2a\x01" + bytes(48))), id="versions 1 and 2"),
        pytest.param(
            AccessQuery(Attributes([("MS-CHAP-Challenge", b"8 octets"), ("MS-CHAP-Response", b"\1\1" + bytes(48))])),
            id="version 1",
        ),
        pytest.param(
            AccessQuery(Attributes().add_raw(26, b"\x00\x00\x01\x37\x19\x35" + WIRE)), id="longer than what holds it"
        ),
        pytest.param(AccessQuery(Attributes().add_raw(26, b"\x00\x00\x01\x37\x19\x02")), id="empty response"),
        pytest.param(AccessQuery(Attributes().add_raw(26, b"\x00\x00\x01\x37\x19")), id="type alone"),
    ],
)
def test_a3_03_response_that_cannot_be_read_is_rejected(query: AccessQuery) -> None:
    assert_refused(query)


def assert_refused(query: AccessQuery) -> None:
    engine, received = receive(query)
    assert isinstance(received, Answered)
    reply = Packet.parse(received.reply)
    assert reply.code == Code.ACCESS_REJECT
    assert names(reply) == ["Message-Authenticator"]
    assert engine.counters.by_nas["nas"].refused_methods == 1


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(("User-Password", b"p" * 16), id="PAP"),
        pytest.param(("CHAP-Password", b"c" * 17), id="CHAP"),
        pytest.param(("EAP-Message", b"\x02\x07\x00\x05\x01"), id="EAP"),
        pytest.param(("ARAP-Password", b"a" * 16), id="ARAP"),
    ],
)
@pytest.mark.parametrize(
    "vendor_specific",
    [
        pytest.param(b"\x00\x00\x01\x37\x19\x34" + WIRE, id="version 2"),
        pytest.param(b"\x00\x00\x01\x37\x01\x34" + WIRE, id="version 1"),
        pytest.param(b"\x00\x00\x01\x37\x0b\x12" + CHALLENGE + b"\x19\x34" + WIRE, id="behind another"),
        pytest.param(b"\x00\x00\x01\x37\x19\x35" + WIRE, id="longer than what holds it"),
    ],
)
def test_a1_13_ms_chap_beside_another_credential_is_dropped(pair: tuple[str, bytes], vendor_specific: bytes) -> None:
    query = AccessQuery(Attributes([pair, ("User-Name", "User")]).add_raw(26, vendor_specific))
    assert receive(query)[1] is DropReason.MIXED_CREDENTIALS


def test_a1_13_other_attributes_of_microsoft_are_no_credential() -> None:
    query = AccessQuery(Attributes([("User-Password", b"p" * 16), ("MS-CHAP-Challenge", CHALLENGE)]))
    assert isinstance(receive(query)[1], PendingAccess)


# The Accept


@pytest.mark.parametrize("ident", [0, 1, 255])
def test_a3_03_rfc2548_2_3_3_accept_carries_the_proof_under_the_ident_of_the_response(ident: int) -> None:
    reply = reply_to(request(response=bytes((ident,)) + WIRE[1:]))
    assert reply.code == Code.ACCESS_ACCEPT
    assert reply.attributes.all_octets("MS-CHAP2-Success") == [bytes((ident,)) + SUCCESS[1:]]
    assert reply.attributes.all_octets("Class") == [CLASS]


@pytest.mark.parametrize(
    ("said", "family", "sent"),
    [
        pytest.param([PPP], "mikrotik", True, id="PPP of a MikroTik"),
        pytest.param([PPP], "accel-ppp", True, id="PPP of an accel-ppp"),
        pytest.param([PPP], "generic", True, id="PPP of any other router"),
        pytest.param([("NAS-Port-Type", "Virtual")], "strongswan", True, id="VPN"),
        pytest.param([], "mikrotik", False, id="hotspot"),
        pytest.param([("NAS-Port-Type", "Wireless-802.11")], "generic", False, id="Wi-Fi"),
        *(
            pytest.param([PPP], family, False, id=f"PPP of a {family}")
            for family in sorted(set(PROFILES) - {"mikrotik", "accel-ppp", "generic", "strongswan"})
        ),
    ],
)
def test_a3_03_keys_go_to_tunnels_of_routers_that_use_them(
    said: list[tuple[str, str]], family: str, sent: bool
) -> None:
    reply = reply_to(request(*said), family=family)
    assert [name for name in MPPE if name in reply.attributes] == (list(MPPE) if sent else [])
    assert reply.attributes.all_octets("MS-CHAP2-Success") == [SUCCESS]


@pytest.mark.parametrize("chance", [bytes((n,)) * 32 for n in range(0, 256, 5)])
def test_a4_10_rfc2548_2_4_2_keys_are_salted_and_hidden(chance: bytes) -> None:
    reply = reply_to(request(PPP), chance=chance)
    (send,), (receive_,) = (reply.attributes.all_octets(name) for name in MPPE[2:])
    assert len(send) == len(receive_) == 34
    assert send[0] & receive_[0] & 0x80
    assert send[:2] != receive_[:2]
    assert reveal_key(SECRET, chance[:16], send) == SEND_KEY
    assert reveal_key(SECRET, chance[:16], receive_) == RECEIVE_KEY


def test_a4_10_each_request_gets_its_own_salts() -> None:
    salts = set()
    for n in range(64):
        reply = reply_to(request(PPP), chance=bytes((n,)) * 32)
        salts |= {whole[:2] for name in MPPE[2:] for whole in reply.attributes.all_octets(name)}
    assert len(salts) > 120  # of 128; two of 2**15 are the same now and then


def test_a4_10_the_same_authenticator_again_hides_other_keys_under_another_stream() -> None:
    one = reply_to(request(PPP))
    other = reply_to(request(PPP, response=WIRE[:2] + b"other challenge." + WIRE[18:]))
    assert one.attributes.octets("MS-MPPE-Send-Key")[:2] != other.attributes.octets("MS-MPPE-Send-Key")[:2]  # type: ignore[index]  # both have it


def test_policy_without_which_pppd_ignores_keys() -> None:
    reply = reply_to(request(PPP))
    assert [reply.attributes.integer(name) for name in MPPE[:2]] == [1, 4]


def test_a10_04_proof_and_keys_are_never_shown() -> None:
    shown = dict(reply_to(request(PPP)).attributes)
    assert {shown[name] for name in ("MS-CHAP2-Success", *MPPE[2:])} == {"***"}


# The Reject, and others


@pytest.mark.parametrize(("message", "said"), [(None, "Akses ditolak / Access denied"), ("Kuota habis", "Kuota habis")])
def test_a3_03_rfc2759_6_reject_carries_one_error_without_a_retry(message: str | None, said: str) -> None:
    reply = reply_to(request(), Reject(message))
    assert reply.code == Code.ACCESS_REJECT
    (error,) = reply.attributes.all_octets("MS-CHAP-Error")
    assert error[0] == IDENT
    assert re.fullmatch(f"E=691 R=0 C=[0-9A-F]{{32}} V=3 M={said}", error[1:].decode())


def test_a3_03_challenge_of_an_error_is_new_each_time() -> None:
    errors = {reply_to(request(), Reject(), chance=bytes((n,)) * 32).attributes.octets("MS-CHAP-Error") for n in (1, 2)}
    assert len(errors) == 2


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("x" * 195, 195, id="just fits"),
        pytest.param("x" * 196, 195, id="one too many"),
        pytest.param("é" * 120, 194, id="not within a character"),
    ],
)
def test_error_is_one_attribute_cut_between_characters(text: str, kept: int) -> None:
    (error,) = reply_to(request(), Reject(text)).attributes.all_octets("MS-CHAP-Error")
    assert error[1:].decode().partition("M=")[2] == text.encode()[:kept].decode()


def test_a3_08_reject_carries_nothing_else() -> None:
    reply = reply_to(request(PPP, ("Proxy-State", b"p"), ("State", b"s")), Reject("Kuota habis"))
    assert names(reply) == ["Message-Authenticator", "MS-CHAP-Error", "Reply-Message", "Proxy-State"]


def test_a3_08_reject_of_another_credential_has_no_error() -> None:
    engine = ServerEngine(FakeBackend(make_nas()))
    query = AccessQuery(Attributes([("User-Name", "User"), ("User-Password", b"p" * 16)]))
    received = engine.receive(make_datagram(query), make_arrival())
    assert isinstance(received, PendingAccess)
    assert names(Packet.parse(engine.reply(received, Reject(), NOW))) == ["Message-Authenticator"]


def test_a4_11_accept_that_cannot_be_built_is_a_reject_with_an_error() -> None:
    reply = reply_to(request(), ACCEPT._replace(class_value=b""))
    assert reply.code == Code.ACCESS_REJECT
    assert names(reply) == ["Message-Authenticator", "MS-CHAP-Error"]


def test_challenge_carries_nothing_of_ms_chap() -> None:
    assert names(reply_to(request(), Challenge(b"state"))) == ["Message-Authenticator", "State"]


def test_a5_01_copy_of_an_answered_request_gets_the_same_keys() -> None:
    engine, received = receive(request(PPP))
    assert isinstance(received, PendingAccess)
    answer = decided(received.request, ACCEPT)
    reply = engine.reply(received, answer, NOW)
    again = engine.receive(make_datagram(request(PPP)), make_arrival())
    assert isinstance(again, Answered)
    assert (again.reply, again.repeated) == (reply, True)


def test_client_reads_the_proof() -> None:
    client = ClientEngine(SECRET)
    datagram = client.ask(request(), now=0.0, chance=b"c" * 32).datagram
    engine = ServerEngine(FakeBackend(make_nas()))
    received = engine.receive(datagram, make_arrival())
    assert isinstance(received, PendingAccess)
    reply = client.receive(engine.reply(received, decided(received.request, ACCEPT), NOW))
    assert not isinstance(reply, DropReason)
    assert reply.attributes.octets("MS-CHAP2-Success") == SUCCESS
