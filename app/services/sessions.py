"""Sessions for people: listed, shown, added up. Field names are those of the JSON that scripts read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.db import nases, session_list
from app.db.engine import Connection, Database
from app.db.session_list import ListedSession
from app.domain.sessions import SessionState
from app.services.errors import NotFound
from app.services.usage import account_id_of


class StateFilter(StrEnum):
    """Which sessions to list."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session. `user` is the login name, else the account's id (guest, voucher); None is unmatched.

    `device` is the MAC, "" where the NAS names none; `session_time` is seconds as the NAS counts them. `addresses` is
    what it says of IPv6, by name (None: nothing).
    """

    id: str
    user: str | None
    device: str
    nas: str
    site: str | None
    acct_session_id: str
    ip: str | None
    state: SessionState
    started_at: datetime
    ended_at: datetime | None
    session_time: int
    up_octets: int
    down_octets: int
    terminate_cause: str | None
    flags: tuple[str, ...]
    addresses: dict[str, str | None]


def list_sessions(
    database: Database,
    *,
    state: StateFilter = StateFilter.OPEN,
    user: str | None = None,
    nas: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[SessionView, ...]:
    """Return sessions, the newest first; `user` is a login name or an account's id, `nas` a name; raise NotFound."""
    with database.read() as connection:
        found = session_list.read(
            connection,
            state=None if state is StateFilter.ALL else SessionState(state.value),
            account_id=None if user is None else _account_id(connection, user),
            nas_id=None if nas is None else _nas_id(connection, nas),
            limit=limit,
            offset=offset,
        )
        return tuple(_view(listed) for listed in found)


def show_session(database: Database, session_id: str) -> SessionView | None:
    """Return one session; None if there is none of that id."""
    with database.read() as connection:
        listed = session_list.by_id(connection, session_id)
        return None if listed is None else _view(listed)


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """All stored sessions together, those without a login of ours too."""

    sessions: int
    open: int
    closed: int
    up_octets: int
    down_octets: int


def session_totals(database: Database) -> SessionTotals:
    """Count and add up every stored session."""
    with database.read() as connection:
        found = session_list.totals(connection)
        return SessionTotals(
            found.sessions, found.open, found.sessions - found.open, found.up_octets, found.down_octets
        )


def _account_id(connection: Connection, user: str) -> str:
    account_id = account_id_of(connection, user)
    if account_id is None:
        raise NotFound("user", user)
    return account_id


def _nas_id(connection: Connection, name: str) -> str:
    nas = nases.by_name(connection, name)
    if nas is None:
        raise NotFound("nas", name)
    return nas.id


def _view(listed: ListedSession) -> SessionView:
    return SessionView(
        id=listed.id,
        user=listed.user,
        device=listed.mac,
        nas=listed.nas,
        site=listed.site,
        acct_session_id=listed.acct_session_id,
        ip=listed.ip,
        state=listed.state,
        started_at=listed.started_at,
        ended_at=listed.stopped_at,
        session_time=listed.session_seconds,
        up_octets=listed.up_octets,
        down_octets=listed.down_octets,
        terminate_cause=listed.stop_cause,
        flags=listed.flags,
        addresses=listed.addresses,
    )
