"""Plans, calendars, and what sites and accounts lay over plans."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from app.db.windows import hours_of, window_of
from app.domain.overlays import NOTHING, Overlay, Override, stored, value_of
from app.domain.plans import Plan
from app.domain.policies import Rules
from app.domain.quotas import Measure, Period, Quota, QuotaOverride, read_then
from app.domain.service_classes import ServiceClass
from app.node.stored.rows.values import Row, moment_of, text_of


def plan_row(plan: Plan) -> Row:
    """Write a plan."""
    return [
        plan.id,
        plan.name,
        plan.down_bps,
        plan.up_bps,
        [_quota_row(quota) for quota in plan.quotas],
        plan.device_limit,
        plan.session_seconds,
        plan.idle_seconds,
        plan.interim_seconds,
        plan.validity_seconds,
        plan.service_class.value,
        plan.down_burst_bps,
        plan.up_burst_bps,
        plan.burst_seconds,
        plan.vlan,
        plan.filter_id,
        plan.address_list,
        [[window.name, hours_of(window)] for window in plan.windows],
        str(plan.used_up),
        plan.garden,
    ]


def read_plan(row: Row) -> Plan:
    """Read a plan."""
    id_, name, down_bps, up_bps, quotas, devices, session, idle, interim, validity, service_class, *rest = row
    down_burst, up_burst, burst_seconds, vlan, filter_id, address_list, hours, used_up, garden = rest
    return Plan(
        id_,
        name,
        down_bps,
        up_bps,
        tuple(map(_quota, quotas)),
        devices,
        session,
        idle,
        interim,
        validity,
        ServiceClass(service_class),
        down_burst,
        up_burst,
        burst_seconds,
        vlan,
        filter_id,
        address_list,
        tuple(window_of(name, window) for name, window in hours),
        read_then(used_up),
        garden,
    )


def _quota_row(quota: Quota) -> Row:
    return [quota.period.value, quota.amount, quota.measure.value, None if quota.then is None else str(quota.then)]


def _quota(row: Row) -> Quota:
    period, amount, measure, then = row
    return Quota(Period(period), amount, Measure(measure), None if then is None else read_then(then))


def calendar_row(pair: tuple[str, Collection[date]]) -> Row:
    """Write the days of a calendar, given with its name."""
    name, days = pair
    return [name, sorted(day.toordinal() for day in days)]


def read_calendar(row: Row) -> tuple[str, frozenset[date]]:
    """Read the name of a calendar and its days."""
    name, days = row
    return name, frozenset(map(date.fromordinal, days))


def rows_of_sites(rules: Rules) -> list[Row]:
    """Write what sites lay over plans, a row for each value, window and quota."""
    return [
        [site_id, plan_id, *row]
        for site_id, over in rules.sites.items()
        for plan_id, overlay in over.items()
        for row in _overlay_rows(overlay)
    ]


def rows_of_accounts(own: Mapping[str, Overlay]) -> list[Row]:
    """Write what is laid over plans for single accounts."""
    return [[account_id, *row] for account_id, overlay in own.items() for row in _overlay_rows(overlay)]


def _overlay_rows(overlay: Overlay) -> Iterator[Row]:
    for one in overlay.overrides:
        yield ["value", one.field, stored(one.value), one.reason, one.author, text_of(one.until)]
    for window in overlay.windows:
        yield ["window", window.name, hours_of(window), "", "", None]
    for quota in overlay.quotas:
        yield ["quota", None, _quota_row(quota.quota), quota.reason, quota.author, text_of(quota.until)]


def read_overlays(rows: Iterable[Row], *, keys: int) -> dict[tuple[str, ...], Overlay]:
    """Join rows into overlays by their first columns."""
    found: dict[tuple[str, ...], Overlay] = {}
    for row in rows:
        key, (kind, field, what, reason, author, until) = tuple(row[:keys]), row[keys:]
        so_far = found.get(key, NOTHING)
        if kind == "value":
            override = Override(field, value_of(field, what), reason, author, moment_of(until))
            found[key] = replace(so_far, overrides=(*so_far.overrides, override))
        elif kind == "window":
            found[key] = replace(so_far, windows=(*so_far.windows, window_of(field, what)))
        else:
            own = QuotaOverride(_quota(what), reason, author, moment_of(until))
            found[key] = replace(so_far, quotas=(*so_far.quotas, own))
    return found
