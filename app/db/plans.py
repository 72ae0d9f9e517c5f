"""Plans in the database."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.db import windows
from app.db.tables.plans import plan_quotas, plans
from app.domain.plans import Plan
from app.domain.quotas import Measure, Period, Quota, Tally, in_order, read_then
from app.domain.schedules import Window
from app.domain.service_classes import ServiceClass


def read_all(connection: Connection) -> list[Plan]:
    """Return every plan by name."""
    quotas: dict[str, list[Quota]] = {}
    for row in connection.execute(select(plan_quotas)):
        quotas.setdefault(row.plan_id, []).append(quota_of(row))
    hours = windows.of_plans(connection)
    rows = connection.execute(select(plans).order_by(plans.c.name))
    return [_plan(row, in_order(quotas.get(row.id, ())), hours.get(row.id, ())) for row in rows]


def by_id(connection: Connection) -> dict[str, Plan]:
    """Return every plan by id."""
    return {plan.id: plan for plan in read_all(connection)}


def by_name(connection: Connection, name: str) -> Plan | None:
    """Return one plan; None if there is none of that name."""
    return next((plan for plan in read_all(connection) if plan.name == name), None)


def first(connection: Connection) -> Plan | None:
    """Return the plan that was made first: what a person gets when nobody said which."""
    plan_id = connection.scalar(select(plans.c.id).order_by(plans.c.created_at, plans.c.id).limit(1))
    return None if plan_id is None else by_id(connection)[plan_id]


def add(
    connection: Connection, plan_id: str, name: str, values: Mapping[str, int | str | None], *, now: datetime
) -> None:
    """Store a new plan; `values` are columns."""
    connection.execute(insert(plans).values(id=plan_id, name=name, created_at=now, **values))


def change(connection: Connection, plan_id: str, values: Mapping[str, int | str | None]) -> None:
    """Change columns of a plan."""
    if values:
        connection.execute(update(plans).where(plans.c.id == plan_id).values(**values))


def set_quotas(connection: Connection, plan_id: str, quotas: Mapping[Tally, Iterable[Quota]]) -> None:
    """Replace the quotas that a plan has of each tally."""
    for period, measure in quotas:
        connection.execute(
            delete(plan_quotas).where(
                plan_quotas.c.plan_id == plan_id,
                plan_quotas.c.period == period.value,
                plan_quotas.c.measure == measure.value,
            )
        )
    for quota in (quota for some in quotas.values() for quota in some):
        connection.execute(insert(plan_quotas).values(plan_id=plan_id, **quota_columns(quota)))


def _plan(row: Row[Any], quotas: tuple[Quota, ...], hours: tuple[Window, ...]) -> Plan:
    values = row._mapping  # noqa: SLF001 SQLAlchemy's public name for a row as a mapping
    return Plan(
        id=values[plans.c.id],
        name=values[plans.c.name],
        down_bps=values[plans.c.down_bps],
        up_bps=values[plans.c.up_bps],
        quotas=quotas,
        device_limit=values[plans.c.device_limit],
        session_seconds=values[plans.c.session_seconds],
        idle_seconds=values[plans.c.idle_seconds],
        interim_seconds=values[plans.c.interim_seconds],
        validity_seconds=values[plans.c.validity_seconds],
        service_class=ServiceClass(values[plans.c.service_class]),
        down_burst_bps=values[plans.c.down_burst_bps],
        up_burst_bps=values[plans.c.up_burst_bps],
        burst_seconds=values[plans.c.burst_seconds],
        vlan=values[plans.c.vlan],
        filter_id=values[plans.c.filter_id],
        address_list=values[plans.c.address_list],
        windows=hours,
        used_up=read_then(values[plans.c.used_up]),
        garden=values[plans.c.garden],
    )


def quota_columns(quota: Quota) -> dict[str, str | int | None]:
    """Return the columns of a quota, of a plan or of a person."""
    return {
        "period": quota.period.value,
        "measure": quota.measure.value,
        "amount": quota.amount,
        "used_up": None if quota.then is None else str(quota.then),
    }


def quota_of(row: Row[Any]) -> Quota:
    """Return the quota in a row, of a plan or of a person."""
    then = None if row.used_up is None else read_then(row.used_up)
    return Quota(Period(row.period), row.amount, Measure(row.measure), then)
