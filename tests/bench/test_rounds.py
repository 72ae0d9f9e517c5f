"""What the load generator counts, against our own server and against one that answers wrongly."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.bench import rounds
from app.bench.kinds import Kind, Method
from app.bench.people import Pattern, Phones
from app.bench.rounds import Bench, BenchError
from app.bench.writing import DOWN_PER_STEP, UP_PER_STEP, Steps
from radius.codes import Code
from radius.credentials import ChapResponse
from radius.messages import Accept, AccessRequest, AccountingRecord, Answer
from radius.packet import Packet
from radius.signatures import SharedSecret, prepared, sign_bare_reply, sign_reply
from tests.bench.servers import PASSWORD, Scripted, plan, serving
from tests.flows.serving import free_udp_ports
from tests.radius.support import CLASS, OTHER_SECRET, SECRET, FakeBackend

OURS = prepared(SECRET)


def accept(request: bytes, *, secret: SharedSecret = OURS, body: bytes = b"", code: Code = Code.ACCESS_ACCEPT) -> bytes:
    return sign_reply(secret, code, request[1], request[4:20], body)


def sessions_of(records: Sequence[AccountingRecord]) -> dict[str, list[AccountingRecord]]:
    found = defaultdict(list)
    for record in records:
        found[record.attributes.text("Acct-Session-Id") or ""].append(record)
    return dict(found)


# Right and wrong


def test_right_answers_are_counted_right() -> None:
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as ports:
        bench = Bench(plan(ports))
        counts = bench.round().counts
    assert (counts.sent, counts.answered, counts.right, counts.faults, bench.faults) == (40, 40, 40, 0, 0)
    assert {request.attributes.text("NAS-Identifier") for request in backend.requests} == {"bench"}
    assert len({request.attributes.text("Acct-Session-Id") for request in backend.requests}) == 40


def test_accept_of_a_wrong_password_and_reject_of_a_right_one_are_wrong_verdicts() -> None:
    with Scripted(lambda request: [accept(request)]) as says_yes:
        assert Bench(plan((says_yes.port, 0), wrong=100)).round().counts.wrong == 40
    with Scripted(lambda request: [accept(request, code=Code.ACCESS_REJECT)]) as says_no:
        bench = Bench(plan((says_no.port, 0)))
        assert bench.round().counts.wrong == 40
        assert bench.faults == 40


def test_reject_of_a_wrong_password_is_right() -> None:
    with serving(FakeBackend(password=PASSWORD)) as ports:
        assert Bench(plan(ports, wrong=50)).round().counts.right == 40


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda r: accept(r, secret=prepared(OTHER_SECRET)), id="another secret"),
        pytest.param(lambda r: sign_bare_reply(OURS, Code.ACCESS_ACCEPT, r[1], r[4:20], b""), id="unsigned"),
        pytest.param(lambda r: accept(r)[:-1] + bytes([accept(r)[-1] ^ 1]), id="one bit"),
        pytest.param(lambda r: accept(b"\0" + bytes([(r[1] + 9) % 256]) + r[2:]), id="an Identifier that was not sent"),
        pytest.param(lambda r: accept(r)[:19], id="too short for a packet"),
        pytest.param(lambda r: accept(r)[:30], id="cut off"),
    ],
)
def test_answer_that_is_not_to_be_believed_is_bad_and_answers_nothing(answer: Callable[[bytes], bytes]) -> None:
    with Scripted(lambda request: [answer(request)]) as liar:
        counts = Bench(plan((liar.port, 0), requests=8, window=8, sockets=1, resend=0.5, attempts=1)).round().counts
    assert (counts.right, counts.lost) == (0, 8)
    assert counts.bad == 8


def test_unsigned_answer_is_believed_where_that_is_asked_for() -> None:
    with Scripted(lambda r: [sign_bare_reply(OURS, Code.ACCESS_ACCEPT, r[1], r[4:20], b"")]) as server:
        assert Bench(plan((server.port, 0), unsigned=True)).round().counts.right == 40


def test_proxy_state_must_come_back() -> None:
    with serving(FakeBackend(password=PASSWORD)) as ports:
        assert Bench(plan(ports, proxy_state=True)).round().counts.right == 40
    with Scripted(lambda request: [accept(request)]) as forgetful:
        assert Bench(plan((forgetful.port, 0), proxy_state=True)).round().counts.bad == 40


def test_answer_longer_than_most_is_kept_whole() -> None:
    message = bytes((18, 252)) + b"x" * 250
    with Scripted(lambda request: [accept(request, body=message * 16)]) as talkative:
        assert Bench(plan((talkative.port, 0))).round().counts.right == 40


# Lost, sent again, once too often


def test_what_gets_no_answer_is_sent_again_as_it_was_and_then_lost() -> None:
    with Scripted(lambda _: []) as silent:
        bench = Bench(plan((silent.port, 0), requests=2, resend=0.02, attempts=3))
        counts = bench.round().counts
    assert (counts.sent, counts.answered, counts.resent, counts.lost, bench.faults) == (2, 0, 4, 2, 2)
    assert sorted(silent.heard.count(request) for request in set(silent.heard)) == [3, 3]


def test_answer_to_what_was_sent_again_is_right_and_its_wait_counts_from_the_first() -> None:
    seen: set[bytes] = set()

    def second_time(request: bytes) -> list[bytes]:
        known = request in seen
        seen.add(request)
        return [accept(request)] if known else []

    with Scripted(second_time) as slow:
        measured = Bench(plan((slow.port, 0), requests=4, resend=0.5)).round()
    counts = measured.counts
    assert (counts.right, counts.lost, counts.resent) == (4, 0, 4)
    assert measured.latency.p50_ms is not None
    assert measured.latency.p50_ms >= 500


def test_answer_that_comes_twice_is_counted_once() -> None:
    with Scripted(lambda request: [accept(request)] * 2) as stutterer:
        counts = Bench(plan((stutterer.port, 0), window=1, sockets=1)).round().counts
    assert counts.right == 40
    assert 38 <= counts.repeated <= 40  # the last of them may come when nobody listens any more
    assert counts.faults == 0


def test_nobody_there_is_lost_and_no_error() -> None:
    (port,) = free_udp_ports(1)
    counts = Bench(plan((port, 0), requests=3, resend=0.02, attempts=2)).round().counts
    assert (counts.sent, counts.lost) == (3, 3)


# Accounting


def test_reports_of_a_session_come_in_their_order_with_the_class_of_its_login() -> None:
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as ports:
        bench = Bench(plan(ports, Kind.ACCT, requests=1, window=64, steps=Steps(interims=2)))
        measured = bench.round()
    sessions = sessions_of(backend.records)
    assert len(sessions) == len(backend.requests) == 512  # 256 on each of two sockets
    assert bench.asked == 512 * 5
    for records in sessions.values():
        said = [record.attributes.word("Acct-Status-Type") for record in records]
        assert said == ["Start", "Interim-Update", "Interim-Update", "Stop"]
        assert {record.attributes.octets("Class") for record in records} == {CLASS}
    assert measured.sessions is not None
    assert (measured.sessions.started, measured.sessions.stopped) == (512, 512)
    assert measured.sessions.up_octets == 512 * 3 * UP_PER_STEP
    assert measured.sessions.down_octets == 512 * 3 * DOWN_PER_STEP


def test_counters_beyond_four_gigabytes_are_carried_by_gigawords() -> None:
    """A6.08."""
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as ports:
        Bench(plan(ports, Kind.ACCT, requests=1, sockets=1, steps=Steps(interims=6), log_in=False)).round()
    stop = next(r.attributes for r in backend.records if r.attributes.word("Acct-Status-Type") == "Stop")
    for way, each in (("Input", UP_PER_STEP), ("Output", DOWN_PER_STEP)):
        low, high = stop.integer(f"Acct-{way}-Octets"), stop.integer(f"Acct-{way}-Gigawords")
        assert low is not None
        assert high
        assert (high << 32) + low == 7 * each


def test_accounting_without_login_has_no_class_and_asks_nobody_in() -> None:
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as ports:
        Bench(plan(ports, Kind.ACCT, requests=1, sockets=1, log_in=False)).round()
    assert backend.requests == []
    assert {"Class" in record.attributes for record in backend.records} == {False}


def test_refused_login_before_accounting_stops_the_measurement() -> None:
    with serving(FakeBackend(password="another")) as ports, pytest.raises(BenchError, match="512 of 512"):
        Bench(plan(ports, Kind.ACCT, requests=1)).round()


def test_mixed_session_reports_after_its_own_accept_with_its_own_class() -> None:
    backend = FakeBackend()
    backend.answer = _accept_by_session
    with serving(backend) as ports:
        measured = Bench(plan(ports, Kind.MIXED, requests=50, steps=Steps(interims=1))).round()
    sessions = sessions_of(backend.records)
    assert len(sessions) == 13  # 50 requests at 4 a session, rounded up
    for name, records in sessions.items():
        assert [r.attributes.word("Acct-Status-Type") for r in records] == ["Start", "Interim-Update", "Stop"]
        assert {record.attributes.text("Class") for record in records} == {f"of {name}"}
    assert measured.counts.right == 13 * 4
    assert set(measured.by_kind) == {"access", "accounting"}


def test_storm_lets_every_phone_in_by_its_mac_and_starts_its_session() -> None:
    """A5.09."""
    backend = FakeBackend(password="mac secret")
    with serving(backend) as ports:
        phones = Phones(b"mac secret", 300)
        storm = plan(ports, Kind.STORM, people=phones, requests=300, window=300, steps=Steps(0, ends=False), sockets=3)
        measured = Bench(storm).round()
    macs = {request.user_name for request in backend.requests}
    assert macs == {phones[number].mac for number in range(300)}
    assert all(r.attributes.mac("Calling-Station-Id") == r.user_name for r in backend.requests)
    assert {record.attributes.text("User-Name") for record in backend.records} == macs
    assert measured.sessions is not None
    assert (measured.counts.right, measured.sessions.started, measured.sessions.stopped) == (600, 300, 0)


def test_phone_that_is_refused_starts_nothing() -> None:
    backend = FakeBackend(password="another")
    with serving(backend) as ports:
        storm = plan(ports, Kind.STORM, people=Phones(b"mac secret", 30), requests=30, steps=Steps(0, ends=False))
        counts = Bench(storm).round().counts
    assert (counts.wrong, counts.sent, backend.records) == (30, 30, [])


# Pace


def test_round_by_time_sends_new_requests_after_warming_up() -> None:
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as ports:
        bench = Bench(plan(ports, requests=None, seconds=0.1))
        bench.warm_up()
        warm = len(backend.requests)
        measured = bench.round()
    assert warm > 0
    assert measured.counts.right == len(backend.requests) - warm > 0
    octets = [request.attributes.octets("User-Password") for request in backend.requests]
    assert len(set(octets)) == len(octets)  # none is a repetition that a server might answer from memory


@pytest.fixture
def even_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no more than four milliseconds go by between two looks: a machine that stands still misses nothing."""
    passed = [0.0, time.monotonic()]

    def look() -> float:
        now = time.monotonic()
        passed[:] = passed[0] + min(now - passed[1], 0.004), now
        return passed[0]

    monkeypatch.setattr(rounds, "time", SimpleNamespace(**vars(time) | {"monotonic": look}))


@pytest.mark.usefixtures("even_clock")
def test_rate_sends_so_many_in_a_second() -> None:
    with serving(FakeBackend(password=PASSWORD)) as ports:
        measured = Bench(plan(ports, requests=None, seconds=0.2, rate=500)).round()
    assert measured.counts.sent == pytest.approx(100, abs=2)


@pytest.mark.usefixtures("even_clock")
def test_rate_of_log_ins_with_their_sessions_is_that_of_all_requests() -> None:
    """Each log-in leads to a Start, an Interim-Update and a Stop: 25 log-ins a second make 100 requests."""
    steps = Steps(interims=1)
    with serving(FakeBackend(password=PASSWORD)) as ports:
        measured = Bench(plan(ports, Kind.MIXED, requests=None, seconds=0.4, rate=100, window=1, steps=steps)).round()
    assert measured.seconds == pytest.approx(0.4, abs=0.1)
    assert measured.counts.sent == pytest.approx(40, abs=8)


def test_everybody_comes_before_somebody_comes_again() -> None:
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as ports:
        Bench(plan(ports, Kind.MIXED, requests=180, people=Pattern("user{}", PASSWORD, 7, 30))).round()
    names = [request.user_name for request in backend.requests]
    assert len(names) == 30
    assert set(names) == {f"user{number}" for number in range(7, 37)}


def _accept_by_session(request: AccessRequest) -> Answer:
    name = request.attributes.text("Acct-Session-Id") or ""
    allowed = FakeBackend(password=PASSWORD).answer(request)
    assert isinstance(allowed, Accept)
    return Accept(allowed.authorization, f"of {name}".encode())


def test_chap_answers_the_request_authenticator() -> None:
    """RFC 2865 section 5.40."""
    with Scripted(lambda request: [accept(request)]) as server:
        Bench(replace(plan((server.port, 0), requests=1), method=Method.CHAP)).round()
    asked = Packet.parse(server.heard[0])
    proof = asked.attributes.octets("CHAP-Password")
    assert proof is not None
    assert ChapResponse(proof[0], proof[1:], asked.authenticator).matches(PASSWORD)
    assert "User-Password" not in asked.attributes
