"""Sessions that nobody speaks of any more end, as an estimate: power fails without a Stop."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from app.db import changes, feed, positions, sessions
from app.db.chunks import chunks
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.silence import SilentSession, silent_since, superseded
from app.domain import sessions as domain

_MISSED_REPORTS: Final = 3
_AT_ONCE: Final = 500  # sessions closed in one transaction


def close_stale(
    database: Database,
    *,
    now: datetime,
    receiving_since: datetime,
    silent_for: timedelta = timedelta(minutes=15),
    origin: str = "",
) -> int:
    """Close sessions without a report for three interim intervals, at least `silent_for`; return how many.

    `receiving_since` is the moment from which on we have received and merged without a break (a start, a database that
    came back, a clock that was set): silence from before it is our own. A later Stop replaces the estimate, a later
    report reopens the session.
    """
    if now - receiving_since < silent_for:
        return 0
    with database.read() as connection:
        stale = [
            silent
            for silent in silent_since(connection, now - silent_for)
            if now - max(silent.last_report_at, receiving_since) >= _patience(silent, silent_for)
        ]
    return sum(_close(database, some, now=now, origin=origin) for some in chunks(stale, _AT_ONCE))


def close_superseded(database: Database, *, now: datetime, origin: str = "") -> int:
    """Close sessions whose device has begun another one since they were last heard of; return how many.

    A phone that comes back after a power cut leaves a dead session behind. Where the older one still lives, because
    the phone roams, its next report reopens it.
    """
    with database.read() as connection:
        found = superseded(connection)
    return sum(_close(database, some, now=now, origin=origin) for some in chunks(found, _AT_ONCE))


def close_denied(database: Database, session_ids: Sequence[str], *, now: datetime, origin: str = "") -> int:
    """Close sessions of which their router says that it has none; return how many. A later report reopens them."""
    with database.read() as connection:
        found = sessions.by_ids(connection, session_ids)
    denied = [SilentSession(session.id, session.last_report_at, None) for session in found]
    return sum(_close(database, some, now=now, origin=origin) for some in chunks(denied, _AT_ONCE))


def _patience(silent: SilentSession, silent_for: timedelta) -> timedelta:
    return max(silent_for, timedelta(seconds=_MISSED_REPORTS * (silent.interim_seconds or 0)))


def _close(database: Database, stale: Sequence[SilentSession], *, now: datetime, origin: str) -> int:
    """Close those that have not been heard of meanwhile."""
    last_reports = {silent.id: silent.last_report_at for silent in stale}
    with database.write() as connection:
        positions.take_turn(connection)
        found = [s for s in sessions.by_ids(connection, last_reports) if s.last_report_at == last_reports[s.id]]
        closed = [domain.close_stale(session) for session in found if session.stop is None]
        sessions.write(connection, closed)
        changes.settle(connection, [session.id for session in closed], now=now)
        ids = [session.id for session in closed if session.account_id is not None]
        if ids:
            feed.append(connection, now=now, items={FeedKind.SESSION: ids}, origin=origin)
        return len(closed)
