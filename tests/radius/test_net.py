"""The server loop over real sockets on loopback."""

import select
import socket
import threading
import time

import pytest

from radius import (
    Accept,
    AccessQuery,
    AccessRequest,
    Answer,
    Attributes,
    Authorization,
    Code,
    DropReason,
    Later,
    Reject,
    Service,
    StatusQuery,
    Timing,
)
from radius.net.client import Answered, Silence, exchange
from radius.net.events import Event
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from tests.flows.serving import free_udp_ports
from tests.radius.serving import ACCEPT, HASTE, HOSTS, KINDS, ONCE, code_of, make_backend, serving, wait_until
from tests.radius.support import OTHER_SECRET, SECRET, make_accounting, make_datagram, make_query


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
    (port,) = free_udp_ports(1)
    assert isinstance(exchange(("127.0.0.1", port), SECRET, make_query(), timing=ONCE), Silence)


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
        drops = running.server.engine.counters.drops
        wait_until(lambda: (running.server.waiting, drops()) == (3, {DropReason.OVERLOAD: 2}))
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
