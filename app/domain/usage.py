"""What sessions used on each local day, to the octet; usage that is charged is the difference between two states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.local_time import day_begins_at, local_day
from app.domain.marks import Mark
from app.domain.sessions import Session


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Octets of one local day."""

    up_octets: int = 0
    down_octets: int = 0

    @property
    def octets(self) -> int:
        """Return up and down together."""
        return self.up_octets + self.down_octets


_NOTHING: Final = DayUsage()


def usage_by_day(session: Session, *, zone: ZoneInfo) -> Mapping[date, DayUsage]:
    """Cut what is charged of a session at local midnights.

    What was used between two reports on either side of a midnight is divided evenly over the time between them; the
    parts of a session add up to what is charged of it, to the octet.
    """
    first_day, last_day = local_day(session.started_at, zone), local_day(session.last_report_at, zone)
    usage: dict[date, DayUsage] = {}
    up_before = down_before = 0
    if first_day < last_day:
        stretches = pairwise(_points(session))
        left, right = next(stretches)
        for day in _days(first_day, last_day):
            midnight = day_begins_at(day + timedelta(days=1), zone)
            while right.at < midnight:
                left, right = next(stretches)
            up, down = _between(left, right, midnight)
            usage[day] = DayUsage(up - up_before, down - down_before)
            up_before, down_before = up, down
    charged = session.charged
    usage[last_day] = DayUsage(charged.up_octets - up_before, charged.down_octets - down_before)
    return {day: used for day, used in usage.items() if used != _NOTHING}


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days))


def _points(session: Session) -> Iterable[Mark]:
    """Give the known counters in time order, made monotonic: zero at the start, then each day's first and last."""
    point = Mark(session.started_at, 0, 0)
    yield point
    for _day, first, last in session.marks:
        for at, up, down in (first, last):
            point = Mark(at, max(point.up_octets, up), max(point.down_octets, down))
            yield point


def _between(left: Mark, right: Mark, at: datetime) -> tuple[int, int]:
    """Return the counters at a moment between two marks, by a straight line."""
    span = (right.at - left.at) // timedelta(microseconds=1)
    part = (at - left.at) // timedelta(microseconds=1)
    return (
        left.up_octets + (right.up_octets - left.up_octets) * part // span,
        left.down_octets + (right.down_octets - left.down_octets) * part // span,
    )


def usage_moved(
    before: Iterable[Session], after: Iterable[Session], *, zone: ZoneInfo
) -> Mapping[tuple[str, date], DayUsage]:
    """Return what each account's days gain when sessions `before` become sessions `after`.

    A session that had no account yet is charged whole once it gets one. Values may be negative: a nearer report
    moves usage from one day to another.
    """
    moved: dict[tuple[str, date], tuple[int, int]] = {}
    for sign, sessions in ((-1, before), (1, after)):
        for session in sessions:
            if session.account_id is None or session.orphaned:
                continue
            for day, used in usage_by_day(session, zone=zone).items():
                up, down = moved.get((session.account_id, day), (0, 0))
                moved[session.account_id, day] = up + sign * used.up_octets, down + sign * used.down_octets
    return {key: DayUsage(*octets) for key, octets in moved.items() if octets != (0, 0)}
