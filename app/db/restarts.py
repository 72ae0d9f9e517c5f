"""Restarts of NASes, kept: a report that comes late must not reopen what a restart had ended."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from app.db.bulk import write_rows
from app.db.chunks import chunks
from app.db.tables.nases import nas_restarts
from app.domain.reports import NasRestart

Scope = tuple[str, str]
"""NAS id and NAS scope."""


def since(connection: Connection, scopes: Mapping[Scope, datetime]) -> dict[Scope, list[NasRestart]]:
    """Return the restarts of each NAS and scope at or after a moment, the earliest first."""
    found: dict[Scope, list[NasRestart]] = {}
    for some in chunks(sorted(scopes), 200):
        wanted = [
            and_(
                nas_restarts.c.nas_id == nas_id,
                nas_restarts.c.nas_scope == nas_scope,
                nas_restarts.c.at >= scopes[nas_id, nas_scope],
            )
            for nas_id, nas_scope in some
        ]
        for row in connection.execute(select(nas_restarts).where(or_(*wanted)).order_by(nas_restarts.c.at)):
            restart = NasRestart(row.nas_id, row.nas_scope, row.at, row.cause)
            found.setdefault((row.nas_id, row.nas_scope), []).append(restart)
    return found


def around(connection: Connection, restart: NasRestart) -> tuple[datetime | None, datetime | None]:
    """Return the moments of the restarts before and after one of the same NAS and scope; None where there is none."""
    same = (nas_restarts.c.nas_id == restart.nas_id) & (nas_restarts.c.nas_scope == restart.nas_scope)
    return (
        connection.scalar(select(func.max(nas_restarts.c.at)).where(same, nas_restarts.c.at < restart.at)),
        connection.scalar(select(func.min(nas_restarts.c.at)).where(same, nas_restarts.c.at > restart.at)),
    )


def add(connection: Connection, restarts: Iterable[NasRestart]) -> None:
    """Keep restarts; of two at the same moment one cause is kept, whichever comes first."""
    causes: dict[tuple[str, str, datetime], str] = {}
    for restart in restarts:
        key = (restart.nas_id, restart.nas_scope, restart.at)
        causes[key] = min(restart.cause, causes.get(key, restart.cause))
    rows: Sequence[tuple[str, str, datetime, str]] = [(*key, cause) for key, cause in causes.items()]
    write_rows(
        connection,
        nas_restarts,
        ("nas_id", "nas_scope", "at", "cause"),
        rows,
        "ON CONFLICT (nas_id, nas_scope, at) DO UPDATE SET cause = excluded.cause "
        "WHERE excluded.cause < nas_restarts.cause",
    )
