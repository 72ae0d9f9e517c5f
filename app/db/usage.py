"""Octets per account and local day."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, Select, case, func, select

from app.db.bulk import write_rows
from app.db.keyed import among
from app.db.tables import usage
from app.domain.spending import Usage
from app.domain.usage import DayUsage


def add(connection: Connection, moved: Mapping[tuple[str, date], DayUsage]) -> None:
    """Add to accounts' days (or take away, where a nearer report moved octets to another day)."""
    write_rows(
        connection,
        usage,
        ("account_id", "day", "up_octets", "down_octets"),
        [(account_id, day, used.up_octets, used.down_octets) for (account_id, day), used in sorted(moved.items())],
        "ON CONFLICT (account_id, day) DO UPDATE SET up_octets = usage.up_octets + excluded.up_octets, "
        "down_octets = usage.down_octets + excluded.down_octets",
    )


def read(connection: Connection, account_ids: Collection[str], *, today: date, since: date | None) -> dict[str, Usage]:
    """Return the usage of accounts as it stands on `today`; what is older than `since` is left out of the total."""
    octets = usage.c.up_octets + usage.c.down_octets
    query: Select[str, int, int, int] = select(
        usage.c.account_id,
        func.sum(case((usage.c.day == today, octets), else_=0)),
        func.sum(case((usage.c.day >= today.replace(day=1), octets), else_=0)),
        func.sum(octets),
    ).group_by(usage.c.account_id)
    if since is not None:
        query = query.where(usage.c.day >= since)
    rows = connection.execute(query.where(among(connection, usage.c.account_id, account_ids)))
    return {account_id: Usage(today, int(day), int(month), int(total)) for account_id, day, month, total in rows}


class PeriodUsage(NamedTuple):
    """Up and down of one account: today, this month, ever."""

    day: DayUsage
    month: DayUsage
    total: DayUsage


def of_account(connection: Connection, account_id: str, *, today: date) -> PeriodUsage:
    """Return an account's usage by direction as it stands on `today`."""
    month = today.replace(day=1)
    sums = [
        func.coalesce(func.sum(case((since, column), else_=0)), 0)
        for since in (usage.c.day == today, usage.c.day >= month, usage.c.day.is_not(None))
        for column in (usage.c.up_octets, usage.c.down_octets)
    ]
    row = connection.execute(select(*sums).where(usage.c.account_id == account_id)).one()
    up_today, down_today, up_month, down_month, up, down = (int(value) for value in row)
    return PeriodUsage(DayUsage(up_today, down_today), DayUsage(up_month, down_month), DayUsage(up, down))
