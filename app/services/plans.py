"""What an admin does with plans: one function, one transaction each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypedDict, Unpack

from app.db import feed, plans, sessions
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance, draw_id
from app.domain.plans import PERIOD_FIELDS, Plan
from app.domain.quotas import CUT, Measure, Quota, Tally, Then, tallies_of
from app.domain.service_classes import ServiceClass
from app.domain.text import spelled
from app.services import fields
from app.services.changes import POLICY, tell
from app.services.errors import Conflict, Invalid, NotFound


class PlanValues(TypedDict, total=False):
    """A plan's limits; None is "no such limit". What is left out keeps its value.

    A new plan has no such limit, and the service class of residents. `daily_octets` and its like are quotas of both
    directions together; `quotas` are of any tally. Each tally is replaced whole by all that is said of it.
    """

    down_bps: int | None
    up_bps: int | None
    daily_octets: int | None
    weekly_octets: int | None
    monthly_octets: int | None
    billing_octets: int | None
    total_octets: int | None
    quotas: Mapping[Tally, Sequence[Quota]]
    device_limit: int | None
    session_seconds: int | None
    idle_seconds: int | None
    interim_seconds: int | None
    validity_seconds: int | None
    service_class: ServiceClass
    down_burst_bps: int | None
    up_burst_bps: int | None
    burst_seconds: int | None
    vlan: int | None
    filter_id: str | None
    address_list: str | None
    used_up: Then | None  # None: a cut
    garden: str | None


_PLAIN_QUOTAS: Final = {field: period for period, field in PERIOD_FIELDS.items()}

_BOUNDS: Final = {
    "down_bps": (1_000, 2**32 - 1),  # WISPr-Bandwidth-Max is 32 bits
    "up_bps": (1_000, 2**32 - 1),
    "device_limit": (1, 1_000),
    "session_seconds": (60, 2**31 - 1),  # Session-Timeout is 32 bits, and some routers take it as signed
    "idle_seconds": (60, 2**31 - 1),
    "interim_seconds": (60, 86_400),  # RFC 2869 section 5.16: not below 60
    "validity_seconds": (60, 100 * 366 * 86_400),
    "down_burst_bps": (1_000, 2**32 - 1),
    "up_burst_bps": (1_000, 2**32 - 1),
    "burst_seconds": (1, 3_600),
    "vlan": (1, 4_094),  # IEEE 802.1Q: 0 and 4095 are reserved
}
_WORD_LENGTH: Final = 60


def add_plan(database: Database, name: str, *, now: datetime, chance: Chance, **values: Unpack[PlanValues]) -> Plan:
    """Make a plan; raise Conflict, Invalid."""
    name = fields.label("name", name)
    columns, quotas = checked_values(values)
    with database.write() as connection:
        if plans.by_name(connection, name) is not None:
            raise Conflict("plan", name)
        plan_id = draw_id(chance)
        plans.add(connection, plan_id, name, columns, now=now)
        plans.set_quotas(connection, plan_id, quotas)
        return _announce(connection, plan_id, now=now)


def list_plans(database: Database) -> list[Plan]:
    """Return every plan by name."""
    with database.read() as connection:
        return plans.read_all(connection)


def show_plan(database: Database, name: str) -> Plan:
    """Return one plan; raise NotFound."""
    with database.read() as connection:
        return stored_plan(connection, name)


def set_plan(database: Database, name: str, *, now: datetime, chance: Chance, **values: Unpack[PlanValues]) -> Plan:
    """Change a plan for everybody who has it; their open sessions are told. Raise NotFound, Invalid.

    The version of an account stays: nodes hear of the plan, and a ticket need not wait for it.
    """
    columns, quotas = checked_values(values)
    with database.write() as connection:
        plan = stored_plan(connection, name)
        plans.change(connection, plan.id, columns)
        plans.set_quotas(connection, plan.id, quotas)
        tell(connection, sessions.open_of_plan(connection, plan.id), reason=POLICY, now=now, chance=chance)
        return _announce(connection, plan.id, now=now)


def _announce(connection: Connection, plan_id: str, *, now: datetime) -> Plan:
    """Tell the nodes of a plan and return it as it is stored; raise Invalid if its values do not go together."""
    feed.append(connection, now=now, items={FeedKind.PLAN: [plan_id]})
    plan = plans.by_id(connection)[plan_id]
    check_together(plan)
    return plan


def check_together(plan: Plan) -> None:
    """Raise Invalid if the values of a plan do not go together."""
    for way, bps, burst_bps in (
        ("down", plan.down_bps, plan.down_burst_bps),
        ("up", plan.up_bps, plan.up_burst_bps),
    ):
        if burst_bps is not None and (bps is None or burst_bps <= bps):
            raise Invalid(f"{way}_burst_bps", "is not more than the rate" if bps else "needs a rate to exceed")
    if plan.burst_seconds is not None and plan.down_burst_bps is None and plan.up_burst_bps is None:
        raise Invalid("burst_seconds", "is given without a burst")
    fields.steps(plan.quotas, dict.fromkeys(tallies_of(plan.quotas), plan.used_up))


def stored_plan(connection: Connection, name: str) -> Plan:
    """Return a plan within a transaction; raise NotFound."""
    plan = plans.by_name(connection, spelled(name))
    if plan is None:
        raise NotFound("plan", name)
    return plan


def checked_values(values: PlanValues) -> tuple[dict[str, int | str | None], dict[Tally, Sequence[Quota]]]:
    """Return the columns that change, and the quotas of each tally that changes; raise Invalid."""
    plain: dict[str, object] = {}
    quotas: dict[Tally, Sequence[Quota]] = dict(values.get("quotas", {}))
    for field, value in values.items():
        if field in _PLAIN_QUOTAS:
            period, octets = _PLAIN_QUOTAS[field], _amount(field, value)
            tally, plain_quota = Tally(period, Measure.BOTH), () if octets is None else (Quota(period, octets),)
            quotas[tally] = (*quotas.get(tally, ()), *plain_quota)
        elif field != "quotas":
            plain[field] = value
    fields.quotas(quota for some in quotas.values() for quota in some)
    return checked(plain), quotas


def checked(values: Mapping[str, object]) -> dict[str, int | str | None]:
    """Return the values as they are stored, all but the quotas; raise Invalid for one that no plan can have."""
    columns: dict[str, int | str | None] = {}
    for field, value in values.items():
        match value:
            case ServiceClass():
                columns[field] = value.value
            case Then():
                columns[field] = str(value)
            case None if field == "used_up":
                columns[field] = str(CUT)
            case str():
                columns[field] = fields.reason(field, value, limit=_WORD_LENGTH)
            case None if field == "service_class":
                raise Invalid(field, f"is one of {', '.join(ServiceClass)}")
            case _:
                columns[field] = _amount(field, value)
    return columns


def _amount(field: str, value: object) -> int | None:
    assert value is None or isinstance(value, int)
    least, greatest = _BOUNDS.get(field, (1, fields.GREATEST))
    return fields.amount(field, value, least=least, greatest=greatest)
