"""A server engine that knows one application, and what it made of a datagram."""

from radius import Accept, AccessQuery, Attributes, Authorization, Challenge, ChapResponse, Nas, Packet, Reject, Service
from radius.server_engine import Answered, PendingAccess, PendingAccounting, Received, ServerEngine
from radius.signatures import prepared, verify_message, verify_reply
from tests.radius.support import CLASS, NOW, SECRET, FakeBackend, make_arrival, make_datagram, make_nas, make_query

ACCEPT = Accept(Authorization(session_timeout_seconds=3600), CLASS)
AUTH, ACCT = make_arrival(), make_arrival(Service.ACCT)
PAP, CHAP = ("User-Password", b"p" * 16), ("CHAP-Password", b"c" * 17)
EAP, ARAP, MS_CHAP = (
    ("EAP-Message", b"\x02\x07\x00\x05\x01"),
    ("ARAP-Password", b"a" * 16),
    ("MS-CHAP2-Response", b"m" * 50),
)


def make_engine(*nases: Nas) -> ServerEngine:
    return ServerEngine(FakeBackend(*(nases or (make_nas(),))))


def pending(received: Received) -> PendingAccess:
    assert isinstance(received, PendingAccess), received
    return received


def pending_accounting(received: Received) -> PendingAccounting:
    assert isinstance(received, PendingAccounting), received
    return received


def answered(received: Received) -> Packet:
    assert isinstance(received, Answered), received
    return Packet.parse(received.reply)


def make_reply(
    answer: Accept | Reject | Challenge, query: AccessQuery | None = None, family: str = "generic"
) -> Packet:
    engine = make_engine(make_nas(family=family))
    datagram = make_datagram(query or make_query())
    reply = engine.reply(pending(engine.receive(datagram, AUTH)), answer, NOW)
    assert verify_reply(prepared(SECRET), reply, datagram[4:20])
    packet = Packet.parse(reply)
    assert packet.signature_at == 22
    assert verify_message(prepared(SECRET), reply, 22, datagram[4:20])
    return packet


def names(packet: Packet) -> list[str]:
    return [name for name, _ in packet.attributes]


def make_chap_query() -> AccessQuery:
    return AccessQuery(Attributes([("User-Name", "budi")]), ChapResponse.answering(b"c" * 16, 1, "rahasia"))


def flip_last_octet(datagram: bytes) -> bytes:
    return datagram[:-1] + bytes((datagram[-1] ^ 1,))
