"""`pesisir plan`: what the city gives."""

import os
from typing import TYPE_CHECKING, Annotated, cast

from app.cli.installation import now, open_installation
from app.cli.noun import example, noun
from app.cli.options import Given, Name, amount, number, rate, seconds
from app.cli.output import Json, JsonValue, duration, say, show_fields, show_json, show_table
from app.domain.plans import Plan
from app.domain.quotas import Period
from app.domain.units import format_amount, format_rate

if TYPE_CHECKING:
    from app.services.plans import PlanValues

commands = noun("plan", "What the city gives: rates, amounts of data, times, devices.")

Limit = Given[int] | None
Down = Annotated[Limit, rate("--down", "Rate to the phone, in bit/s, such as 4M or 512k.")]
Up = Annotated[Limit, rate("--up", "Rate from the phone, in bit/s.")]
Daily = Annotated[Limit, amount("--daily", "Data per local day, up and down together, such as 500MB.")]
Monthly = Annotated[Limit, amount("--monthly", "Data per local month, such as 10GB.")]
Total = Annotated[Limit, amount("--total", "Data in all, such as 2GB.")]
Devices = Annotated[Limit, number("--devices", "How many devices may be online at once.", largest=1_000)]
Session = Annotated[Limit, seconds("--session", "Longest session, such as 8h; a known phone comes back by itself.")]
Idle = Annotated[Limit, seconds("--idle", "End a session after so long without data, such as 10m.")]
Interim = Annotated[Limit, seconds("--interim", "How often usage is reported, 60s or more; unset: as the site says.")]
Validity = Annotated[Limit, seconds("--validity", "How long it lasts from the first use, such as 30d.")]


@commands.command(epilog=example("pesisir plan add Warga --down 4M --up 2M --daily 500MB --devices 3"))
def add(
    name: Name,
    down: Down = None,
    up: Up = None,
    daily: Daily = None,
    monthly: Monthly = None,
    total: Total = None,
    devices: Devices = None,
    session: Session = None,
    idle: Idle = None,
    interim: Interim = None,
    validity: Validity = None,
) -> None:
    """Add a plan. What is not named is not limited."""
    from app.services.plans import add_plan

    values = _values(down, up, daily, monthly, total, devices, session, idle, interim, validity)
    with open_installation() as here:
        plan = add_plan(here.database, name, now=now(), chance=os.urandom, **values)
    say(f"added plan {plan.name}: {_summary(plan)}")


@commands.command("list", epilog=example("pesisir plan list --json"))
def list_(as_json: Json = False) -> None:
    """List every plan."""
    from app.services.plans import list_plans

    with open_installation() as here:
        plans = list_plans(here.database)
    if as_json:
        show_json([_json(plan) for plan in plans])
    else:
        show_table(("name", *_shown(None)), [(plan.name, *_shown(plan).values()) for plan in plans])


@commands.command(epilog=example("pesisir plan show Warga"))
def show(name: Name, as_json: Json = False) -> None:
    """Show one plan."""
    from app.services.plans import show_plan

    with open_installation() as here:
        plan = show_plan(here.database, name)
    show_json(_json(plan)) if as_json else show_fields({"name": plan.name, "id": plan.id, **_shown(plan)})


@commands.command("set", epilog=example("pesisir plan set Warga --daily 750MB --devices none"))
def set_(
    name: Name,
    down: Down = None,
    up: Up = None,
    daily: Daily = None,
    monthly: Monthly = None,
    total: Total = None,
    devices: Devices = None,
    session: Session = None,
    idle: Idle = None,
    interim: Interim = None,
    validity: Validity = None,
) -> None:
    """Change a plan. What is not named stays as it is; `none` takes a limit away."""
    from app.services.plans import set_plan

    values = _values(down, up, daily, monthly, total, devices, session, idle, interim, validity)
    with open_installation() as here:
        plan = set_plan(here.database, name, now=now(), **values)
    say(f"changed plan {plan.name}: {_summary(plan)}")


def _values(
    down: Limit,
    up: Limit,
    daily: Limit,
    monthly: Limit,
    total: Limit,
    devices: Limit,
    session: Limit,
    idle: Limit,
    interim: Limit,
    validity: Limit,
) -> "PlanValues":
    options = {
        "down_bps": down,
        "up_bps": up,
        "daily_octets": daily,
        "monthly_octets": monthly,
        "total_octets": total,
        "device_limit": devices,
        "session_seconds": session,
        "idle_seconds": idle,
        "interim_seconds": interim,
        "validity_seconds": validity,
    }
    given = {field: option.value for field, option in options.items() if option is not None}
    return cast("PlanValues", given)  # a TypedDict cannot be built by a comprehension; the keys are its own


def _summary(plan: Plan) -> str:
    return ", ".join(f"{name} {value}" for name, value in _shown(plan).items() if value is not None) or "no limits"


def _shown(plan: Plan | None) -> dict[str, str | None]:
    """Write a plan's limits for people; without a plan only their names are of use."""
    plan = plan or Plan("", "")
    quotas = {quota.period: format_amount(quota.octets) for quota in plan.quotas}
    return {
        "down": None if plan.down_bps is None else format_rate(plan.down_bps),
        "up": None if plan.up_bps is None else format_rate(plan.up_bps),
        "daily": quotas.get(Period.DAY),
        "monthly": quotas.get(Period.MONTH),
        "total": quotas.get(Period.TOTAL),
        "devices": None if plan.device_limit is None else str(plan.device_limit),
        "session": duration(plan.session_seconds),
        "idle": duration(plan.idle_seconds),
        "reports": duration(plan.interim_seconds),
        "validity": duration(plan.validity_seconds),
    }


def _json(plan: Plan) -> dict[str, JsonValue]:
    quotas = {quota.period: quota.octets for quota in plan.quotas}
    return {
        "id": plan.id,
        "name": plan.name,
        "down_bps": plan.down_bps,
        "up_bps": plan.up_bps,
        "daily_octets": quotas.get(Period.DAY),
        "monthly_octets": quotas.get(Period.MONTH),
        "total_octets": quotas.get(Period.TOTAL),
        "device_limit": plan.device_limit,
        "session_seconds": plan.session_seconds,
        "idle_seconds": plan.idle_seconds,
        "interim_seconds": plan.interim_seconds,
        "validity_seconds": plan.validity_seconds,
    }
