"""The server loop and the clients over real sockets on loopback; waits are for conditions, with a bound."""

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from radius import (
    Accept,
    AccessQuery,
    AccessRequest,
    Answer,
    Attributes,
    Authorization,
    Code,
    Demand,
    DropReason,
    Later,
    Reject,
    Service,
    StatusQuery,
    Timing,
)
from radius.net import datagrams
from radius.net.async_client import AsyncClient
from radius.net.buffers import receive_buffer
from radius.net.client import Answered, Silence, exchange
from radius.net.datagrams import BatchEndpoint, Datagram, PlainEndpoint, open_endpoint, waited_seconds
from radius.net.events import Event
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from tests.radius.support import (
    CLASS,
    OTHER_SECRET,
    SECRET,
    FakeBackend,
    make_accounting,
    make_datagram,
    make_nas,
    make_query,
)

HASTE = Timing(first_seconds=0.3, longest_seconds=1, attempts=3, give_up_seconds=3)
ONCE = Timing(first_seconds=0.2, longest_seconds=1, attempts=1, give_up_seconds=1)
ACCEPT = Accept(Authorization(session_timeout_seconds=60), CLASS)

KINDS = [pytest.param(False, id="batch"), pytest.param(True, id="plain")]
HOSTS = [
    pytest.param("127.0.0.1", "127.0.0.1", id="IPv4"),
    pytest.param("::1", "::1", id="IPv6"),
    pytest.param("0.0.0.0", "127.0.0.5", id="IPv4 wildcard"),
    pytest.param("::", "::1", id="IPv6 wildcard"),
]


def make_backend() -> FakeBackend:
    backend = FakeBackend()
    for address in ("127.0.0.1", "::1"):
        backend.add(address, make_nas(address, require=Demand.NO))
    return backend


class Running:
    """A server in a thread, and where to ask it."""

    def __init__(self, server: UdpServer, host: str) -> None:
        self.server = server
        self.auth, self.acct = ((host, port) for _, port in server.addresses)
        self.thread = threading.Thread(target=server.run)

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()


@contextmanager
def serving(
    backend: FakeBackend,
    host: str = "127.0.0.1",
    *,
    asked: str | None = None,
    plain: bool = False,
    observer: Callable[[Event], None] | None = None,
    everything: bool = True,
    patience_seconds: float = 10.0,
    most_waiting: int = 100,
) -> Iterator[Running]:
    listens = [Listen(Service.AUTH, host, 0), Listen(Service.ACCT, host, 0)]
    server = UdpServer(
        backend,
        listens,
        plain=plain,
        observer=observer,
        everything=everything,
        patience_seconds=patience_seconds,
        most_waiting=most_waiting,
    )
    running = Running(server, asked or host)
    running.thread.start()
    try:
        yield running
    finally:
        running.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    bound = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < bound, "waited in vain"
        time.sleep(0.005)


def read_late(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make all that waits in the kernel older. (It may stamp the first datagram only when that is read.)"""
    monkeypatch.setattr(datagrams, "time", SimpleNamespace(time=lambda: time.time() + seconds))


def code_of(result: Answered | Silence) -> Code:
    assert isinstance(result, Answered), result
    return result.reply.code


# Endpoints


def test_endpoint_is_of_the_kind_asked_for() -> None:
    for plain, kind in ((False, BatchEndpoint), (True, PlainEndpoint)):
        endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
        assert isinstance(endpoint, kind)
        endpoint.close()


@pytest.mark.parametrize("plain", KINDS)
@pytest.mark.parametrize(("host", "asked"), HOSTS)
def test_a4_02_answer_leaves_from_the_address_that_was_asked(host: str, asked: str, plain: bool) -> None:
    endpoint = open_endpoint(host, 0, plain=plain, batch=8)
    with socket.socket(socket.AF_INET6 if ":" in asked else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        for number in range(20):
            asking.sendto(b"%d" % number, (asked, endpoint.address[1]))
        received = drain(endpoint)
        assert [datagram.data for datagram in received] == [b"%d" % number for number in range(20)]
        assert received[0].source == asking.getsockname()[:2] or received[0].source[1] == asking.getsockname()[1]
        assert endpoint.send([(b"re:" + datagram.data, datagram) for datagram in received]) == 20
        for number in range(20):
            data, peer = asking.recvfrom(100)
            assert data == b"re:%d" % number
            assert peer[:2] == (asked, endpoint.address[1])
    endpoint.close()


def drain(endpoint: BatchEndpoint | PlainEndpoint) -> list[Datagram]:
    received: list[Datagram] = []
    while batch := endpoint.receive():
        assert len(batch) <= 8
        received += batch
    return received


@pytest.mark.parametrize("plain", KINDS)
def test_a1_03_datagram_beyond_the_largest_packet_is_seen_to_be_too_long(plain: bool) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"x" * 5000, endpoint.address)
        assert len(endpoint.receive()[0].data) == 4097
    endpoint.close()


@pytest.mark.parametrize("plain", KINDS)
def test_age_of_a_datagram_is_known(plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"x", endpoint.address)
        read_late(monkeypatch, 1.0)
        assert 0.9 < endpoint.receive()[0].age_seconds < 5
    endpoint.close()


@pytest.mark.parametrize(
    ("arrived_at", "waited"),
    [
        pytest.param(997.0, 3.0, id="three seconds"),
        pytest.param(1001.0, 0.0, id="clock set back"),
        pytest.param(1000.0 - 3600, 0.0, id="clock set forward by an hour"),
        pytest.param(None, 0.0, id="no time stamp"),
    ],
)
def test_clock_that_was_set_makes_no_datagram_old(arrived_at: float | None, waited: float) -> None:
    assert waited_seconds(arrived_at, 1000.0) == waited


@pytest.mark.parametrize("plain", KINDS)
def test_d15_kernel_tells_how_full_a_buffer_is_and_what_it_had_no_room_for(plain: bool) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain, receive_buffer=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _ in range(50):
            asking.sendto(b"x" * 500, endpoint.address)
        full = receive_buffer(endpoint.fileno())
        kept = len(endpoint.receive())
        assert full.dropped == 50 - kept > 0
        assert 500 * kept < full.waiting <= full.size
        assert receive_buffer(endpoint.fileno()) == (0, full.size, full.dropped)
    endpoint.close()


@pytest.mark.parametrize("plain", KINDS)
def test_closed_port_of_a_router_harms_nothing(plain: bool) -> None:
    endpoint = open_endpoint("127.0.0.1", 0, plain=plain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"x", endpoint.address)
        wait_until(lambda: bool(received := endpoint.receive()) and endpoint.send([(b"y", received[0])]) == 1)
    endpoint.send([])
    assert endpoint.receive() == []
    endpoint.close()


def test_sockets_can_share_a_port() -> None:
    first = open_endpoint("127.0.0.1", 0, reuse_port=True)
    second = open_endpoint("127.0.0.1", first.address[1], reuse_port=True)
    assert first.address == second.address
    first.close()
    second.close()


def test_a5_05_the_kernel_pins_a_router_to_one_of_several_sockets() -> None:
    """So every copy of a request meets the memory that has its answer (socket(7), SO_REUSEPORT)."""
    first = open_endpoint("127.0.0.1", 0, reuse_port=True)
    second = open_endpoint("127.0.0.1", first.address[1], reuse_port=True)
    heard: dict[tuple[str, int], set[int]] = {}
    for _ in range(8):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for _ in range(10):
                asking.sendto(b"x", first.address)
            for number, endpoint in enumerate((first, second)):
                for datagram in endpoint.receive():
                    heard.setdefault(datagram.source, set()).add(number)
    assert len(heard) == 8
    assert all(len(sockets) == 1 for sockets in heard.values())
    first.close()
    second.close()


# Flows


@pytest.mark.parametrize("plain", KINDS)
@pytest.mark.parametrize(("host", "asked"), HOSTS)
def test_login_and_accounting_over_the_wire(host: str, asked: str, plain: bool) -> None:
    backend = make_backend()
    with serving(backend, host, asked=asked, plain=plain) as running:
        assert code_of(exchange(running.auth, SECRET, make_query(), timing=HASTE)) is Code.ACCESS_ACCEPT
        assert code_of(exchange(running.auth, SECRET, make_query("salah"), timing=HASTE)) is Code.ACCESS_REJECT
        assert code_of(exchange(running.acct, SECRET, make_accounting(), timing=HASTE)) is Code.ACCOUNTING_RESPONSE
        assert code_of(exchange(running.auth, SECRET, StatusQuery(), timing=HASTE)) is Code.ACCESS_ACCEPT
        assert code_of(exchange(running.acct, SECRET, StatusQuery(), timing=HASTE)) is Code.ACCOUNTING_RESPONSE
    assert (len(backend.requests), len(backend.records)) == (2, 1)
    assert running.server.failures == 0


def test_wrong_secret_is_silence() -> None:
    with serving(make_backend()) as running:
        result = exchange(running.auth, OTHER_SECRET, make_query(), timing=ONCE)
    assert result == Silence(1, ())
    assert running.server.engine.counters.drops() == {DropReason.BAD_MESSAGE_AUTHENTICATOR: 1}


def test_wrong_secret_of_unsigned_requests_shows_in_the_dropped_replies() -> None:
    with serving(make_backend()) as running:
        result = exchange(running.auth, OTHER_SECRET, make_query(), timing=ONCE, sign=False)
    assert result == Silence(1, (DropReason.BAD_AUTHENTICATOR,))


def test_nobody_there_is_silence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        address = unused.getsockname()
    assert isinstance(exchange(address, SECRET, make_query(), timing=ONCE), Silence)


def test_a6_02_record_that_is_not_safe_is_not_acknowledged_and_its_copy_is_stored() -> None:
    backend = make_backend()
    backend.disk_full = True
    events: list[Event] = []

    def observe(event: Event) -> None:
        events.append(event)
        backend.disk_full = False

    with serving(backend, observer=observe) as running:
        result = exchange(running.acct, SECRET, make_accounting(), timing=HASTE)
    assert isinstance(result, Answered)
    assert result.attempts == 2
    assert [event.outcome for event in events] == [DropReason.NOT_STORED, Code.ACCOUNTING_RESPONSE]


# D07
def test_undecided_request_gets_no_reply() -> None:
    backend = make_backend()
    backend.answer = lambda _: None
    with serving(backend) as running:
        assert isinstance(exchange(running.auth, SECRET, make_query(), timing=ONCE), Silence)
    assert running.server.engine.counters.drops() == {DropReason.UNDECIDED: 1}


def test_a3_07_delayed_reject_holds_nobody_up() -> None:
    backend = make_backend()
    backend.answer = lambda request: Reject(delay_seconds=1.0) if request.user_name == "slow" else ACCEPT
    with serving(backend) as running, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(running.auth)
        began = time.monotonic()
        asking.send(make_datagram(make_query(user_name="slow"), chance=b"1" * 32))
        asking.send(make_datagram(make_query(user_name="slow"), chance=b"1" * 32))
        quick = exchange(running.auth, SECRET, make_query(), timing=HASTE)
        assert isinstance(quick, Answered)
        assert select.select([asking], [], [], 0)[0] == []
        assert asking.recv(4096)[0] == Code.ACCESS_REJECT
        assert time.monotonic() - began >= 1.0
    assert running.server.engine.counters.drops() == {DropReason.DUPLICATE_IN_PROGRESS: 1}


def test_parked_request_is_asked_about_again_when_it_is_due() -> None:
    backend = make_backend()

    def answer(request: AccessRequest) -> Answer:
        return ACCEPT if len(backend.requests) > 1 else Later(request.received + 0.1)

    backend.answer = answer
    with serving(backend) as running:
        result = exchange(running.auth, SECRET, make_query(), timing=HASTE)
    assert isinstance(result, Answered)
    assert result.attempts == 1
    assert result.seconds >= 0.1


def test_parked_request_is_asked_about_when_woken() -> None:
    backend = make_backend()
    known = threading.Event()
    backend.answer = lambda request: ACCEPT if known.is_set() else Later(request.received + 100)
    patient = Timing(first_seconds=5, attempts=1)
    results: list[Answered | Silence] = []
    with serving(backend) as running:
        asking = threading.Thread(
            target=lambda: results.append(exchange(running.auth, SECRET, make_query(), timing=patient))
        )
        asking.start()
        wait_until(lambda: running.server.waiting == 1)
        known.set()
        running.server.wake()
        asking.join(5)
    assert [code_of(result) for result in results] == [Code.ACCESS_ACCEPT]


def test_a5_06_request_parked_beyond_the_patience_is_dropped() -> None:
    backend = make_backend()
    backend.answer = lambda request: Later(request.received + 100)
    with serving(backend, patience_seconds=0.1) as running:
        assert isinstance(exchange(running.auth, SECRET, make_query(), timing=ONCE), Silence)
        assert running.server.waiting == 0
    assert running.server.engine.counters.drops() == {DropReason.UNDECIDED: 1}


def test_a5_06_parked_requests_are_bounded() -> None:
    backend = make_backend()
    backend.answer = lambda request: Later(request.received + 100)
    with serving(backend, most_waiting=3) as running, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(running.auth)
        for number in range(5):
            asking.send(make_datagram(make_query(), chance=bytes((number + 1,)) * 32))
        wait_until(lambda: len(backend.requests) == 5)
        assert running.server.waiting == 3
    assert running.server.engine.counters.drops() == {DropReason.OVERLOAD: 2, DropReason.UNDECIDED: 3}


def test_one_bad_request_never_spoils_the_others_of_its_batch(caplog: pytest.LogCaptureFixture) -> None:
    backend = make_backend()

    def answer(request: AccessRequest) -> Answer:
        if request.user_name == "bad":
            raise RuntimeError("a mistake of the application")
        return ACCEPT

    backend.answer = answer
    with serving(backend) as running, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(running.auth)
        for number, name in enumerate(("good", "bad", "good", "good")):
            asking.send(make_datagram(make_query(user_name=name), chance=bytes((number + 1,)) * 32))
        codes = [asking.recv(4096)[0] for _ in range(3)]
    assert codes == [Code.ACCESS_ACCEPT] * 3
    assert running.server.engine.counters.drops() == {DropReason.UNDECIDED: 1}
    assert running.server.failures > 0
    assert "a mistake of the application" in caplog.text


def test_storm_is_decided_in_batches() -> None:
    backend = make_backend()
    gate = threading.Event()

    def answer(_: AccessRequest) -> Answer:
        gate.wait(5)
        return ACCEPT

    backend.answer = answer
    with serving(backend) as running, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(running.auth)
        for number in range(100):
            asking.send(make_datagram(make_query(), chance=bytes((number + 1,)) * 32))
        gate.set()
        codes = {asking.recv(4096)[0] for _ in range(100)}
    assert codes == {Code.ACCESS_ACCEPT}
    assert sum(backend.batches) == 100
    assert max(backend.batches) > 10


def test_observer_hears_of_every_datagram() -> None:
    events: list[Event] = []
    with (
        serving(make_backend(), observer=events.append) as running,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
    ):
        asking.settimeout(5)
        asking.connect(running.auth)
        datagram = make_datagram(make_query())
        replies = []
        for each in (datagram, datagram):
            asking.send(each)
            replies.append(asking.recv(4096))
        asking.send(b"")
        wait_until(lambda: len(events) == 3)
    assert [(event.outcome, event.repeated, event.nas_id, event.datagram) for event in events] == [
        (Code.ACCESS_ACCEPT, False, "127.0.0.1", datagram),
        (Code.ACCESS_ACCEPT, True, "127.0.0.1", datagram),
        (DropReason.TOO_SHORT, False, "127.0.0.1", b""),
    ]
    assert [event.reply for event in events] == [replies[0], replies[0], None]
    assert isinstance(events[0].request, AccessRequest)
    assert events[0].request.user_name == "budi"
    assert all(0 <= event.seconds < 5 and event.at > 1_800_000_000 - 10**9 for event in events)


def test_observer_of_failures_hears_of_drops_and_rejects_alone() -> None:
    events: list[Event] = []
    backend = make_backend()
    with serving(backend, observer=events.append, everything=False) as running:
        exchange(running.auth, SECRET, make_query(), timing=HASTE)
        exchange(running.acct, SECRET, make_accounting(), timing=HASTE)
        exchange(running.auth, SECRET, StatusQuery(), timing=HASTE)
        exchange(running.auth, OTHER_SECRET, StatusQuery(), timing=ONCE)
        backend.answer = lambda _: Reject(reason="quota")
        exchange(running.auth, SECRET, make_query(), timing=HASTE)
    assert [(event.outcome, event.reason) for event in events] == [
        (DropReason.BAD_MESSAGE_AUTHENTICATOR, ""),
        (Code.ACCESS_REJECT, "quota"),
    ]


def test_observer_hears_why_the_server_itself_rejects() -> None:
    events: list[Event] = []
    backend = make_backend()
    backend.answer = lambda _: Accept(Authorization(), b"c" * 254, reason="password")
    with serving(backend, observer=events.append, everything=False) as running:
        exchange(running.auth, SECRET, make_query(), timing=HASTE)
        eap = AccessQuery(Attributes([("EAP-Message", b"\x02\x01\x00\x05\x01")]))
        exchange(running.auth, SECRET, eap, timing=HASTE)
    assert [(event.outcome, event.reason) for event in events] == [
        (Code.ACCESS_REJECT, "unbuildable"),
        (Code.ACCESS_REJECT, "method_not_spoken"),
    ]


def test_failing_observer_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("the observer is broken")

    with serving(make_backend(), observer=fail) as running:
        assert code_of(exchange(running.auth, SECRET, make_query(), timing=HASTE)) is Code.ACCESS_ACCEPT
    assert "the observer is broken" in caplog.text


# D13
def test_stop_answers_what_is_decided() -> None:
    backend = make_backend()
    backend.answer = lambda _: Reject(delay_seconds=100)
    with serving(backend) as running, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(running.auth)
        asking.send(make_datagram(make_query()))
        wait_until(lambda: running.server.waiting == 1)
        running.stop()
        assert asking.recv(4096)[0] == Code.ACCESS_REJECT


def test_stop_and_wake_after_the_end_are_harmless() -> None:
    with serving(make_backend()) as running:
        running.stop()
        running.server.wake()
        running.server.stop()


def test_port_in_use_stops_the_start() -> None:
    with serving(make_backend()) as running, pytest.raises(OSError, match="in use"):
        UdpServer(make_backend(), [Listen(Service.AUTH, *running.auth)])


# The asyncio client


def test_many_questions_at_a_time() -> None:
    async def ask_all(server: tuple[str, int]) -> list[Answered | Silence]:
        client = AsyncClient(server, SECRET, timing=Timing(first_seconds=2))
        try:
            return await asyncio.gather(*(client.ask(make_query()) for _ in range(300)))
        finally:
            client.close()

    with serving(make_backend()) as running:
        results = asyncio.run(ask_all(running.auth))
    assert {code_of(result) for result in results} == {Code.ACCESS_ACCEPT}


def test_asyncio_client_asks_again_and_gives_up() -> None:
    async def ask(server: tuple[str, int]) -> Answered | Silence:
        client = AsyncClient(server, OTHER_SECRET, timing=Timing(0.05, 1, 3, 3))
        try:
            return await client.ask(make_query())
        finally:
            client.close()

    with serving(make_backend()) as running:
        assert asyncio.run(ask(running.auth)) == Silence(3, ())


def test_closing_the_asyncio_client_ends_the_waiting() -> None:
    async def ask(server: tuple[str, int]) -> Answered | Silence:
        client = AsyncClient(server, OTHER_SECRET)
        asking = asyncio.create_task(client.ask(make_query()))
        await asyncio.sleep(0.05)
        client.close()
        return await asking

    with serving(make_backend()) as running:
        assert asyncio.run(ask(running.auth)) == Silence(1, ())
