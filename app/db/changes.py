"""The outbox of changes: written with their cause, claimed by one worker at a time, finished by the NAS's answer."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, exists, insert, or_, select, tuple_, update

from app.db.chunks import chunks
from app.db.keyed import among
from app.db.tables.changes import changes
from app.db.tables.sessions import sessions
from app.domain.ceilings import CeilingSource
from app.domain.changes import UNFINISHED, Change, ChangeKind, ChangeState, Result, Way
from app.domain.sessions import SessionState

Lane = tuple[str, str]
"""One router: NAS id and NAS scope; several may stand behind one NAS."""

_NOBODY: Final = ("", CeilingSource.GOVERNOR.value)
"""Authors that are no person: what they asked for is superseded, and forgotten."""

_UNFINISHED: Final = sorted(state.value for state in UNFINISHED)


class Due(NamedTuple):
    """A change that is due, and the router it goes to."""

    change: Change
    lane: Lane


def add(connection: Connection, *new: Change) -> None:
    """Store new changes."""
    rows = [
        {
            "id": change.id,
            "session_id": change.session_id,
            "kind": change.kind.value,
            "reason": change.reason,
            "payload": change.payload,
            "state": change.state.value,
            "due_at": change.due_at,
            "attempts": change.attempts,
            "result": change.result,
            "created_at": change.created_at,
            "author": change.author,
            "note": change.note,
        }
        for change in new
    ]
    if rows:
        connection.execute(insert(changes), rows)


def told(
    connection: Connection,
    session_ids: Iterable[str],
    *,
    kind: ChangeKind,
    reason: str,
    done_since: datetime,
    failed_since: datetime,
) -> set[str]:
    """Return which of these open sessions have had such a change, whatever came of it.

    One that was done, or failed, before these moments counts for nothing.
    """
    found: set[str] = set()
    for some in chunks(session_ids):
        state, finished_at = changes.c.state, changes.c.finished_at
        counts = or_(
            state.in_(_UNFINISHED),
            and_(state == ChangeState.DONE.value, finished_at >= done_since),
            and_(state == ChangeState.FAILED.value, finished_at >= failed_since),
        )
        query = select(changes.c.session_id).where(
            changes.c.session_id.in_(some), changes.c.kind == kind.value, changes.c.reason == reason, counts
        )
        found.update(connection.scalars(query))
    return found


def due(connection: Connection, *, now: datetime, full: Collection[Lane] = (), limit: int = 100) -> list[Due]:
    """Return what is pending and due, the earliest first, of routers that are not `full`.

    Of a session of which something is on its way already, also from another machine, there is nothing. The lane of a
    change whose session is gone is ("", "").
    """
    other = changes.alias("other")
    on_its_way = exists().where(other.c.session_id == changes.c.session_id, other.c.state == ChangeState.SENT.value)
    query = (
        select(changes, sessions.c.nas_id, sessions.c.nas_scope)
        .outerjoin_from(changes, sessions, sessions.c.id == changes.c.session_id)
        .where(changes.c.state == ChangeState.PENDING.value, changes.c.due_at <= now, ~on_its_way)
        .order_by(changes.c.due_at, changes.c.id)
        .limit(limit)
    )
    if full:
        query = query.where(tuple_(sessions.c.nas_id, sessions.c.nas_scope).not_in(sorted(full)))
    return [Due(read_row(row), (row.nas_id or "", row.nas_scope or "")) for row in connection.execute(query)]


def of_session(connection: Connection, session_id: str) -> list[Change]:
    """Return the changes of a session, the newest first."""
    query = select(changes).where(changes.c.session_id == session_id)
    return [read_row(row) for row in connection.execute(query.order_by(changes.c.created_at.desc(), changes.c.id))]


def claim(connection: Connection, change_id: str, *, retry_at: datetime) -> bool:
    """Take a pending change to send it; False if another worker has. `retry_at` is when it is lost if unanswered."""
    result = connection.execute(
        update(changes)
        .where(changes.c.id == change_id, changes.c.state == ChangeState.PENDING.value)
        .values(state=ChangeState.SENT.value, due_at=retry_at, attempts=changes.c.attempts + 1)
    )
    return result.rowcount == 1


def finish(
    connection: Connection,
    change_id: str,
    *,
    state: ChangeState,
    result: str,
    due_at: datetime,
    way: Way | None = None,
    payload: str = "",
    finished_at: datetime | None = None,
) -> bool:
    """Record what came of a sent change; PENDING is sent again from `due_at` on. False if it is not sent any more."""
    done = connection.execute(
        update(changes)
        .where(changes.c.id == change_id, changes.c.state == ChangeState.SENT.value)
        .values(
            state=state.value,
            result=result[:200],
            due_at=due_at,
            way=None if way is None else way.value,
            payload=payload,
            finished_at=finished_at,
        )
    )
    return done.rowcount == 1


def settle(connection: Connection, session_ids: Iterable[str], *, now: datetime) -> int:
    """Finish whatever sessions that are over were still to be told; return how many. The Stop may precede the ACK."""
    ended = connection.execute(
        update(changes)
        .where(among(connection, changes.c.session_id, session_ids), changes.c.state.in_(_UNFINISHED))
        .values(state=ChangeState.DONE.value, result=Result.ENDED.value, finished_at=now)
    )
    return ended.rowcount


def waits_for_report(connection: Connection, nas_id: str, mac: str) -> bool:
    """Tell whether an open session of a device at a NAS waits for its end until the NAS reports."""
    query = (
        select(changes.c.id)
        .join(sessions, sessions.c.id == changes.c.session_id)
        .where(sessions.c.mac == mac, sessions.c.nas_id == nas_id, sessions.c.state == SessionState.OPEN.value)
        .where(changes.c.kind == ChangeKind.DISCONNECT.value, changes.c.state == ChangeState.WAITING.value)
        .limit(1)
    )
    return connection.scalar(query) is not None


def supersede(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind) -> int:
    """Delete such changes of sessions that wait, or met silence, and follow from rules: a newer one says what holds."""
    deleted = connection.execute(
        delete(changes).where(
            among(connection, changes.c.session_id, session_ids),
            changes.c.kind == kind.value,
            changes.c.state.in_([ChangeState.WAITING.value, ChangeState.UNKNOWN.value]),
            changes.c.author.in_(_NOBODY),
        )
    )
    return deleted.rowcount


def unanswered_sessions(connection: Connection) -> set[str]:
    """Return the sessions of which a change met silence."""
    return set(connection.scalars(select(changes.c.session_id).where(changes.c.state == ChangeState.UNKNOWN.value)))


def revive(connection: Connection, session_ids: Iterable[str], *, now: datetime) -> int:
    """Send again what met silence, now that the sessions are heard of; return how many."""
    revived = connection.execute(
        update(changes)
        .where(among(connection, changes.c.session_id, session_ids), changes.c.state == ChangeState.UNKNOWN.value)
        .values(state=ChangeState.PENDING.value, due_at=now)
    )
    return revived.rowcount


def postpone(connection: Connection, lane: Lane, *, now: datetime) -> int:
    """Let all that is due for a router wait until its sessions are next heard of; return how much."""
    nas_id, nas_scope = lane
    of_lane = select(sessions.c.id).where(
        sessions.c.state == SessionState.OPEN.value, sessions.c.nas_scope == nas_scope, sessions.c.nas_id == nas_id
    )
    postponed = connection.execute(
        update(changes)
        .where(changes.c.state == ChangeState.PENDING.value, changes.c.due_at <= now, changes.c.session_id.in_(of_lane))
        .values(state=ChangeState.UNKNOWN.value, result=Result.SILENT.value)
    )
    return postponed.rowcount


def ask_again(
    connection: Connection,
    *,
    kind: ChangeKind,
    reasons: Collection[str],
    now: datetime,
    nas_id: str | None = None,
    failed_before: datetime | None = None,
) -> int:
    """Send again what was given up for such reasons, of open sessions that have had no later such change.

    Of one NAS, or what failed before a moment; return how many.
    """
    later = changes.alias("later")
    of_open = select(sessions.c.id).where(sessions.c.state == SessionState.OPEN.value)
    if nas_id is not None:
        of_open = of_open.where(sessions.c.nas_id == nas_id)
    statement = update(changes).where(
        changes.c.state == ChangeState.FAILED.value,
        changes.c.kind == kind.value,
        changes.c.reason.in_(reasons),
        changes.c.session_id.in_(of_open),
        ~exists().where(
            later.c.session_id == changes.c.session_id,
            later.c.kind == changes.c.kind,
            later.c.created_at > changes.c.created_at,
        ),
    )
    if failed_before is not None:
        statement = statement.where(changes.c.finished_at < failed_before)
    pending = {"state": ChangeState.PENDING.value, "due_at": now, "attempts": 0, "result": "", "finished_at": None}
    return connection.execute(statement.values(pending)).rowcount


def failed(connection: Connection, session_ids: Iterable[str], *, reason: str, since: datetime) -> set[str]:
    """Return which of these sessions could not be told of such a reason since a moment."""
    found: set[str] = set()
    for some in chunks(session_ids):
        query = select(changes.c.session_id).where(
            changes.c.session_id.in_(some),
            changes.c.reason == reason,
            changes.c.state == ChangeState.FAILED.value,
            changes.c.finished_at >= since,
        )
        found.update(connection.scalars(query))
    return found


class Asked(NamedTuple):
    """When something was last queued for a session, and what came of it."""

    at: datetime
    state: ChangeState


def last_asked(connection: Connection, session_ids: Iterable[str], *, reason: str) -> dict[str, Asked]:
    """Return by session id when each was last to be told for a reason; who never was is left out."""
    found: dict[str, Asked] = {}
    for some in chunks(session_ids):
        query = (
            select(changes.c.session_id, changes.c.created_at, changes.c.state)
            .where(changes.c.session_id.in_(some), changes.c.reason == reason)
            .order_by(changes.c.created_at, changes.c.id)
        )
        rows = connection.execute(query)
        found |= {row.session_id: Asked(row.created_at, ChangeState(row.state)) for row in rows}  # the last one stays
    return found


def cut(connection: Connection, session_ids: Iterable[str], *, since: datetime) -> set[str]:
    """Return which of these sessions, which are over, ended because we asked for it, as far as that is known."""
    asked = or_(
        changes.c.way.in_([Way.DISCONNECT.value, Way.RESUME.value]),
        and_(changes.c.result == Result.ENDED.value, changes.c.attempts > 0),  # the Stop came before the answer
    )
    query = select(changes.c.session_id).where(
        among(connection, changes.c.session_id, session_ids), asked, changes.c.finished_at >= since
    )
    return set(connection.scalars(query))


def told_limits(connection: Connection, session_ids: Iterable[str]) -> dict[str, str]:
    """Return what sessions are held to by the last change that each took, as JSON; who took none is left out."""
    query = (
        select(changes.c.session_id, changes.c.payload)
        .where(changes.c.state == ChangeState.DONE.value, changes.c.payload != "")
        .order_by(changes.c.finished_at, changes.c.id.desc())
    )
    found: dict[str, str] = {}
    for some in chunks(session_ids):
        rows = connection.execute(query.where(changes.c.session_id.in_(some)))
        found |= {row.session_id: row.payload for row in rows}  # the last one stays
    return found


def forget(connection: Connection, *, before: datetime, limit: int = 20_000) -> int:
    """Delete up to `limit` changes that have ended before a moment, save those that a person asked for."""
    old = (
        select(changes.c.id)
        .where(changes.c.state.in_([ChangeState.DONE.value, ChangeState.FAILED.value]), changes.c.author.in_(_NOBODY))
        .where(changes.c.due_at < before, changes.c.created_at < before)
        .limit(limit)
    )
    return connection.execute(delete(changes).where(changes.c.id.in_(old))).rowcount


def requeue_lost(connection: Connection, *, now: datetime) -> int:
    """Make what was sent by a worker that died pending again; return how many."""
    result = connection.execute(
        update(changes)
        .where(changes.c.state == ChangeState.SENT.value, changes.c.due_at <= now)
        .values(state=ChangeState.PENDING.value)
    )
    return result.rowcount


def unanswered(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind) -> set[str]:
    """Return which of these sessions have such a change that is not done yet."""
    found: set[str] = set()
    for some in chunks(session_ids):
        query = select(changes.c.session_id).where(
            changes.c.session_id.in_(some),
            changes.c.kind == kind.value,
            changes.c.state.in_(_UNFINISHED),
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


def withdraw(connection: Connection, session_ids: Iterable[str], *, kind: ChangeKind, reasons: Collection[str]) -> int:
    """Take back such changes of these sessions that are not on their way; return how many."""
    number = 0
    for some in chunks(session_ids):
        query = delete(changes).where(
            changes.c.session_id.in_(some),
            changes.c.kind == kind.value,
            changes.c.reason.in_(reasons),
            changes.c.state.in_(sorted(UNFINISHED - {ChangeState.SENT})),
        )
        number += connection.execute(query).rowcount
    return number


def read_row(row: Row[Any]) -> Change:
    """Return the change that a row of `changes` holds."""
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
        way=None if row.way is None else Way(row.way),
        author=row.author,
        note=row.note,
        finished_at=row.finished_at,
    )
