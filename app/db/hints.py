"""What is probably wrong with a NAS, one row for each kind; nodes and the worker write it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select

from app.db.tables.nases import nas_hints
from app.db.upsert import upsert
from app.domain.hints import SHOWN_FOR, Hint, HintKind

_DETAIL: Final = 100
_KINDS: Final = frozenset(kind.value for kind in HintKind)


class Notice(NamedTuple):
    """Something was seen so many `times` more of one NAS; the newest detail holds."""

    nas_id: str
    kind: HintKind
    detail: str
    times: int


def add(connection: Connection, notices: Iterable[Notice], *, now: datetime) -> None:
    """Store what was seen, beside what was seen before."""
    statement = upsert(connection, nas_hints)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[nas_hints.c.nas_id, nas_hints.c.kind],
        set_={"detail": new.detail, "times": nas_hints.c.times + new.times, "last_at": new.last_at},
    )
    rows = [
        {
            "nas_id": notice.nas_id,
            "kind": notice.kind.value,
            "detail": notice.detail[:_DETAIL],
            "times": notice.times,
            "first_at": now,
            "last_at": now,
        }
        for notice in notices
    ]
    if rows:
        connection.execute(statement, rows)


def read_all(connection: Connection) -> dict[str, list[Hint]]:
    """Return the hints by NAS id; one that a newer release writes is not for us."""
    found: dict[str, list[Hint]] = {}
    for row in connection.execute(select(nas_hints).order_by(nas_hints.c.nas_id, nas_hints.c.kind)):
        if row.kind in _KINDS:
            hint = Hint(HintKind(row.kind), row.detail, row.times, row.first_at, row.last_at)
            found.setdefault(row.nas_id, []).append(hint)
    return found


def unaccounted(connection: Connection) -> frozenset[str]:
    """Return the ids of the NASes that do not account."""
    query = select(nas_hints.c.nas_id).where(nas_hints.c.kind == HintKind.NO_ACCOUNTING.value)
    return frozenset(connection.scalars(query))


def deaf(connection: Connection) -> frozenset[str]:
    """Return the ids of the NASes that refuse, or do not answer, what is to change while somebody is online."""
    query = select(nas_hints.c.nas_id).where(
        nas_hints.c.kind.in_([HintKind.COA_SILENT.value, HintKind.COA_REFUSED.value])
    )
    return frozenset(connection.scalars(query))


def forget(connection: Connection, nas_id: str, kind: HintKind | None = None) -> int:
    """Delete one kind of hint of a NAS, or all; return how many."""
    statement = delete(nas_hints).where(nas_hints.c.nas_id == nas_id)
    if kind is not None:
        statement = statement.where(nas_hints.c.kind == kind.value)
    return connection.execute(statement).rowcount


def prune(connection: Connection, *, now: datetime) -> int:
    """Delete what is shown no longer, of NASes that are gone too; return how many."""
    deleted = 0
    for kind, shown_for in SHOWN_FOR.items():
        over = (nas_hints.c.kind == kind.value) & (nas_hints.c.last_at < now - shown_for)
        deleted += connection.execute(delete(nas_hints).where(over)).rowcount
    return deleted
