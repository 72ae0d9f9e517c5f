"""What had been used at moments, and the first and last of them on each local day."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.local_time import local_day


class Mark(NamedTuple):
    """What had been used at one moment."""

    at: datetime
    up_octets: int
    down_octets: int


class DayMarks(NamedTuple):
    """The first and the last report of one local day."""

    day: date
    first: Mark
    last: Mark


def day_marks(marks: Iterable[Mark], zone: ZoneInfo) -> tuple[DayMarks, ...]:
    """Return the first and the last mark of each local day."""
    days: dict[date, DayMarks] = {}
    for mark in marks:
        day = local_day(mark.at, zone)
        known = days.get(day)
        days[day] = (
            DayMarks(day, mark, mark) if known is None else DayMarks(day, min(known.first, mark), max(known.last, mark))
        )
    return tuple(days[day] for day in sorted(days))


def join_marks(left: tuple[DayMarks, ...], right: tuple[DayMarks, ...]) -> tuple[DayMarks, ...]:
    """Return the marks of both."""
    if left[-1].day < right[0].day:
        return left + right
    if len(left) == 1 and len(right) == 1 and left[0].day == right[0].day:
        return (DayMarks(left[0].day, min(left[0].first, right[0].first), max(left[0].last, right[0].last)),)
    days = {marks.day: marks for marks in left}
    for marks in right:
        known = days.get(marks.day, marks)
        days[marks.day] = DayMarks(marks.day, min(known.first, marks.first), max(known.last, marks.last))
    return tuple(days[day] for day in sorted(days))
