"""Records that could not be merged: kept with the reason, shown by `doctor`, in nobody's way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import psycopg
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from app.db.tables.journals import set_aside

REFUSED: Final = (DataError, IntegrityError, psycopg.DataError, ValueError, OverflowError)
"""How a record fails that the database will never take; a database that is away or behind is not among them."""


def add(connection: Connection, records: Sequence[tuple[str, bytes]], *, origin: str, now: datetime) -> None:
    """Set records aside, each with its reason."""
    if records:
        rows = [{"at": now, "origin": origin, "reason": reason[:200], "record": record} for reason, record in records]
        connection.execute(insert(set_aside), rows)


def count_by_reason(connection: Connection) -> dict[str, int]:
    """Return how many records are set aside for each reason, the commonest first."""
    number = func.count()
    query = select(set_aside.c.reason, number).group_by(set_aside.c.reason).order_by(number.desc())
    return {row.reason: row[1] for row in connection.execute(query)}
