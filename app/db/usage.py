"""What accounts have used on each local day: octets, and when they were online."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, select, text

from app.db.bulk import Row as BulkRow
from app.db.bulk import write_rows
from app.db.keyed import DATE, among, equal, key_rows
from app.db.tables.accounts import accounts
from app.db.tables.sessions import usage
from app.domain.local_time import period_begins_on
from app.domain.online import (
    FreeStretches,
    Place,
    Stretch,
    Stretches,
    never_free_there,
    seconds,
    seconds_within,
)
from app.domain.quotas import Measure, Period, Tally
from app.domain.spending import Usage, Used
from app.domain.usage import DayUsage

_BILLING_DAYS: Final = range(1, 32)
_SUMMED: Final = ("up_octets", "down_octets", "free_up_octets", "free_down_octets", "seconds", "free_seconds")
_COLUMNS: Final = ("account_id", "day", *_SUMMED, "online", "online_until")
_THEN: Final = (
    "ON CONFLICT (account_id, day) DO UPDATE SET "
    + ", ".join(f"{name} = usage.{name} + excluded.{name}" for name in _SUMMED)
    + ", online = COALESCE(excluded.online, usage.online), "
    "online_until = CASE WHEN excluded.online IS NULL THEN usage.online_until ELSE excluded.online_until END"
)
_NEVER: Final[Mapping[Place, Stretches]] = MappingProxyType({})
_AMOUNTS: Final[Mapping[Measure, ColumnElement[int]]] = {
    Measure.BOTH: usage.c.up_octets
    + usage.c.down_octets
    - usage.c.free_up_octets
    - usage.c.free_down_octets
    - usage.c.topped_octets,
    Measure.DOWN: usage.c.down_octets - usage.c.free_down_octets - usage.c.topped_down_octets,
    Measure.UP: usage.c.up_octets - usage.c.free_up_octets - usage.c.topped_up_octets,
    Measure.TIME: usage.c.seconds - usage.c.free_seconds,
}


# ---- writing


def add(
    connection: Connection,
    moved: Mapping[Place, DayUsage],
    before: Mapping[Place, Stretches | None] = _NEVER,
    after: Mapping[Place, Stretches] = _NEVER,
    free: FreeStretches = never_free_there,
) -> None:
    """Add octets to accounts' days (or take away, where a nearer report moved them), and change when they were online.

    `before` is what `online` has returned for the places of `after`; `free` tells when it was free of charge there.
    """
    rows: list[BulkRow] = []
    for place in sorted({*moved, *after}):
        used, stretches = moved.get(place, DayUsage()), after.get(place)
        octets = (used.up_octets, used.down_octets, used.free_up_octets, used.free_down_octets)
        if stretches is None:
            rows.append((*place, *octets, 0, 0, None, 0))
            continue
        earlier, gratis = before.get(place) or (), free(place)
        gained = seconds(stretches) - seconds(earlier)
        freely = seconds_within(stretches, gratis) - seconds_within(earlier, gratis)
        until = stretches[-1].until if stretches else 0
        rows.append((*place, *octets, gained, freely, _written(stretches), until))
    write_rows(connection, usage, _COLUMNS, rows, _THEN)


def online(connection: Connection, places: Collection[Place]) -> dict[Place, Stretches | None]:
    """Return when accounts were online on local days, as it is stored; None where that was never put together."""
    keys = [(account_id, day.isoformat()) for account_id, day in sorted(places)]
    if not keys:
        return {}
    condition = equal(connection, ("u.account_id", "u.day"), DATE)
    query = f"SELECT u.account_id, u.day, u.online FROM {key_rows(connection)} CROSS JOIN usage AS u WHERE {condition}"  # noqa: S608 names of ours
    rows = connection.execute(
        text(query).columns(usage.c.account_id, usage.c.day, usage.c.online), {"keys": json.dumps(keys)}
    )
    stored = {(row.account_id, row.day): _read(row.online) for row in rows}
    return {place: stored.get(place, ()) for place in places}


def _written(stretches: Stretches) -> str:
    return json.dumps([second for stretch in stretches for second in stretch], separators=(",", ":"))


def _read(online: str | None) -> Stretches | None:
    if online is None:
        return None
    numbers = iter(json.loads(online))
    return tuple(Stretch(since, until) for since, until in zip(numbers, numbers, strict=True))


# ---- reading


def read(
    connection: Connection, tallies: tuple[Tally, ...], account_ids: Collection[str] | None = None, *, today: date
) -> dict[str, Usage]:
    """Return the usage of accounts, all or some, as it stands on `today`; who has used nothing is left out.

    What was free of charge, and what top-ups have paid for, does not count. No older day is read than a tally asks for.
    """
    if not tallies:
        return {}
    timed = any(tally.measure is Measure.TIME for tally in tallies)
    until = func.max(usage.c.online_until) if timed else func.min(0)
    query = select(usage.c.account_id, until, *(_sum(tally, today) for tally in tallies)).group_by(usage.c.account_id)
    if any(tally.period is Period.BILLING for tally in tallies):
        query = query.join(accounts, accounts.c.id == usage.c.account_id)
    since = _since(tallies, today)
    if since is not None:
        query = query.where(usage.c.day >= since)
    if account_ids is not None:
        query = query.where(among(connection, usage.c.account_id, account_ids))
    return {
        account_id: Usage(today, tallies, tuple(int(count) for count in counts), int(until))
        for account_id, until, *counts in connection.execute(query.execution_options(yield_per=2000))
    }


class Counted(NamedTuple):
    """What was used in a period, and how many of the octets count for no quota: free of charge, or topped up."""

    used: Used
    uncounted_octets: int


def of_account(
    connection: Connection, account_id: str, billing_day: int, periods: Iterable[Period], *, today: date
) -> dict[Period, Counted]:
    """Return what an account has used in its periods as they stand on `today`."""
    found = {}
    uncounted = usage.c.free_up_octets + usage.c.free_down_octets + usage.c.topped_octets
    for period in periods:
        begin = period_begins_on(period, today, billing_day)
        columns = (usage.c.up_octets, usage.c.down_octets, usage.c.seconds, uncounted)
        query = select(*(func.coalesce(func.sum(column), 0) for column in columns)).where(
            usage.c.account_id == account_id
        )
        if begin is not None:
            query = query.where(usage.c.day >= begin)
        up, down, seconds, free = (int(value) for value in connection.execute(query).one())
        found[period] = Counted(Used(up, down, seconds), free)
    return found


def _sum(tally: Tally, today: date) -> ColumnElement[int]:
    amount = _AMOUNTS[tally.measure]
    match tally.period:
        case Period.TOTAL:
            return func.sum(amount)
        case Period.BILLING:
            begins = {day: period_begins_on(Period.BILLING, today, day) for day in _BILLING_DAYS}
            begin: Any = case(begins, value=accounts.c.billing_day)
        case _:
            begin = period_begins_on(tally.period, today, 1)
    return func.sum(case((usage.c.day >= begin, amount), else_=0))


def _since(tallies: Iterable[Tally], today: date) -> date | None:
    """Return the first day that any of these sums begins on; None where one has no beginning."""
    begins = [
        period_begins_on(tally.period, today, day)
        for tally in tallies
        for day in (_BILLING_DAYS if tally.period is Period.BILLING else (1,))
    ]
    dated = [begin for begin in begins if begin is not None]
    return min(dated) if len(dated) == len(begins) else None
