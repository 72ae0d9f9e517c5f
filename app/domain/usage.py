"""What sessions used on each local day, to the octet; usage that is charged is the difference between two states.

What was used while it was free of charge is counted like the rest, and apart from it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.local_time import day_begins_at, local_day
from app.domain.marks import Mark
from app.domain.schedules import Span
from app.domain.sessions import Session

FreeTimes = Callable[[Session], Sequence[Span]]
"""When a session was free of charge."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Octets of one local day; the free ones are among them."""

    up_octets: int = 0
    down_octets: int = 0
    free_up_octets: int = 0
    free_down_octets: int = 0

    @property
    def octets(self) -> int:
        """Return up and down together."""
        return self.up_octets + self.down_octets

    def plus(self, other: "DayUsage", sign: int = 1) -> "DayUsage":
        """Return both together, or the difference."""
        return DayUsage(
            self.up_octets + sign * other.up_octets,
            self.down_octets + sign * other.down_octets,
            self.free_up_octets + sign * other.free_up_octets,
            self.free_down_octets + sign * other.free_down_octets,
        )


_NOTHING: Final = DayUsage()


def never_free(_session: Session) -> Sequence[Span]:
    """Say of every session that it is charged at any hour."""
    return ()


def usage_by_day(session: Session, *, zone: ZoneInfo, free: Sequence[Span] = ()) -> Mapping[date, DayUsage]:
    """Cut what is charged of a session at local midnights, and at the ends of what is free.

    What was used between two reports on either side of a cut is divided evenly over the time between them; the parts
    of a session add up to what is charged of it, to the octet.
    """
    first_day, last_day = local_day(session.started_at, zone), local_day(session.last_report_at, zone)
    if first_day == last_day and not free:
        charged = session.charged
        used = DayUsage(charged.up_octets, charged.down_octets)
        return {} if used == _NOTHING else {last_day: used}
    cuts = sorted(
        {
            *(day_begins_at(day + _DAY, zone) for day in _days(first_day, last_day)),
            *(min(max(edge, session.started_at), session.last_report_at) for span in free for edge in span),
            session.last_report_at,
        }
    )
    usage: dict[date, DayUsage] = {}
    before = Mark(session.started_at, 0, 0)
    for after in _counted_at(session, cuts):
        up, down = after.up_octets - before.up_octets, after.down_octets - before.down_octets
        gratis = any(span.begins_at <= before.at and after.at <= span.ends_at for span in free)
        day = local_day(before.at, zone)
        more = DayUsage(up, down, up, down) if gratis else DayUsage(up, down)
        usage[day] = usage.get(day, _NOTHING).plus(more)
        before = after
    return {day: used for day, used in usage.items() if used != _NOTHING}


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days))


def _counted_at(session: Session, cuts: Sequence[datetime]) -> Iterable[Mark]:
    """Yield what had been used at moments in order, within the session; at the last one, all that is charged."""
    points = list(_points(session))
    at = 0
    for cut in cuts[:-1]:
        while at < len(points) - 2 and points[at + 1].at < cut:
            at += 1
        left, right = points[at], points[at + 1]
        yield Mark(cut, *_between(left, right, cut)) if right.at > left.at else Mark(cut, *right[1:])
    yield Mark(cuts[-1], session.charged.up_octets, session.charged.down_octets)


def _points(session: Session) -> Iterable[Mark]:
    """Give the known counters in time order, made monotonic: zero at the start, then each part's first and last."""
    point = Mark(session.started_at, 0, 0)
    yield point
    for marks in session.marks:
        for at, up, down in (marks.first, marks.last):
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
    before: Iterable[Session], after: Iterable[Session], *, zone: ZoneInfo, free: FreeTimes = never_free
) -> Mapping[tuple[str, date], DayUsage]:
    """Return what each account's days gain when sessions `before` become sessions `after`.

    A session that had no account yet is charged whole once it gets one. Values may be negative: a nearer report
    moves usage from one day to another.
    """
    moved: dict[tuple[str, date], DayUsage] = {}
    for sign, sessions in ((-1, before), (1, after)):
        for session in sessions:
            if session.account_id is None or session.orphaned:
                continue
            for day, used in usage_by_day(session, zone=zone, free=free(session)).items():
                place = session.account_id, day
                moved[place] = moved.get(place, _NOTHING).plus(used, sign)
    return {place: used for place, used in moved.items() if used != _NOTHING}
