"""Time online: stretches of whole seconds. Where those of two devices overlap, the time is counted once.

A stretch goes from a session's start to the report by which its last data had moved: what is idle at its end is not
time online. Moments are seconds since 1970, cut down to whole ones, so that every sum is exact.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.local_time import day_begins_at, local_day
from app.domain.sessions import Session

_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """Some time without a gap; `until` is the first second that is no part of it."""

    since: int
    until: int


Stretches = tuple[Stretch, ...]
"""Stretches in order, none of which touches another."""

Place = tuple[str, date]
"""An account and a local day."""

FreeStretches = Callable[[Place], Sequence[Stretch]]
"""When it was free of charge for an account on a day."""


def never_free_there(_place: Place) -> Sequence[Stretch]:
    """Say of every place that it is charged at any hour."""
    return ()


def online(session: Session) -> Stretch | None:
    """Return when a session was online; None for no whole second."""
    since, until = _second(session.started_at), _second(session.moved_at)
    return Stretch(since, until) if until > since else None


def union(stretches: Iterable[Stretch]) -> Stretches:
    """Join what overlaps or touches."""
    joined: list[Stretch] = []
    for stretch in sorted(stretches):
        if joined and stretch.since <= joined[-1].until:
            joined[-1] = Stretch(joined[-1].since, max(joined[-1].until, stretch.until))
        else:
            joined.append(stretch)
    return tuple(joined)


def seconds(stretches: Iterable[Stretch]) -> int:
    """Return how long stretches are that do not overlap."""
    return sum(until - since for since, until in stretches)


def seconds_within(stretches: Iterable[Stretch], times: Sequence[Stretch]) -> int:
    """Return how long stretches lie within times, neither of which overlap among themselves."""
    return sum(max(0, min(until, time.until) - max(since, time.since)) for since, until in stretches for time in times)


def by_day(stretch: Stretch, zone: ZoneInfo) -> Iterator[tuple[date, Stretch]]:
    """Cut a stretch at local midnights."""
    day, since = local_day(datetime.fromtimestamp(stretch.since, UTC), zone), stretch.since
    while since < stretch.until:
        midnight = _second(day_begins_at(day + _DAY, zone))
        until = min(midnight, stretch.until)
        yield day, Stretch(since, until)
        day, since = day + _DAY, until


def places_of(session: Session, zone: ZoneInfo) -> Iterator[tuple[Place, Stretch]]:
    """Yield the accounts and days on which a session was online, and when."""
    stretch = online(session)
    if stretch is not None and session.account_id is not None and not session.orphaned:
        for day, part in by_day(stretch, zone):
            yield (session.account_id, day), part


class Moved(NamedTuple):
    """What sessions have given to each account and day. `taken` are those of which something was taken away.

    A day from which nothing was taken is joined with what it had; any other has to be put together anew.
    """

    given: dict[Place, list[Stretch]]
    taken: set[Place]


def moved(pairs: Iterable[tuple[Iterable[Session], Session | None]], zone: ZoneInfo) -> Moved:
    """Compare sessions as they were with what has become of them; those that are one now stand together."""
    found = Moved({}, set())
    for before, after in pairs:
        was = [held for session in before for held in places_of(session, zone)]
        now = {} if after is None else dict(places_of(after, zone))
        for place, stretch in was:
            if place not in now or stretch.since < now[place].since or stretch.until > now[place].until:
                found.taken.add(place)
        for place, stretch in now.items():
            if (place, stretch) not in was:
                found.given.setdefault(place, []).append(stretch)
    return found


def _second(at: datetime) -> int:
    return int(at.timestamp())
