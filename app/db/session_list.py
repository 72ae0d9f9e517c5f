"""Sessions as people see them: with the names of user, NAS and site."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Select, case, func, select

from app.db.tables.accounts import users
from app.db.tables.nases import nases
from app.db.tables.sessions import sessions
from app.db.tables.sites import sites
from app.domain.addresses import AddressKind
from app.domain.sessions import SessionState


class ListedSession(NamedTuple):
    """One session. `user` is the login name, else the account's id (guest, voucher); None is unmatched."""

    id: str
    user: str | None
    mac: str
    nas: str
    site: str | None
    acct_session_id: str
    ip: str | None
    state: SessionState
    started_at: datetime
    stopped_at: datetime | None
    session_seconds: int
    up_octets: int
    down_octets: int
    stop_cause: str | None
    flags: tuple[str, ...]
    addresses: dict[str, str | None]  # by AddressKind


def read(
    connection: Connection,
    *,
    state: SessionState | None,
    account_id: str | None,
    nas_id: str | None,
    limit: int,
    offset: int,
) -> list[ListedSession]:
    """Return sessions, the newest first; None asks for all."""
    query = _select().order_by(sessions.c.started_at.desc(), sessions.c.id).limit(limit).offset(offset)
    if state is not None:
        query = query.where(sessions.c.state == state.value)
    if account_id is not None:
        query = query.where(sessions.c.account_id == account_id)
    if nas_id is not None:
        query = query.where(sessions.c.nas_id == nas_id)
    return list(_listed(connection, query))


def by_id(connection: Connection, session_id: str) -> ListedSession | None:
    """Return one session."""
    return next(_listed(connection, _select().where(sessions.c.id == session_id)), None)


class Totals(NamedTuple):
    """All stored sessions together."""

    sessions: int
    open: int
    up_octets: int
    down_octets: int


def totals(connection: Connection) -> Totals:
    """Count and add up every stored session, unmatched ones too."""
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((sessions.c.state == SessionState.OPEN.value, 1), else_=0)), 0),
            func.coalesce(func.sum(sessions.c.up_octets), 0),
            func.coalesce(func.sum(sessions.c.down_octets), 0),
        ).select_from(sessions)
    ).one()
    return Totals(*(int(value) for value in row))


def _select() -> Select[*tuple[object, ...]]:
    return (
        select(
            sessions.c.id,
            sessions.c.account_id,
            users.c.username,
            sessions.c.mac,
            sessions.c.nas_id,
            nases.c.name.label("nas"),
            sites.c.name.label("site"),
            sessions.c.acct_session_id,
            sessions.c.ip,
            sessions.c.state,
            sessions.c.started_at,
            sessions.c.stopped_at,
            sessions.c.session_seconds,
            sessions.c.up_octets,
            sessions.c.down_octets,
            sessions.c.stop_cause,
            sessions.c.flags,
            *(sessions.c[kind.value] for kind in AddressKind),
        )
        .select_from(sessions)
        .outerjoin(users, users.c.account_id == sessions.c.account_id)
        .outerjoin(nases, nases.c.id == sessions.c.nas_id)
        .outerjoin(sites, sites.c.id == sessions.c.site_id)
    )


def _listed(connection: Connection, query: Select[*tuple[object, ...]]) -> Iterator[ListedSession]:
    for row in connection.execute(query):
        yield ListedSession(
            row.id,
            row.username or row.account_id,
            row.mac,
            row.nas or row.nas_id,
            row.site,
            row.acct_session_id,
            row.ip,
            SessionState(row.state),
            row.started_at,
            row.stopped_at,
            row.session_seconds,
            row.up_octets,
            row.down_octets,
            row.stop_cause,
            tuple(row.flags.split(",")) if row.flags else (),
            {kind.value: getattr(row, kind.value) for kind in AddressKind},
        )
