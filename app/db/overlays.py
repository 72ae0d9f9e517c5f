"""What is laid over plans, in the database: at sites, and for one person. A value is JSON under its item's name."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, union_all

from app.db import overrides, windows
from app.db.keyed import among
from app.db.plans import quota_columns, quota_of
from app.db.tables.overrides import account_overrides, quota_overrides
from app.db.tables.plans import plan_windows
from app.db.tables.sites import site_overrides, site_quotas, site_windows
from app.domain.overlays import Overlay, Override, stored, value_of
from app.domain.quotas import QuotaOverride, Tally

EVERY_PLAN = ""
_AT_SITES = (site_overrides, site_quotas, site_windows)


def read_own(connection: Connection) -> dict[str, Overlay]:
    """Return what every account has of its own, by account id; one that has nothing is left out."""
    rows = connection.execute(select(account_overrides)).all()
    return _own(rows, overrides.read_all(connection))


def own_of(connection: Connection, account_ids: Collection[str]) -> dict[str, Overlay]:
    """Return what some accounts have of their own, by account id; one that has nothing is left out."""
    query = select(account_overrides).where(among(connection, account_overrides.c.account_id, account_ids))
    return _own(connection.execute(query).all(), overrides.of_accounts(connection, account_ids))


def of_sites(connection: Connection) -> dict[str, dict[str, Overlay]]:
    """Return what sites lay over plans: by site id, then by plan id, EVERY_PLAN for what holds for all of them."""
    found: dict[tuple[str, str], list[Override]] = {}
    for row in connection.execute(select(site_overrides)):
        found.setdefault((row.site_id, row.plan_id), []).append(_override(row))
    quotas: dict[tuple[str, str], list[QuotaOverride]] = {}
    for row in connection.execute(select(site_quotas)):
        own = QuotaOverride(quota_of(row), row.reason, row.author, row.until)
        quotas.setdefault((row.site_id, row.plan_id), []).append(own)
    hours = windows.of_sites(connection)
    sites: dict[str, dict[str, Overlay]] = {}
    for place in {**found, **quotas, **hours}:
        overlay = Overlay(tuple(found.get(place, ())), tuple(quotas.get(place, ())), hours.get(place, ()))
        sites.setdefault(place[0], {})[place[1]] = overlay
    return sites


def says_otherwise(connection: Connection, site_id: str, plan_id: str) -> bool:
    """Tell whether a site lays anything over plans, or the plan has hours: else it holds as it stands."""
    at_site = [select(table.c.site_id).where(table.c.site_id == site_id) for table in _AT_SITES]
    hours = select(plan_windows.c.plan_id).where(plan_windows.c.plan_id == plan_id)
    return connection.scalar(union_all(*at_site, hours).limit(1)) is not None


def any_quota_at_a_site(connection: Connection) -> bool:
    """Tell whether any site has quotas of its own."""
    return connection.scalar(select(site_quotas.c.site_id).limit(1)) is not None


def ended(connection: Connection, since: datetime, now: datetime) -> set[str]:
    """Return the accounts for whom something of their own ended after `since` and not after `now`."""
    found: set[str] = set()
    for table in (account_overrides, quota_overrides):
        query = select(table.c.account_id).where(table.c.until > since, table.c.until <= now)
        found.update(connection.scalars(query))
    return found


def replace_own(connection: Connection, account_id: str, override: Override, *, now: datetime) -> None:
    """Set one value for a person, whatever it was."""
    _replace(connection, account_overrides, {"account_id": account_id}, override, now)


def replace_at_site(connection: Connection, site_id: str, plan_id: str, override: Override, *, now: datetime) -> None:
    """Set one value for a plan at a site, whatever it was."""
    _replace(connection, site_overrides, {"site_id": site_id, "plan_id": plan_id}, override, now)


def replace_quotas_at_site(
    connection: Connection, site_id: str, plan_id: str, given: Mapping[Tally, Iterable[QuotaOverride]], *, now: datetime
) -> int:
    """Set the quotas of some tallies for a plan at a site, whatever they were; return how many there were."""
    before = 0
    for (period, measure), some in given.items():
        query = delete(site_quotas).where(
            site_quotas.c.site_id == site_id,
            site_quotas.c.plan_id == plan_id,
            site_quotas.c.period == period.value,
            site_quotas.c.measure == measure.value,
        )
        before += connection.execute(query).rowcount
        for one in some:
            columns = {
                **quota_columns(one.quota),
                "reason": one.reason,
                "author": one.author,
                "until": one.until,
                "created_at": now,
            }
            connection.execute(insert(site_quotas).values(site_id=site_id, plan_id=plan_id, **columns))
    return before


def remove_own(connection: Connection, account_id: str, items: Collection[str] | None = None) -> int:
    """Take values of a person back, all of them if `items` is None; return how many there were."""
    return _remove(connection, account_overrides, {"account_id": account_id}, items)


def remove_at_site(connection: Connection, site_id: str, plan_id: str, items: Collection[str] | None = None) -> int:
    """Take values at a site back, all of that plan if `items` is None; return how many there were."""
    return _remove(connection, site_overrides, {"site_id": site_id, "plan_id": plan_id}, items)


def _replace(connection: Connection, table: Table, key: Mapping[str, str], override: Override, now: datetime) -> None:
    _remove(connection, table, key, [override.field])
    connection.execute(
        insert(table).values(
            **key,
            item=override.field,
            value=json.dumps(stored(override.value)),
            reason=override.reason,
            author=override.author,
            until=override.until,
            created_at=now,
        )
    )


def _remove(connection: Connection, table: Table, key: Mapping[str, str], items: Collection[str] | None) -> int:
    query = delete(table).where(*(table.c[name] == value for name, value in key.items()))
    if items is not None:
        query = query.where(table.c["item"].in_(list(items)))
    return connection.execute(query).rowcount


def _own(rows: Iterable[Row[Any]], quotas: Mapping[str, Collection[Any]]) -> dict[str, Overlay]:
    found: dict[str, list[Override]] = {account_id: [] for account_id in quotas}
    for row in rows:
        found.setdefault(row.account_id, []).append(_override(row))
    return {account_id: Overlay(tuple(some), tuple(quotas.get(account_id, ()))) for account_id, some in found.items()}


def _override(row: Row[Any]) -> Override:
    return Override(row.item, value_of(row.item, json.loads(row.value)), row.reason, row.author, row.until)
