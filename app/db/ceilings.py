"""Rate ceilings of devices in the database."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select, tuple_

from app.db.chunks import chunks
from app.db.keyed import among
from app.db.tables.overrides import ceilings
from app.db.upsert import upsert
from app.domain.ceilings import Ceiling, CeilingSource

_COLUMNS = tuple(ceilings.c[name] for name in Ceiling._fields)
_KEY = ("account_id", "mac", "source")


def read_all(connection: Connection, *, now: datetime) -> dict[str, tuple[Ceiling, ...]]:
    """Return the ceilings that have not ended, by account id."""
    return _by_account(connection, select(*_COLUMNS).where(ceilings.c.until > now))


def of_accounts(
    connection: Connection, account_ids: Collection[str], *, now: datetime
) -> dict[str, tuple[Ceiling, ...]]:
    """Return the ceilings of some accounts that have not ended, by account id."""
    query = select(*_COLUMNS).where(ceilings.c.until > now, among(connection, ceilings.c.account_id, account_ids))
    return _by_account(connection, query)


def put(connection: Connection, new: Sequence[Ceiling], *, now: datetime) -> None:
    """Store ceilings; one of the same device and source is replaced."""
    statement = upsert(connection, ceilings)
    kept = {name: statement.excluded[name] for name in Ceiling._fields if name not in _KEY}
    statement = statement.on_conflict_do_update(
        index_elements=[ceilings.c[name] for name in _KEY], set_=kept | {"created_at": statement.excluded.created_at}
    )
    rows = [one._asdict() | {"source": one.source.value, "created_at": now} for one in new]
    if rows:
        connection.execute(statement, rows)


def remove(
    connection: Connection, devices: Iterable[tuple[str, str]], *, source: CeilingSource
) -> list[tuple[str, str]]:
    """Remove one source's ceilings of (account id, MAC) pairs; return the pairs that had one."""
    removed: list[tuple[str, str]] = []
    for some in chunks(devices, 500):
        query = (
            delete(ceilings)
            .where(ceilings.c.source == source.value, tuple_(ceilings.c.account_id, ceilings.c.mac).in_(some))
            .returning(ceilings.c.account_id, ceilings.c.mac)
        )
        removed += [(row.account_id, row.mac) for row in connection.execute(query)]
    return removed


def remove_ended(connection: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """Remove the ceilings that have ended; return whose they were, as (account id, MAC)."""
    query = delete(ceilings).where(ceilings.c.until <= now).returning(ceilings.c.account_id, ceilings.c.mac)
    return [(row.account_id, row.mac) for row in connection.execute(query)]


def any_ended(connection: Connection, *, now: datetime) -> bool:
    """Tell whether a ceiling has ended and is still there."""
    return connection.scalar(select(ceilings.c.account_id).where(ceilings.c.until <= now).limit(1)) is not None


def _by_account(connection: Connection, query: Select[*tuple[Any, ...]]) -> dict[str, tuple[Ceiling, ...]]:
    found: dict[str, tuple[Ceiling, ...]] = {}
    for row in connection.execute(query):
        found[row.account_id] = (*found.get(row.account_id, ()), _ceiling(row))
    return found


def _ceiling(row: Row[*tuple[Any, ...]]) -> Ceiling:
    return Ceiling(
        row.account_id, row.mac, CeilingSource(row.source), row.down_bps, row.up_bps, row.until, row.reason, row.author
    )
