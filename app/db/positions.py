"""How far each worker's journal has been merged; moved in the transaction that writes the rows."""

from datetime import datetime

from sqlalchemy import Connection, select, text

from app.db.tables.journals import ingest_positions
from app.db.upsert import upsert
from app.domain.reports import Position

_LOCK = int.from_bytes(b"pesisir!", "big")


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction merges, and keep others waiting until this one ends.

    Usage is a difference between two states of a session; two transactions that start from one state would add both
    differences. On SQLite every writing transaction is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def read(connection: Connection, node: str, worker: int) -> Position | None:
    """Return how far a journal has been merged; None if nothing of it was."""
    row = connection.execute(
        select(ingest_positions).where(ingest_positions.c.node == node, ingest_positions.c.worker == worker)
    ).one_or_none()
    return None if row is None else Position(row.node, row.worker, row.segment, row.segment_id, row.offset)


def read_all(connection: Connection) -> list[Position]:
    """Return the position of every journal that was ever merged."""
    return [
        Position(row.node, row.worker, row.segment, row.segment_id, row.offset)
        for row in connection.execute(select(ingest_positions))
    ]


def write(connection: Connection, position: Position, *, now: datetime) -> None:
    """Move to a position."""
    values = {
        "segment": position.segment,
        "segment_id": position.segment_id,
        "offset": position.offset,
        "updated_at": now,
    }
    statement = upsert(connection, ingest_positions).values(node=position.node, worker=position.worker, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["node", "worker"], set_=values))
