"""The hot loop: keep a window full, or a rate, and send again what stays without an answer, as a router does.

It costs a few microseconds a request, so that it hardly takes from a server on the same machine: requests were written
before, answers are only kept. What they are worth is judged afterwards (`judging`), every one of them; until then an
answer settles the request whose Identifier it carries, so a bad one costs its sender nothing but its good name.
"""

import gc
import select
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from app.bench.lanes import IDENTIFIERS, Inbox, Lane

_LONGEST_WAIT_SECONDS: Final = 0.02  # so finely it is known that the time is over, or a request to be sent again
_TELL_SECONDS: Final = 1.0
_BLOCKED_SECONDS: Final = 0.001  # what is due cannot leave: every Identifier is in use
# Where answers trickle in while many requests are under way, a tenth of a millisecond makes batches of them, for a
# quarter of the CPU. By so much an answer may be noticed late, and the request that it makes room for may leave late.
_FEW: Final = 8
_MANY: Final = 32
_LINGER_SECONDS: Final = 1e-4
_FINE_SECONDS: Final = 0.01  # epoll counts in milliseconds; nearer moments are waited for with select


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests may be without an answer, or how many leave in a second; and how patient a router is."""

    window: int
    rate: float | None = None
    resend_seconds: float = 3.0
    attempts: int = 5


class Follow(Protocol):
    """What an answer leads to."""

    def hear(self, lane: Lane) -> Lane | None:
        """Take the newest batch of a lane; return the lane on which that has put requests, if it has."""


class Stretch(NamedTuple):
    """When sending began and ended, and when the last answer had come."""

    began: float
    ended: float
    last_answer: float


# Requests that are sent again unless they have answers: until when, lane, first, how many, which attempt it was.
# A plain tuple, for the same reason as Departure.
_Wait = tuple[float, Lane, int, int, int]


class Loop:
    """One run over lanes. The first `starting` of them begin by themselves, the others when `follow` puts requests."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        pace: Pace,
        *,
        clock: Callable[[], float],
        starting: int | None = None,
        follow: Follow | None = None,
        tell: Callable[[float], None] = lambda _seconds: None,
        edge: Callable[[], None] = lambda: None,
    ) -> None:
        self.resent = 0
        self.lost = 0
        self._lanes = {lane.descriptor: lane for lane in lanes}
        self._starting = lanes if starting is None else lanes[:starting]
        self._pace = pace
        self._clock, self._follow, self._tell, self._edge = clock, follow, tell, edge
        self._waits: deque[_Wait] = deque()
        self._given_up: deque[tuple[float, Lane, int]] = deque()  # until when they keep their Identifiers
        self._outstanding = 0
        self._turn = 0
        self._due = 0.0  # with a rate: when the next request is to leave

    def run(self, seconds: float | None) -> Stretch:
        """Send for so long, or until no request is left, then wait for what is open; `edge` is called at both ends.

        Without `seconds` sending ends with the last answer.
        """
        gc.collect()
        gc.disable()
        try:
            with select.epoll() as poll:
                for descriptor in self._lanes:
                    poll.register(descriptor, select.EPOLLIN)
                return self._run(poll, seconds)
        finally:
            gc.enable()

    def _run(self, poll: select.epoll, seconds: float | None) -> Stretch:
        clock, inbox = self._clock, Inbox()
        lanes, window, follow = self._lanes, self._pace.window, self._follow
        closed = self._pace.rate is None
        self._edge()
        now = began = ended = last_answer = self._due = clock()
        until = None if seconds is None else began + seconds
        tell_at = began + _TELL_SECONDS
        sending = True
        fresh_in_turn = 0
        while True:
            if sending:
                over = until is not None and now >= until
                if over or ((not closed or self._outstanding < window) and not self._begin(now)):
                    sending = False
                    if until is not None:
                        ended = now
                        self._edge()
            elif not self._outstanding:
                break
            if self._waits and now >= self._waits[0][0]:
                self._resend(now)
            if self._given_up and now >= self._given_up[0][0]:
                self._release(now)
            if now >= tell_at:
                self._tell(now - began)
                tell_at = now + _TELL_SECONDS

            wait = _LONGEST_WAIT_SECONDS if closed or not sending else self._wait_finely(poll, now)
            if fresh_in_turn < _FEW and closed and sending and self._outstanding >= _MANY:
                select.select((), (), (), _LINGER_SECONDS)
            fresh_in_turn = 0
            for descriptor, _ in poll.poll(wait):
                lane = lanes[descriptor]
                now = clock()
                fresh = lane.receive(inbox, now)
                if not fresh:
                    continue
                last_answer = now
                fresh_in_turn += fresh
                self._outstanding -= fresh
                if follow is not None:
                    led_to = follow.hear(lane)
                    if led_to is not None:
                        self._send(led_to, IDENTIFIERS, now)
                if sending and closed:
                    room = window - self._outstanding
                    self._send(lane, min(room, fresh), now)
            now = clock()
        if until is None:
            ended = last_answer
            self._edge()
        return Stretch(began, ended, last_answer)

    def _begin(self, now: float) -> bool:
        """Send what may leave now; False once every request has left."""
        if self._pace.rate is not None:
            return self._keep_rate(now, self._pace.rate)
        room = self._pace.window - self._outstanding
        share = -(-room // len(self._starting))
        for _ in self._starting:
            room = self._pace.window - self._outstanding
            self._send(self._next_lane(), min(share, room), now)
        return any(lane.waiting for lane in self._lanes.values())

    def _keep_rate(self, now: float, rate: float) -> bool:
        """Send what is due. Latency counts from then, so a stall on either side is not hidden."""
        due = int((now - self._due) * rate) + 1 if now >= self._due else 0
        step = 1 / rate
        for _ in self._starting:
            if not due:
                break
            went = self._send(self._next_lane(), due, now, self._due, step)
            due -= went
            self._due += went * step
        return any(lane.waiting for lane in self._starting)

    def _next_lane(self) -> Lane:
        self._turn += 1
        return self._starting[self._turn % len(self._starting)]

    def _send(self, lane: Lane, most: int, now: float, due: float | None = None, step: float = 0.0) -> int:
        known = len(lane.departures)
        went = lane.send(most, now if due is None else due, step)
        if went:
            self._outstanding += went
            for _, _, first, many in lane.departures[known:]:
                self._waits.append((now + self._pace.resend_seconds, lane, first, many, 1))
        return went

    def _resend(self, now: float) -> None:
        """Send again, or give up, what has waited long enough; all wait equally long, so the oldest stand in front."""
        waits, pace = self._waits, self._pace
        while waits and waits[0][0] <= now:
            _, lane, first, many, attempt = waits.popleft()
            for number in lane.open_among(first, many):
                if attempt >= pace.attempts:
                    lane.give_up(number)
                    self._given_up.append((now + pace.resend_seconds * pace.attempts, lane, number))
                    self._outstanding -= 1
                    self.lost += 1
                else:
                    lane.resend(number)
                    self.resent += 1
                    waits.append((now + pace.resend_seconds, lane, number, 1, attempt + 1))

    def _release(self, now: float) -> None:
        """Give back the Identifiers of requests that were given up as long ago as a router would have waited."""
        while self._given_up and self._given_up[0][0] <= now:
            _, lane, number = self._given_up.popleft()
            lane.release(number)

    def _wait_finely(self, poll: select.epoll, now: float) -> float:
        """Wait for the moment at which the next request is due; return how long epoll may wait beyond."""
        wait = self._due - now if self._due > now else _BLOCKED_SECONDS
        if wait >= _FINE_SECONDS:
            return min(wait, _LONGEST_WAIT_SECONDS)
        select.select((poll,), (), (), wait)
        return 0.0
