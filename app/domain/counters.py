"""What a router's counters say in the order in which they were read: wraps, restarts and late packets told apart.

Two numbers alone do not say why the second is smaller. So all readings of a session are put in order by the session
time that the router itself counts, and only then compared: what was merely late is no decrease any more. What is left
is a counter of 32 bits that has passed its end, a router that has begun to count anew, or a reading that contradicts
what was read before and after it. The result is a function of the set of readings, not of their order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from app.domain.marks import Mark
from app.domain.plausibility import Gain, charged, is_plausible, most_octets
from app.domain.readings import Reading

_WRAP: Final = 2**32
_UPPER_HALF: Final = 2**31


class Oddity(StrEnum):
    """What is strange about a session's counters."""

    DECREASED = "decreased"  # some reading is smaller than the one before it
    WRAPPED = "wrapped"  # a counter of 32 bits has passed its end: 2**32 was added
    RESET = "reset"  # the router has begun to count anew: both stretches were added
    IMPLAUSIBLE = "implausible"  # more than its line can have carried, or than its packets can hold


class Excess(NamedTuple):
    """Octets that were counted, and are not believed: nobody is charged for them."""

    up: int
    down: int


NO_EXCESS: Final = Excess(0, 0)


class Counting(NamedTuple):
    """Where counting stands. `head` is the last reading in order, from which a greater one can be counted on.

    It is None where the next reading decides what the last one meant: then all are looked at again.
    """

    head: Reading | None
    oddities: tuple[Oddity, ...] = ()
    excess: Excess = NO_EXCESS


class Count(NamedTuple):
    """Whole octets of a session, and where counting stands after them. Marks are what is charged of them."""

    up_octets: int
    down_octets: int
    marks: Sequence[Mark]
    counting: Counting

    def mark(self, at: datetime) -> Mark:
        """Return what is charged by then."""
        return Mark(at, self.up_octets - self.counting.excess.up, self.down_octets - self.counting.excess.down)


def nothing_counted(started_at: datetime) -> Count:
    """Return what every session begins with."""
    return Count(0, 0, (), Counting(_first_head(started_at)))


def count_on(before: Count, reading: Reading, started_at: datetime, link_bps: int | None = None) -> Count | None:
    """Count one more reading that comes after all others in every respect; None if they must be known for it."""
    head, oddities, excess = before.counting
    if head is None or not _continues(head, reading, started_at) or (reading.wide and Oddity.WRAPPED in oddities):
        return None
    if not reading.counted:
        return before._replace(counting=Counting(_past(head, reading), oddities, excess))
    gain = Gain.between(head, reading)
    seconds = reading.age(started_at) - head.age(started_at)
    if not is_plausible(gain, most_octets(seconds, link_bps)):
        return None
    counting = Counting(reading, oddities, excess)
    return Count(before.up_octets + gain.up, before.down_octets + gain.down, (), counting)


def _first_head(started_at: datetime) -> Reading:
    return Reading(0, started_at, 0, 0)


def _past(head: Reading, reading: Reading) -> Reading:
    """Return the head after a reading that changed nothing but the place in the order."""
    return head._replace(seconds=reading.seconds, at=reading.at, counted=False)


def _continues(head: Reading, reading: Reading, started_at: datetime) -> bool:
    """Tell whether a reading comes after the last one by its time, its place in the order and its octets."""
    if (head.seconds is None) is not (reading.seconds is None) or reading.at < head.at:
        return False
    age, head_age = reading.age(started_at), head.age(started_at)
    if age < head_age or (age == head_age and _place(reading, started_at) < _place(head, started_at)):
        return False
    return not reading.counted or not _falls(head, reading)


def _place(reading: Reading, started_at: datetime) -> tuple[int, bool, tuple[int, ...], datetime]:
    """Return by what readings are sorted: of one second the smaller was read first, whenever it came."""
    values = tuple(-1 if value is None else value for value in (*reading[2:], reading.seconds))
    return reading.age(started_at), not reading.counted, values, reading.at


def count(readings: Iterable[Reading], *, started_at: datetime, link_bps: int | None = None) -> Count:
    """Count all readings of one session, behind a line of so many bit/s (None: nobody knows)."""
    by_moment = sorted(set(readings), key=lambda one: (one.at, _place(one, started_at)))
    runs = _runs(by_moment, started_at)
    ordered = _least_falling(_by_age(_confirmed(runs), started_at), [(reading, False) for reading in by_moment])
    walk = _Walk(started_at, link_bps)
    walk.narrow = not any(reading.wide for reading, _ in ordered if reading.counted)
    for (reading, restarted), following in zip(ordered, _following(ordered), strict=True):
        walk.take(reading, following, restarted=restarted)
    walk.undecided = walk.undecided or len(runs) > 1
    return walk.result()


def _following(ordered: Sequence[tuple[Reading, bool]]) -> list[Reading | None]:
    """Return, for each reading, the next one that counted."""
    found: list[Reading | None] = []
    following: Reading | None = None
    for reading, _ in reversed(ordered):
        found.append(following)
        following = reading if reading.counted else following
    return found[::-1]


_Ordered = list[tuple[Reading, bool]]
"""Readings in order; True stands beside one with which the session time has begun again."""


def _least_falling(by_age: _Ordered, by_moment: _Ordered) -> _Ordered:
    """Return the order that explains the readings best: moments are worse, since a late packet may bear none."""
    return by_moment if _falls_in(by_moment) < _falls_in(by_age) else by_age


def _falls_in(ordered: _Ordered) -> int:
    counted = [reading for reading, _ in ordered if reading.counted]
    return sum(_falls(before, after) for before, after in pairwise(counted))


def _by_age(runs: "Sequence[_Run]", started_at: datetime) -> _Ordered:
    """Sort each run by session time."""
    return [
        (reading, number > 0 and place == 0)
        for number, run in enumerate(runs)
        for place, reading in enumerate(sorted(run.readings, key=lambda one: _place(one, started_at)))
    ]


@dataclass(slots=True)
class _Run:
    """Readings whose session times were counted from one moment."""

    begins_at: datetime
    readings: list[Reading]


def _runs(by_moment: Sequence[Reading], started_at: datetime) -> list[_Run]:
    """Divide readings where the router has begun its session time anew, after all that it had reported before.

    One reading alone may as well be a late packet without a moment of its own, and stays where its session time puts
    it, unless it is a Stop: of these there is none but the last.
    """
    runs: list[_Run] = []
    latest, longest = started_at, 0
    for reading in by_moment:
        age = reading.age(started_at)
        begins_at = reading.at - timedelta(seconds=age)
        if not runs or (reading.seconds and age < longest and begins_at >= latest):
            runs.append(_Run(begins_at, []))
        nearest = min(runs, key=lambda run: (abs(run.begins_at - begins_at), run.begins_at))
        nearest.readings.append(reading)
        latest, longest = max(latest, reading.at), max(longest, age)
    return runs


def _confirmed(runs: Sequence[_Run]) -> list[_Run]:
    """Return the runs that stand, each with the late packets that had seemed to begin another."""
    confirmed = list(runs[:1])
    for run in runs[1:]:
        if len(run.readings) > 1 or run.readings[0].final:
            confirmed.append(run)
        else:
            confirmed[-1].readings.extend(run.readings)
    return confirmed


def _falls(before: Reading, after: Reading) -> bool:
    return after.up < before.up or after.down < before.down


@dataclass(slots=True)
class _Walk:
    """Goes through the readings of one session in order."""

    started_at: datetime
    link_bps: int | None
    narrow: bool = False
    up: int = 0
    down: int = 0
    excess: Excess = NO_EXCESS
    begun: bool = False
    ended: bool = False  # a Stop was read: what a router says afterwards lowers and restarts nothing
    undecided: bool = False
    last: Reading = field(init=False)
    marks: list[Mark] = field(default_factory=list)
    oddities: set[Oddity] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.last = _first_head(self.started_at)

    def take(self, reading: Reading, following: Reading | None, *, restarted: bool) -> None:
        """Go on to the next reading; `following` is the one after it, `restarted`: its session time began again."""
        if reading.counted:
            self._count(reading, following, restarted=restarted)
        else:
            self.last = _past(self.last, reading)
        self.begun, self.ended = True, self.ended or reading.final
        self.marks.append(Mark(reading.at, self.up - self.excess.up, self.down - self.excess.down))

    def _count(self, reading: Reading, following: Reading | None, *, restarted: bool) -> None:
        self.undecided = False
        if self._is_late(reading, following):
            self._leave_out(reading, following, Oddity.DECREASED)
            return
        gain, oddities = self._gain(reading, restarted=restarted)
        most = self._most_octets(reading, restarted=restarted)
        if not is_plausible(gain, most):
            oddities = (*oddities, Oddity.IMPLAUSIBLE)
            self.undecided = following is None
            if following is not None and _falls(reading, following) and not _falls(self.last, following):
                self._leave_out(reading, following, Oddity.IMPLAUSIBLE)
                return
        up, down = charged(gain, most)
        self.oddities.update(oddities)
        self.up, self.down = self.up + gain.up, self.down + gain.down
        self.excess = Excess(self.excess.up + gain.up - up, self.excess.down + gain.down - down)
        self.last = reading

    def _leave_out(self, reading: Reading, following: Reading | None, oddity: Oddity) -> None:
        self.oddities.add(oddity)
        self.undecided = following is None
        self.last = _past(self.last, reading)

    def _is_late(self, reading: Reading, following: Reading | None) -> bool:
        """Tell whether a smaller reading is an old one that only its late arrival has put here.

        One that bears its session time stands where it belongs, unless the session was over. One that bears none is
        believed when another confirms that the counters have begun again.
        """
        if not _falls(self.last, reading):
            return False
        return self.ended or (reading.seconds is None and (following is None or not _falls(self.last, following)))

    def _gain(self, reading: Reading, *, restarted: bool) -> tuple["Gain", tuple[Oddity, ...]]:
        """Return what was used since the last reading, and what is strange about it."""
        gain = Gain.between(self.last, reading)
        if not _falls(self.last, reading):
            return gain, ()
        if self.narrow and not restarted and _has_wrapped(self.last, reading):
            return gain._replace(up=gain.up % _WRAP, down=gain.down % _WRAP), (Oddity.DECREASED, Oddity.WRAPPED)
        return Gain.between(_first_head(self.started_at), reading), (Oddity.DECREASED, Oddity.RESET)

    def _most_octets(self, reading: Reading, *, restarted: bool) -> int | None:
        """Return what the line can have carried since the last reading; None where nobody knows when it began."""
        if not self.begun and reading.seconds is None:
            return None
        age = reading.age(self.started_at)
        return most_octets(age if restarted else age - self.last.age(self.started_at), self.link_bps)

    def result(self) -> Count:
        """Return what was counted."""
        head = None if self.undecided else self.last
        counting = Counting(head, tuple(sorted(self.oddities)), self.excess)
        return Count(self.up, self.down, self.marks, counting)


def _has_wrapped(before: Reading, after: Reading) -> bool:
    """Tell whether counters of 32 bits have passed their end, or have begun again.

    A router that begins again begins with all its counters. So packets decide, of which no session has 2**32. Where
    there are none, one direction that has fallen alone has wrapped; two, or one beside which nothing was counted, have
    if they stood in their upper half.
    """
    if max(before.up, before.down) >= _WRAP:
        return False
    if before.up_packets or before.down_packets:
        return (after.up_packets or 0) >= (before.up_packets or 0) and (
            (after.down_packets or 0) >= (before.down_packets or 0)
        )
    fell = [one for one, other in ((before.up, after.up), (before.down, after.down)) if other < one]
    stood = [one for one, other in ((before.up, after.up), (before.down, after.down)) if other >= one]
    return any(stood) or all(one >= _UPPER_HALF for one in fell)
