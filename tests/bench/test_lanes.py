"""A lane: which requests may leave, and what is kept of what comes."""

import time

import pytest

from app.bench.lanes import Inbox, Lane
from app.bench.loop import Loop, Pace
from tests.bench.servers import Scripted


def lane_with(count: int, port: int) -> Lane:
    lane = Lane(("127.0.0.1", port), "127.0.0.1", room=count, octets=20 * count)
    for number in range(count):
        lane.put(bytes((1, number & 255, 0, 20)) + number.to_bytes(16), expected=2, mark=number)
    return lane


def receive(lane: Lane, count: int) -> int:
    """Take answers until so many have settled something."""
    inbox, fresh, bound = Inbox(), 0, time.monotonic() + 60
    while fresh < count:
        assert time.monotonic() < bound, "waited in vain"
        fresh += lane.receive(inbox, 0.0)
    return fresh


def test_identifier_is_not_used_again_before_it_is_answered() -> None:
    """A5.08."""
    with Scripted(lambda request: [b"\2" + request[1:]] if request[1] == 0 else []) as first_only:
        lane = lane_with(600, first_only.port)
        assert lane.send(600, 0.0) == 256
        assert lane.send(600, 0.0) == 0
        assert receive(lane, 1) == 1
        assert lane.send(600, 0.0) == 1  # number 256 has the Identifier of number 0; that of number 1 is in use
        lane.give_up(1)
        assert lane.send(600, 0.0) == 0  # its answer may still come
        lane.release(1)
        assert lane.send(600, 0.0) == 1
        lane.close()


def test_late_answer_is_not_taken_for_one_to_another_request() -> None:
    """A5.08."""
    late: list[bytes] = []

    def answer(request: bytes) -> list[bytes]:
        """Answer the first request only when the last one of the others has come."""
        if int.from_bytes(request[4:]) == 0:
            late.append(b"\2" + request[1:])
            return []
        return [b"\2" + request[1:], *(late if request[1] == 255 else [])]

    with Scripted(answer) as server:
        lane = lane_with(300, server.port)
        lane.send(1, 0.0)
        lane.give_up(0)
        lane.send(255, 0.0)
        assert receive(lane, 255) == 255
        bound = time.monotonic() + 60
        while len(answers := [one for batch in lane.batches for one in batch.answers()]) < 256:
            assert time.monotonic() < bound, "waited in vain"
            lane.receive(Inbox(), 0.0)
        assert receive(lane, lane.send(300, 0.0)) == 44
        answers = [(number, octets) for batch in lane.batches for number, octets in batch.answers()]
        lane.close()
    assert sorted(number for number, _ in answers) == list(range(300))
    assert all(octets[1:] == lane.request(number)[1:] for number, octets in answers)
    assert [number for number in range(300) if lane.was_given_up(number)] == [0]


def test_lost_request_holds_up_only_those_with_its_identifier() -> None:
    lost = 5

    def all_but_one(request: bytes) -> list[bytes]:
        first_time = server.heard.count(request) == 1
        return [] if int.from_bytes(request[4:]) == lost and first_time else [b"\2" + request[1:]]

    with Scripted(all_but_one) as server:
        lane = lane_with(600, server.port)
        loop = Loop([lane], Pace(16, resend_seconds=2.0), clock=time.monotonic)
        loop.run(None)
        lane.close()
    heard = [int.from_bytes(request[4:]) for request in server.heard]
    assert (loop.resent, loop.lost) == (1, 0)
    assert sorted(heard) == sorted([*range(600), lost])
    assert heard[-3:] == [lost, lost + 256, lost + 512]  # all others had left before the lost one was sent again


def test_identifier_of_a_lost_request_rests_for_as_long_again() -> None:
    """A5.08."""
    with Scripted(lambda request: [b"\2" + request[1:]] if int.from_bytes(request[4:]) else []) as server:
        lane = lane_with(257, server.port)
        loop = Loop([lane], Pace(256, resend_seconds=0.5, attempts=2), clock=time.monotonic)
        loop.run(None)
        lane.close()
    left = {first + place: at for at, _, first, many in lane.departures for place in range(many)}
    assert (loop.resent, loop.lost) == (1, 1)
    assert left[256] - left[0] >= 2 * 2 * 0.5


def test_late_answer_after_giving_up_is_no_answer() -> None:
    with Scripted(lambda request: [b"\2" + request[1:]]) as echo:
        lane = lane_with(2, echo.port)
        lane.send(2, 0.0)
        lane.give_up(0)
        assert receive(lane, 1) == 1
        lane.close()
    assert lane.was_given_up(0)
    assert not lane.was_given_up(1)
    assert lane.open_among(0, 2) == []


def test_answers_are_known_by_the_newest_request_with_their_identifier() -> None:
    with Scripted(lambda request: [b"\2" + request[1:]]) as echo:
        lane = lane_with(300, echo.port)
        for _ in range(2):
            receive(lane, lane.send(300, 0.0))
        answers = [(number, octets) for batch in lane.batches for number, octets in batch.answers()]
        lane.close()
    assert [number for number, _ in answers] == list(range(300))
    assert all(octets[1:] == lane.request(number)[1:] for number, octets in answers)


def test_answers_without_an_identifier_settle_nothing_and_are_kept() -> None:
    with Scripted(lambda request: [b"\2", b"\2" + request[1:]]) as terse:
        lane = lane_with(1, terse.port)
        lane.send(1, 0.0)
        assert receive(lane, 1) == 1
        kept = [answer for batch in lane.batches for answer in batch.answers()]
        lane.close()
    assert kept == [(-1, b"\2"), (0, b"\2" + lane.request(0)[1:])]


def test_open_requests_are_found() -> None:
    lane = lane_with(10, 9)
    for number in (0, 3, 9):
        lane.give_up(number)
    assert lane.open_among(0, 10) == [1, 2, 4, 5, 6, 7, 8]
    assert lane.open_among(3, 1) == []
    lane.close()


@pytest.mark.parametrize("window", [1, 16, 256])
def test_loop_keeps_its_window_full_and_never_fuller(window: int) -> None:
    waiting: list[bytes] = []
    most: list[int] = []

    def when_full(request: bytes) -> list[bytes]:
        """Answer once a whole window waits: with fewer under way, nothing would ever be answered."""
        waiting.append(request)
        most.append(len(waiting))
        answers = [b"\2" + waiting.pop(0)[1:]] if len(waiting) == window else []
        return answers if len(server.heard) < 2 * window else [b"\2" + one[1:] for one in waiting] + answers

    with Scripted(when_full) as server:
        lane = lane_with(2 * window, server.port)
        Loop([lane], Pace(window), clock=time.monotonic).run(None)
        lane.close()
    assert max(most) == window


def test_rate_counts_from_when_a_request_was_due() -> None:
    with Scripted(lambda request: [b"\2" + request[1:]]) as server:
        lane = lane_with(40, server.port)
        stretch = Loop([lane], Pace(64, rate=1000), clock=time.monotonic).run(None)
        lane.close()
    due = [at + place * step for at, step, _, many in lane.departures for place in range(many)]
    assert due == pytest.approx([stretch.began + number / 1000 for number in range(40)], abs=1e-6)


def test_follower_lane_is_awaited_to_its_last_answer() -> None:
    class Follow:
        def hear(self, lane: Lane) -> Lane | None:
            if lane is not first:
                return None
            for number, reply in lane.batches[-1].answers():
                second.put(bytes((4, second.prepared & 255)) + reply[2:], expected=5, mark=number)
            return second

    with Scripted(lambda request: [bytes((request[0] + 1,)) + request[1:]]) as server:
        first = lane_with(20, server.port)
        second = Lane(("127.0.0.1", server.port), "127.0.0.1", room=20, octets=400)
        Loop([first, second], Pace(8), clock=time.monotonic, starting=1, follow=Follow()).run(None)
        first.close()
        second.close()
    assert sorted(second.marks) == list(range(20))
    assert sum(len(batch.lengths) for batch in second.batches) == 20
