"""Many rows in one statement: executemany on SQLite; on PostgreSQL one INSERT from arrays, which costs a third."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import BigInteger, Boolean, Connection, Date, Integer, Table

from app.db.tables.columns import Moment

Value = str | int | bool | datetime | date | None
Row = tuple[Value, ...]


def write_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row], then: str) -> None:
    """Insert rows; `then` is the ON CONFLICT clause, the same on both. No two rows may meet in one conflict."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        moments = [n for n, name in enumerate(columns) if isinstance(table.c[name].type, Moment | Date)]
        connection.exec_driver_sql(_values(table, columns, then), [_as_text(row, moments) for row in rows])
        return
    connection.exec_driver_sql(
        _arrays(table, columns, then), tuple(_array(column) for column in zip(*rows, strict=True))
    )


def _array(values: Iterable[Value]) -> str:
    """Write a PostgreSQL array (manual, section 8.15.6); the driver would take three times as long over each value."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Value) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "NULL"
    return f'"{value.isoformat()}"' if isinstance(value, date) else str(value)


def moment_text(at: datetime) -> str:
    """Write a moment as SQLite holds it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _as_text(row: Row, moments: Sequence[int]) -> Row:
    values = list(row)
    for n in moments:
        value = values[n]
        values[n] = moment_text(value) if isinstance(value, datetime) else _iso(value)
    return tuple(values)


def _iso(value: Value) -> Value:
    return value.isoformat() if isinstance(value, date) else value


@lru_cache
def _values(table: Table, columns: tuple[str, ...], then: str) -> str:
    names = ", ".join(columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(columns))}) {then}"  # noqa: S608 names of ours


@lru_cache
def _arrays(table: Table, columns: tuple[str, ...], then: str) -> str:
    names = ", ".join(columns)
    values = ", ".join(f"{name}{_CASTS.get(type(table.c[name].type), '')}" for name in columns)
    arrays = ", ".join(f"%s::{_ARRAYS.get(type(table.c[name].type), 'text')}[]" for name in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM unnest({arrays}) AS t ({names}) {then}"  # noqa: S608 names of ours


_ARRAYS: Final = {BigInteger: "bigint", Integer: "bigint", Boolean: "boolean"}
_CASTS: Final = {Moment: "::timestamptz", Date: "::date", Integer: "::integer"}
