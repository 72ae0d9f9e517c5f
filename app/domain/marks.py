"""What had been used at moments, and the first and last of them in each part of a local day.

A day has one part, unless it is cut at some minutes: where hours begin and end that are free of charge. Of each part
the first and the last report are kept: what lies on either side of a cut is known from the reports nearest to it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.local_time import local_day

Cuts = tuple[int, ...]
"""Minutes of the local day, in order, at which days are cut beside midnight."""


class Mark(NamedTuple):
    """What had been used at one moment."""

    at: datetime
    up_octets: int
    down_octets: int


class DayMarks(NamedTuple):
    """The first and the last report of one part of a local day; `begins` is the minute from which on it is."""

    day: date
    first: Mark
    last: Mark
    begins: int = 0

    @property
    def place(self) -> tuple[date, int]:
        """Return the part of the day."""
        return self.day, self.begins


def part_of(at: datetime, zone: ZoneInfo, cuts: Cuts) -> tuple[date, int]:
    """Return the part of a local day that a moment lies in."""
    if not cuts:
        return local_day(at, zone), 0
    local = at.astimezone(zone)
    before = bisect_right(cuts, 60 * local.hour + local.minute)
    return local.date(), cuts[before - 1] if before else 0


def day_marks(marks: Iterable[Mark], zone: ZoneInfo, cuts: Cuts = ()) -> tuple[DayMarks, ...]:
    """Return the first and the last mark of each part of each local day."""
    return _joined(
        DayMarks(day, mark, mark, begins) for mark in marks for day, begins in [part_of(mark.at, zone, cuts)]
    )


def join_marks(left: tuple[DayMarks, ...], right: tuple[DayMarks, ...]) -> tuple[DayMarks, ...]:
    """Return the marks of both."""
    if left[-1].place < right[0].place:
        return left + right
    if len(left) == 1 and len(right) == 1 and left[0].place == right[0].place:
        return (_join(left[0], right[0]),)
    return _joined((*left, *right))


def _joined(some: Iterable[DayMarks]) -> tuple[DayMarks, ...]:
    parts: dict[tuple[date, int], DayMarks] = {}
    for marks in some:
        known = parts.get(marks.place)
        parts[marks.place] = marks if known is None else _join(known, marks)
    return tuple(parts[place] for place in sorted(parts))


def _join(left: DayMarks, right: DayMarks) -> DayMarks:
    return DayMarks(left.day, min(left.first, right.first), max(left.last, right.last), left.begins)
