"""Changes of sessions as people see them: with the names of user and NAS."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from app.db.changes import read_row
from app.db.tables.accounts import users
from app.db.tables.changes import changes
from app.db.tables.nases import nases
from app.db.tables.sessions import sessions
from app.domain.changes import Change, ChangeState


class ListedChange(NamedTuple):
    """One change. `user` is the login name, else the account's id; None is nobody's session."""

    change: Change
    user: str | None
    device: str
    nas: str


def read(
    connection: Connection, *, states: Collection[ChangeState], nas_id: str | None, limit: int
) -> list[ListedChange]:
    """Return changes in some states, the newest first; `nas_id` None: of all NASes."""
    query = _select().where(changes.c.state.in_(sorted(state.value for state in states)))
    if nas_id is not None:
        query = query.where(sessions.c.nas_id == nas_id)
    return [_listed(row) for row in connection.execute(query.limit(limit))]


def of_session(connection: Connection, session_id: str) -> list[ListedChange]:
    """Return the changes of a session, the newest first."""
    return [_listed(row) for row in connection.execute(_select().where(changes.c.session_id == session_id))]


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(changes, sessions.c.account_id, sessions.c.mac, users.c.username, nases.c.name.label("nas"))
        .outerjoin_from(changes, sessions, sessions.c.id == changes.c.session_id)
        .outerjoin(users, users.c.account_id == sessions.c.account_id)
        .outerjoin(nases, nases.c.id == sessions.c.nas_id)
        .order_by(changes.c.created_at.desc(), changes.c.id)
    )


def _listed(row: Row[*tuple[Any, ...]]) -> ListedChange:
    return ListedChange(read_row(row), row.username or row.account_id, row.mac or "", row.nas or "")
