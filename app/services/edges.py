"""What only time changes: windows that open or end, values that end. Open sessions are told at the edge."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import meta, overlays, sessions
from app.db.chunks import chunks
from app.db.engine import Connection, Database
from app.db.rules import read_rules
from app.domain.clock import believable
from app.domain.keys import Chance
from app.domain.policies import Rules, windows_of
from app.domain.schedules import whole_stretches
from app.services.changes import HOURS, reconsider_sessions

_SEEN: Final = "edges_seen"
_FURTHEST_BACK: Final = timedelta(days=2)  # a session of before has met its router again, or its end
_AT_ONCE: Final = 500  # accounts to a transaction
_NOTED_EVERY: Final = timedelta(minutes=10)


def pass_edges(database: Database, *, zone: ZoneInfo, now: datetime, chance: Chance) -> int:
    """Ask anew about the open sessions of everybody for whom something opened or ended since the last time.

    Return how many accounts that were. A clock that was set back is followed: what lies ahead will come again.
    """
    if not believable(now):
        return 0
    with database.read() as connection:
        written = meta.read(connection, _SEEN)
        since = None if written is None else max(datetime.fromisoformat(written), now - _FURTHEST_BACK)
        concerned = None if since is None or now <= since else _concerned(connection, since, now, zone)
    for some in chunks(concerned or (), size=_AT_ONCE):
        with database.write() as connection:
            reconsider_sessions(connection, list(some), reason=HOURS, zone=zone, now=now, chance=chance)
    if since is None or concerned is not None or abs(now - since) > _NOTED_EVERY:
        with database.write() as connection:
            meta.put(connection, _SEEN, now.astimezone(UTC).isoformat())
    return len(concerned or ())


def _concerned(connection: Connection, since: datetime, now: datetime, zone: ZoneInfo) -> list[str] | None:
    """Return the accounts with open sessions whose policy changed after `since` and not after `now`.

    None: nothing has changed for anybody.
    """
    rules = read_rules(connection, zone)
    own = overlays.ended(connection, since, now)
    found, moved = set(own), bool(own)
    for plan_id in rules.plans:
        for site_id in (None, *rules.sites):
            if _moved(rules, plan_id, site_id, since, now):
                moved = True
                elsewhere = list(rules.sites) if site_id is None else []
                found.update(sessions.accounts_of_plan(connection, plan_id, site_id=site_id, not_at=elsewhere))
    return sorted(found) if moved else None


def _moved(rules: Rules, plan_id: str, site_id: str | None, since: datetime, now: datetime) -> bool:
    """Tell whether a window of a plan at a site, or a value there, began or ended after `since` and not after `now`."""
    assert rules.zone is not None
    site = rules.overlays(plan_id, site_id)
    windows = windows_of(rules.plans[plan_id], site=site, now=since)
    open_then = whole_stretches(windows, rules.calendars, since, now + timedelta.resolution, rules.zone)
    edges: list[datetime | None] = [edge for stretch in open_then for edge in stretch.span]
    for overlay in site:
        edges += [override.until for override in overlay.overrides]
        edges += [override.until for override in overlay.quotas]
    return any(since < edge <= now for edge in edges if edge is not None)
