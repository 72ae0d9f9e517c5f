"""Who is online, as a person sees it: the sessions of one account, and when they last said something."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select

from app.db.tables.journals import access_log
from app.db.tables.sessions import sessions
from app.domain.reports import Method
from app.domain.sessions import SessionState


@dataclass(frozen=True, slots=True)
class OnlineSession:
    """One session of an account; `stop_cause` is None while it is open."""

    id: str
    mac: str
    nas_id: str
    site_id: str | None
    started_at: datetime
    last_report_at: datetime
    open: bool
    stop_cause: str | None
    acceptance_id: str | None
    account_id: str | None


_COLUMNS: Final = (
    sessions.c.id,
    sessions.c.mac,
    sessions.c.nas_id,
    sessions.c.site_id,
    sessions.c.started_at,
    sessions.c.last_report_at,
    sessions.c.state,
    sessions.c.stop_cause,
    sessions.c.acceptance_id,
    sessions.c.account_id,
)
_NEWEST_FIRST: Final = (sessions.c.started_at.desc(), sessions.c.id)


def devices_of(connection: Connection, account_id: str) -> set[str]:
    """Return the MACs that have an open session of this account."""
    query = select(sessions.c.mac).where(
        sessions.c.account_id == account_id, sessions.c.state == SessionState.OPEN.value
    )
    return set(connection.scalars(query.distinct()))


def sessions_of(connection: Connection, account_id: str, *, since: datetime) -> list[OnlineSession]:
    """Return an account's sessions that are open or began after `since`, the newest first."""
    query = (
        select(*_COLUMNS)
        .where(sessions.c.account_id == account_id)
        .where(or_(sessions.c.state == SessionState.OPEN.value, sessions.c.started_at >= since))
        .order_by(*_NEWEST_FIRST)
    )
    return [_session(row) for row in connection.execute(query)]


def open_of_acceptance(
    connection: Connection, nas_id: str, account_id: str, acceptance_id: str
) -> OnlineSession | None:
    """Return the open session of an Accept of ours at the NAS that got it; None if there is none."""
    return _open(connection, nas_id, sessions.c.account_id == account_id, sessions.c.acceptance_id == acceptance_id)


def open_of_device(connection: Connection, nas_id: str, mac: str, acct_session_id: str) -> OnlineSession | None:
    """Return the open session of a device at a NAS that calls it by this Acct-Session-Id; None if there is none."""
    return _open(connection, nas_id, sessions.c.mac == mac, sessions.c.acct_session_id == acct_session_id)


def _open(connection: Connection, nas_id: str, *conditions: ColumnElement[bool]) -> OnlineSession | None:
    query = (
        select(*_COLUMNS)
        .where(*conditions, sessions.c.nas_id == nas_id, sessions.c.state == SessionState.OPEN.value)
        .order_by(*_NEWEST_FIRST)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _session(row)


def _session(row: Any) -> OnlineSession:
    return OnlineSession(
        id=row.id,
        mac=row.mac,
        nas_id=row.nas_id,
        site_id=row.site_id,
        started_at=row.started_at,
        last_report_at=row.last_report_at,
        open=row.state == SessionState.OPEN.value,
        stop_cause=row.stop_cause,
        acceptance_id=row.acceptance_id,
        account_id=row.account_id,
    )


def tickets_used(
    connection: Connection, account_id: str, mac: str, *, since: datetime, until: datetime
) -> list[tuple[str, str | None]]:
    """Return user name and acceptance id of the Accepts that a device got for tickets of an account."""
    query = (
        select(access_log.c.user_name, access_log.c.acceptance_id)
        .where(access_log.c.mac == mac, access_log.c.at.between(since, until), access_log.c.account_id == account_id)
        .where(access_log.c.method == Method.TICKET.value, access_log.c.outcome == "accept")
    )
    return [(row.user_name, row.acceptance_id) for row in connection.execute(query)]


def last_refusal(connection: Connection, nas_id: str, mac: str, *, since: datetime) -> str | None:
    """Return the reason of the last verdict on a device at a NAS if it was a refusal; None if there was none."""
    query = (
        select(access_log.c.outcome, access_log.c.reason)
        .where(access_log.c.mac == mac, access_log.c.at >= since, access_log.c.nas_id == nas_id)
        .where(access_log.c.method != Method.PORTAL.value)
        .order_by(access_log.c.at.desc(), access_log.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return row.reason if row is not None and row.outcome == "reject" else None
