"""The outbox of changes: written with their cause, claimed by one worker at a time, finished by the NAS's answer."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.db.chunks import chunks
from app.db.tables import changes
from app.domain.changes import Change, ChangeKind, ChangeState


def add(connection: Connection, change: Change) -> None:
    """Store a new change."""
    connection.execute(
        insert(changes).values(
            id=change.id,
            session_id=change.session_id,
            kind=change.kind.value,
            reason=change.reason,
            payload=change.payload,
            state=change.state.value,
            due_at=change.due_at,
            attempts=change.attempts,
            result=change.result,
            created_at=change.created_at,
        )
    )


def told(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind, reason: str) -> set[str]:
    """Return which of these sessions have had such a change, whatever came of it."""
    found: set[str] = set()
    for some in chunks(session_ids):
        query = select(changes.c.session_id).where(
            changes.c.session_id.in_(some), changes.c.kind == kind.value, changes.c.reason == reason
        )
        found.update(connection.scalars(query))
    return found


def due(connection: Connection, *, now: datetime, limit: int = 100) -> list[Change]:
    """Return what is pending and due, the earliest first."""
    query = (
        select(changes)
        .where(changes.c.state == ChangeState.PENDING.value, changes.c.due_at <= now)
        .order_by(changes.c.due_at, changes.c.id)
        .limit(limit)
    )
    return [_change(row) for row in connection.execute(query)]


def of_session(connection: Connection, session_id: str) -> list[Change]:
    """Return the changes of a session, the newest first."""
    query = select(changes).where(changes.c.session_id == session_id)
    return [_change(row) for row in connection.execute(query.order_by(changes.c.created_at.desc(), changes.c.id))]


def claim(connection: Connection, change_id: str, *, retry_at: datetime) -> bool:
    """Take a pending change to send it; False if another worker has. `retry_at` is when it is lost if unanswered."""
    result = connection.execute(
        update(changes)
        .where(changes.c.id == change_id, changes.c.state == ChangeState.PENDING.value)
        .values(state=ChangeState.SENT.value, due_at=retry_at, attempts=changes.c.attempts + 1)
    )
    return result.rowcount == 1


def finish(connection: Connection, change_id: str, *, state: ChangeState, result: str, due_at: datetime) -> bool:
    """Record what came of a sent change: done, failed, or pending again from `due_at` on; False if it was not sent."""
    done = connection.execute(
        update(changes)
        .where(changes.c.id == change_id, changes.c.state == ChangeState.SENT.value)
        .values(state=state.value, result=result[:200], due_at=due_at)
    )
    return done.rowcount == 1


def requeue_lost(connection: Connection, *, now: datetime) -> int:
    """Make what was sent by a worker that died pending again; return how many."""
    result = connection.execute(
        update(changes)
        .where(changes.c.state == ChangeState.SENT.value, changes.c.due_at <= now)
        .values(state=ChangeState.PENDING.value)
    )
    return result.rowcount


def unanswered(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind) -> set[str]:
    """Return which of these sessions have such a change that is pending, or sent and not answered."""
    found: set[str] = set()
    for some in chunks(session_ids):
        query = select(changes.c.session_id).where(
            changes.c.session_id.in_(some),
            changes.c.kind == kind.value,
            changes.c.state.in_([ChangeState.PENDING.value, ChangeState.SENT.value]),
        )
        found.update(connection.scalars(query))
    return found


def pending(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind) -> set[str]:
    """Return which of these sessions have such a change that nobody has claimed yet: it says what holds then."""
    found: set[str] = set()
    for some in chunks(session_ids):
        query = select(changes.c.session_id).where(
            changes.c.session_id.in_(some), changes.c.kind == kind.value, changes.c.state == ChangeState.PENDING.value
        )
        found.update(connection.scalars(query))
    return found


def pending_sessions(connection: Connection, session_ids: Collection[str]) -> set[str]:
    """Return which of these sessions have any change that is not answered yet."""
    found: set[str] = set()
    for kind in ChangeKind:
        found |= unanswered(connection, session_ids, kind=kind)
    return found


def withdraw(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind, reasons: Collection[str]) -> int:
    """Take back such changes of these sessions that nobody has claimed yet; return how many."""
    number = 0
    for some in chunks(session_ids):
        query = delete(changes).where(
            changes.c.session_id.in_(some),
            changes.c.kind == kind.value,
            changes.c.reason.in_(reasons),
            changes.c.state == ChangeState.PENDING.value,
        )
        number += connection.execute(query).rowcount
    return number


def _change(row: Row[Any]) -> Change:
    return Change(
        id=row.id,
        session_id=row.session_id,
        kind=ChangeKind(row.kind),
        reason=row.reason,
        state=ChangeState(row.state),
        due_at=row.due_at,
        created_at=row.created_at,
        payload=row.payload,
        attempts=row.attempts,
        result=row.result,
    )
