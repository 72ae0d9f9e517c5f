"""Open sessions that have not been heard of for a while."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, exists, func, select

from app.db.tables.accounts import accounts
from app.db.tables.plans import plans
from app.db.tables.sessions import sessions
from app.db.tables.sites import sites
from app.domain.sessions import SessionState


class SilentSession(NamedTuple):
    """One open session; `interim_seconds` is how often its router was asked to report (None: nobody says)."""

    id: str
    last_report_at: datetime
    interim_seconds: int | None


def silent_since(connection: Connection, moment: datetime) -> Iterator[SilentSession]:
    """Yield the open sessions whose last report is from that moment or before."""
    query = (
        select(
            sessions.c.id,
            sessions.c.last_report_at,
            func.coalesce(plans.c.interim_seconds, sites.c.interim_seconds),
        )
        .select_from(sessions)
        .outerjoin(accounts, accounts.c.id == sessions.c.account_id)
        .outerjoin(plans, plans.c.id == accounts.c.plan_id)
        .outerjoin(sites, sites.c.id == sessions.c.site_id)
        .where(sessions.c.state == SessionState.OPEN.value, sessions.c.last_report_at <= moment)
    )
    for session_id, last_report_at, interim_seconds in connection.execute(query):
        yield SilentSession(session_id, last_report_at, interim_seconds)


def superseded(connection: Connection) -> list[SilentSession]:
    """Return the open sessions whose device has begun another one, anywhere, since their last report."""
    newer = sessions.alias("newer")
    began_since = exists().where(newer.c.mac == sessions.c.mac, newer.c.started_at > sessions.c.last_report_at)
    query = select(sessions.c.id, sessions.c.last_report_at).where(
        sessions.c.state == SessionState.OPEN.value, sessions.c.mac != "", began_since
    )
    return [SilentSession(session_id, last_report_at, None) for session_id, last_report_at in connection.execute(query)]
