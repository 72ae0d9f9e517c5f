"""Every accounting packet as it came, for good: sessions and usage can be rebuilt from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

from app.db.bulk import moment_text
from app.db.tables.journals import accounting_events

_COLUMNS = "received_at, nas_id, source, session_id, outcome, packet, reading"


class Event(NamedTuple):
    """One packet. `outcome` is "merged", "restart", "set_aside", or an UnusableReason's word."""

    received_at: datetime
    nas_id: str
    source: str
    session_id: str | None
    outcome: str
    packet: bytes
    reading: str | None = None  # `readings.reading_text`, of what was merged


def add(connection: Connection, events: Sequence[Event]) -> None:
    """Append events, in order."""
    if not events:
        return
    if connection.dialect.name == "sqlite":
        statement = f"INSERT INTO accounting_events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 names of ours
        connection.exec_driver_sql(statement, [(moment_text(event[0]), *event[1:]) for event in events])
        return
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is checked out"
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY accounting_events ({_COLUMNS}) FROM STDIN") as copy:
            for event in events:
                copy.write_row(event)
    except psycopg.OperationalError as error:  # what SQLAlchemy would have made of it
        raise OperationalError("COPY accounting_events", None, error) from error


def last_of(connection: Connection, session_id: str) -> tuple[bytes, str] | None:
    """Return the last packet of a session that came, and whence; None if there is none."""
    query = (
        select(accounting_events.c.packet, accounting_events.c.source)
        .where(accounting_events.c.session_id == session_id)
        .order_by(accounting_events.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.packet, row.source)


def move(connection: Connection, absorbed: Mapping[str, str]) -> None:
    """Give the events of sessions that turned out to be parts of others to those."""
    for session_id, survivor in absorbed.items():
        connection.execute(
            update(accounting_events).where(accounting_events.c.session_id == session_id).values(session_id=survivor)
        )
