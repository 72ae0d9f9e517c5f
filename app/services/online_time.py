"""When accounts were online, kept beside what they used: joined with what new reports tell, or put together anew."""

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.db import sessions, usage
from app.db.engine import Connection
from app.domain.local_time import day_begins_at
from app.domain.online import Moved, Place, Stretch, Stretches, places_of, union

_DAY = timedelta(days=1)


class Online(NamedTuple):
    """When accounts were online on the days on which that changes, before and after; None: it was not known."""

    before: dict[Place, Stretches | None]
    after: dict[Place, Stretches]


def online_after(connection: Connection, moved: Moved, existing: Collection[str], zone: ZoneInfo) -> Online:
    """Return what changes when sessions have moved; they must have been written, and their accounts must exist."""
    places = {place for place in (*moved.given, *moved.taken) if place[0] in existing}
    before = usage.online(connection, places)
    known = {
        place: stretches for place, stretches in before.items() if stretches is not None and place not in moved.taken
    }
    after = {place: union((*stretches, *moved.given[place])) for place, stretches in known.items()}
    after |= _put_together(connection, places - known.keys(), zone)
    return Online(before, {place: stretches for place, stretches in after.items() if stretches != before[place]})


def _put_together(connection: Connection, places: Collection[Place], zone: ZoneInfo) -> dict[Place, Stretches]:
    """Return when accounts were online on local days, by all their sessions."""
    if not places:
        return {}
    account_ids, days = {account_id for account_id, _ in places}, {day for _, day in places}
    since, until = day_begins_at(min(days), zone), day_begins_at(max(days) + _DAY, zone)
    found: dict[Place, list[Stretch]] = {place: [] for place in places}
    for session in sessions.of_accounts_between(connection, account_ids, since, until):
        for place, stretch in places_of(session, zone):
            if place in found:
                found[place].append(stretch)
    return {place: union(stretches) for place, stretches in found.items()}
