"""An admin's own quotas for one person, in the database."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from app.db.keyed import among
from app.db.plans import quota_columns, quota_of
from app.db.tables.overrides import quota_overrides
from app.domain.quotas import QuotaOverride, Tally


def read_all(connection: Connection) -> dict[str, list[QuotaOverride]]:
    """Return every override by account id."""
    return _by_account(connection.execute(select(quota_overrides)))


def of_accounts(connection: Connection, account_ids: Collection[str]) -> dict[str, list[QuotaOverride]]:
    """Return the overrides of some accounts by account id."""
    query = select(quota_overrides).where(among(connection, quota_overrides.c.account_id, account_ids))
    return _by_account(connection.execute(query))


def replace(
    connection: Connection, account_id: str, tally: Tally, own: Iterable[QuotaOverride], *, now: datetime
) -> None:
    """Set the overrides of one tally, whatever they were."""
    remove(connection, account_id, tally)
    for override in own:
        connection.execute(
            insert(quota_overrides).values(
                account_id=account_id,
                **quota_columns(override.quota),
                reason=override.reason,
                author=override.author,
                until=override.until,
                created_at=now,
            )
        )


def remove(connection: Connection, account_id: str, tally: Tally | None = None) -> int:
    """Remove the override of one tally, or all of them; return how many there were."""
    query = delete(quota_overrides).where(quota_overrides.c.account_id == account_id)
    if tally is not None:
        query = query.where(
            quota_overrides.c.period == tally.period.value, quota_overrides.c.measure == tally.measure.value
        )
    return connection.execute(query).rowcount


def _by_account(rows: Iterable[Row[Any]]) -> dict[str, list[QuotaOverride]]:
    found: dict[str, list[QuotaOverride]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(_override(row))
    return found


def _override(row: Row[Any]) -> QuotaOverride:
    return QuotaOverride(quota_of(row), row.reason, row.author, row.until)
