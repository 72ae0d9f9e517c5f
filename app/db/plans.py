"""Plans in the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.db.tables import plans
from app.domain.plans import Plan
from app.domain.quotas import Period, Quota
from app.domain.service_classes import ServiceClass

QUOTA_COLUMNS = {
    Period.DAY: plans.c.daily_octets,
    Period.MONTH: plans.c.monthly_octets,
    Period.TOTAL: plans.c.total_octets,
}


def read_all(connection: Connection) -> list[Plan]:
    """Return every plan by name."""
    return [_plan(row) for row in connection.execute(select(plans).order_by(plans.c.name))]


def by_id(connection: Connection) -> dict[str, Plan]:
    """Return every plan by id."""
    return {plan.id: plan for plan in read_all(connection)}


def by_name(connection: Connection, name: str) -> Plan | None:
    """Return one plan; None if there is none of that name."""
    row = connection.execute(select(plans).where(plans.c.name == name)).one_or_none()
    return None if row is None else _plan(row)


def first(connection: Connection) -> Plan | None:
    """Return the plan that was made first: what a person gets when nobody said which."""
    row = connection.execute(select(plans).order_by(plans.c.created_at, plans.c.id).limit(1)).one_or_none()
    return None if row is None else _plan(row)


def add(
    connection: Connection, plan_id: str, name: str, values: Mapping[str, int | str | None], *, now: datetime
) -> None:
    """Store a new plan; `values` are columns."""
    connection.execute(insert(plans).values(id=plan_id, name=name, created_at=now, **values))


def change(connection: Connection, plan_id: str, values: Mapping[str, int | str | None]) -> None:
    """Change columns of a plan."""
    if values:
        connection.execute(update(plans).where(plans.c.id == plan_id).values(**values))


def _plan(row: Row[Any]) -> Plan:
    values = row._mapping  # noqa: SLF001 SQLAlchemy's public name for a row as a mapping
    return Plan(
        id=values[plans.c.id],
        name=values[plans.c.name],
        down_bps=values[plans.c.down_bps],
        up_bps=values[plans.c.up_bps],
        quotas=tuple(
            Quota(period, values[column]) for period, column in QUOTA_COLUMNS.items() if values[column] is not None
        ),
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
    )
