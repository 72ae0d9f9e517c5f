import pytest

from radius import (
    Accept,
    Attributes,
    Authorization,
    ClientEngine,
    CoaRequest,
    Code,
    DisconnectRequest,
    DropReason,
    EncodeError,
    Packet,
    Query,
    Reply,
    Service,
    StatusQuery,
    Timing,
)
from radius.client_engine import Exchange, NoIdentifierError
from radius.server_engine import PendingAccess, ServerEngine
from radius.signatures import (
    ZEROS,
    prepared,
    sign_bare_reply,
    sign_reply,
    verify_accounting,
    verify_message,
)
from tests.radius.support import CLASS, SECRET, FakeBackend, make_accounting, make_arrival, make_nas, make_query

KEY = prepared(SECRET)
EVEN_CHANCE = b"c" * 16 + bytes((127,)) * 16  # as good as no jitter
IDENTITY = Attributes([("User-Name", "budi"), ("Acct-Session-Id", "s1")])


def make_client(*, sign: bool = True, require_message_authenticator: bool = False) -> ClientEngine:
    return ClientEngine(SECRET, sign=sign, require_message_authenticator=require_message_authenticator)


def ask(client: ClientEngine, query: Query | None = None, now: float = 0.0) -> Exchange:
    return client.ask(query or make_query(), now=now, chance=EVEN_CHANCE)


def accept(exchange: Exchange, *, secret: bytes = SECRET) -> bytes:
    return sign_reply(prepared(secret), Code.ACCESS_ACCEPT, exchange.identifier, exchange.authenticator, b"")


# A7.04
def test_question_and_answer_between_our_own_halves() -> None:
    server, client = ServerEngine(FakeBackend(make_nas())), make_client()
    exchange = ask(client)
    pending = server.receive(exchange.datagram, make_arrival(Service.AUTH))
    assert isinstance(pending, PendingAccess)
    reply = client.receive(server.reply(pending, Accept(Authorization(), CLASS), 0.0))
    assert isinstance(reply, Reply)
    assert (reply.code, reply.exchange) == (Code.ACCESS_ACCEPT, exchange)
    assert reply.attributes.octets("Class") == CLASS
    assert client.waiting == 0


def test_a2_12_access_request_is_signed_first() -> None:
    datagram = ask(make_client()).datagram
    assert datagram[20:22] == b"\x50\x12"
    assert verify_message(KEY, datagram, 22)


def test_unsigned_access_request_can_be_asked_for() -> None:
    assert Packet.parse(ask(make_client(sign=False)).datagram).signature_at == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param(CoaRequest(IDENTITY, Attributes([("Session-Timeout", 60)])), Code.COA_REQUEST, id="CoA"),
        pytest.param(DisconnectRequest(IDENTITY), Code.DISCONNECT_REQUEST, id="Disconnect"),
    ],
)
def test_a7_01_dynamic_request_is_signed_like_accounting(query: Query, code: Code) -> None:
    datagram = ask(make_client(), query).datagram
    assert datagram[0] == code
    assert verify_accounting(KEY, datagram)
    assert verify_message(KEY, datagram, 22, ZEROS)


def test_uspot_gets_a_dynamic_request_without_message_authenticator() -> None:
    datagram = ask(make_client(sign=False), DisconnectRequest(IDENTITY)).datagram
    assert Packet.parse(datagram).signature_at == 0
    assert verify_accounting(KEY, datagram)


def test_changes_follow_the_identity() -> None:
    query = CoaRequest(IDENTITY, Attributes([("Session-Timeout", 60)]))
    attributes = Packet.parse(ask(make_client(sign=False), query).datagram).attributes
    assert [name for name, _ in attributes] == ["User-Name", "Acct-Session-Id", "Session-Timeout"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(lambda e: accept(e, secret=b"another"), DropReason.BAD_AUTHENTICATOR, id="wrong secret"),
        pytest.param(lambda e: b"\x05" + accept(e)[1:], DropReason.BAD_CODE, id="code of another question"),
        pytest.param(lambda e: accept(e)[:-1], DropReason.BAD_LENGTH, id="cut short"),
        pytest.param(
            lambda e: sign_bare_reply(KEY, 2, e.identifier, e.authenticator, b"\x50\x12" + bytes(16)),
            DropReason.BAD_MESSAGE_AUTHENTICATOR,
            id="bad Message-Authenticator",
        ),
        pytest.param(
            lambda e: sign_bare_reply(KEY, 2, e.identifier + 1, e.authenticator, b""),
            DropReason.UNEXPECTED,
            id="another identifier",
        ),
    ],
)
def test_a7_04_reply_that_does_not_fit_is_dropped_and_changes_nothing(reply: object, reason: DropReason) -> None:
    assert callable(reply)
    client = make_client()
    exchange = ask(client)
    before = exchange.next_at
    assert client.receive(reply(exchange)) is reason
    assert (client.waiting, exchange.next_at) == (1, before)
    assert isinstance(client.receive(accept(exchange)), Reply)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(-301, DropReason.STALE), (-300, None), (0, None), (300, None), (301, DropReason.STALE)],
)
def test_a7_03_answer_of_another_time_is_dropped(offset: int, expected: DropReason | None) -> None:
    client, asked_at = make_client(), 1_795_000_000
    identity = Attributes([("User-Name", "x"), ("Event-Timestamp", asked_at)])
    exchange = ask(client, DisconnectRequest(identity))
    body = Attributes([("Event-Timestamp", asked_at + offset)]).to_bytes()
    reply = client.receive(sign_bare_reply(KEY, Code.DISCONNECT_ACK, exchange.identifier, exchange.authenticator, body))
    assert reply is expected or (expected is None and isinstance(reply, Reply))


def test_a7_03_event_timestamp_is_the_same_in_every_repetition() -> None:
    client = make_client()
    exchange = ask(client, DisconnectRequest(Attributes([("User-Name", "x"), ("Event-Timestamp", 1_795_000_000)])))
    before = exchange.datagram
    assert client.due(exchange.next_at) == ([exchange], [])
    assert exchange.datagram == before


def test_why_replies_were_dropped_is_remembered() -> None:
    client = make_client()
    exchange = ask(client)
    client.receive(accept(exchange, secret=b"another"))
    assert exchange.dropped == [DropReason.BAD_AUTHENTICATOR]


def test_bare_reply_is_taken_unless_a_signature_is_required() -> None:
    for require, expected in ((False, None), (True, DropReason.MISSING_MESSAGE_AUTHENTICATOR)):
        client = make_client(require_message_authenticator=require)
        exchange = ask(client)
        reply = client.receive(sign_bare_reply(KEY, 3, exchange.identifier, exchange.authenticator, b""))
        assert reply is expected or (expected is None and isinstance(reply, Reply))


def test_reply_twice_is_unexpected_the_second_time() -> None:
    client = make_client()
    exchange = ask(client)
    client.receive(accept(exchange))
    assert client.receive(accept(exchange)) is DropReason.UNEXPECTED


def test_a5_08_times_double_up_to_the_longest_and_the_octets_stay() -> None:
    client = ClientEngine(SECRET, timing=Timing(give_up_seconds=1000))
    exchange = ask(client)
    first = exchange.datagram
    times = []
    while client.waiting:
        now = client.next_at()
        assert now is not None
        again, _ = client.due(now)
        times += [now for each in again if each.datagram == first]
    assert times == pytest.approx([2, 6, 14, 30], rel=0.01)
    assert exchange.attempts == 5


def test_a5_08_exchange_is_given_up_after_its_time() -> None:
    client = make_client()
    exchange = ask(client)
    assert client.due(29.0) == ([exchange], [])
    assert client.next_at() == 30.0
    assert client.due(30.0) == ([], [exchange])
    assert client.waiting == 0
    assert client.next_at() is None


@pytest.mark.parametrize(("octet", "wait"), [pytest.param(0, 1.8, id="least"), pytest.param(255, 2.2, id="most")])
def test_a5_08_jitter_is_a_tenth(octet: int, wait: float) -> None:
    exchange = make_client().ask(make_query(), now=0.0, chance=bytes(16) + bytes((octet,)) * 16)
    assert exchange.next_at == pytest.approx(wait)


def test_nothing_is_due_early() -> None:
    client = make_client()
    ask(client)
    assert client.due(1.0) == ([], [])


def test_a5_08_identifier_rests_as_long_as_possible() -> None:
    client = make_client()
    for turn in range(300):
        exchange = ask(client)
        assert exchange.identifier == turn % 256
        client.receive(accept(exchange))


def test_a5_08_identifier_in_use_is_not_given_again() -> None:
    client = make_client()
    exchanges = [ask(client) for _ in range(256)]
    assert len({exchange.identifier for exchange in exchanges}) == 256
    with pytest.raises(NoIdentifierError):
        ask(client)
    client.cancel(exchanges[77])
    assert ask(client).identifier == 77


def test_query_that_cannot_be_built_takes_no_identifier() -> None:
    client = make_client()
    query = StatusQuery(Attributes([("Class", b"x" * 253)] * 17))
    with pytest.raises(EncodeError):
        ask(client, query)
    assert client.waiting == 0
    assert len({ask(client).identifier for _ in range(256)}) == 256


def test_accounting_request_has_no_message_authenticator() -> None:
    assert Packet.parse(ask(make_client(), make_accounting()).datagram).signature_at == 0
