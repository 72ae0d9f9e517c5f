"""`pesisir plan`: what the city gives."""

import os
from typing import TYPE_CHECKING

from app.cli import windows
from app.cli.failures import nothing_to_change, usage
from app.cli.installation import now, open_installation
from app.cli.noun import example, noun
from app.cli.options import Name
from app.cli.output import Json, JsonValue, say, show_fields, show_json, show_table
from app.cli.plan_values import plan_json, shown, titles, with_values
from app.cli.previews import DryRun, Language, PreviewJson, carry_out, only_with_dry_run
from app.domain.plans import Plan, idle_throttles
from app.domain.quota_words import format_then
from app.domain.quotas import Action
from app.domain.units import format_rate

if TYPE_CHECKING:
    from app.db.engine import Database
    from app.services.plans import PlanValues

commands = noun("plan", "What the city gives: rates, amounts of data, times, devices.")


@commands.command(epilog=example("pesisir plan add Warga --down 4M --up 2M --daily 500MB --devices 3"))
@with_values
def add(name: Name, values: "PlanValues") -> None:
    """Add a plan. What is not named is not limited."""
    from app.services.plans import add_plan

    if not all(values.get("quotas", {}).values()):
        usage("--quota with none takes a quota away", why="a new plan has none", hint="leave it out, or name an amount")
    with open_installation() as here:
        plan = add_plan(here.database, name, now=now(), chance=os.urandom, **values)
    _say_of(plan, "added")


@commands.command("list", epilog=example("pesisir plan list --json"))
def list_(as_json: Json = False) -> None:
    """List every plan."""
    from app.services.plans import list_plans

    with open_installation() as here:
        plans = list_plans(here.database)
    if as_json:
        show_json([_json(plan) for plan in plans])
    else:
        every = {plan.name: shown(plan) for plan in plans}
        used = [title for title in titles() if any(values[title] is not None for values in every.values())]
        show_table(("name", *used), [(name, *(values[title] for title in used)) for name, values in every.items()])


@commands.command(epilog=example("pesisir plan show Warga"))
def show(name: Name, as_json: Json = False) -> None:
    """Show one plan."""
    from app.services.plans import show_plan

    with open_installation() as here:
        plan = show_plan(here.database, name)
    if as_json:
        show_json(_json(plan))
    else:
        show_fields({"name": plan.name, "id": plan.id, **shown(plan), **windows.lines(plan.windows)})


@commands.command(
    "set",
    epilog=example("pesisir plan set Warga --daily 750MB --devices none", "pesisir plan set Warga --down 2M --dry-run"),
)
@with_values
def set_(
    name: Name, values: "PlanValues", dry_run: DryRun = False, language: Language = None, as_json: PreviewJson = False
) -> None:
    """Change a plan. What is not named stays as it is; `none` takes a limit away."""
    from app.services.plans import set_plan, show_plan
    from app.services.previews import Of

    only_with_dry_run(dry_run, language, as_json=as_json)
    if not values:
        nothing_to_change("plan set")

    def change(database: "Database") -> None:
        set_plan(database, name, now=now(), chance=os.urandom, **values)

    with open_installation() as here:
        if not carry_out(here, change, Of.PLAN, name, dry_run=dry_run, language=language, as_json=as_json):
            return
        plan = show_plan(here.database, name)
    _say_of(plan, "changed")


def _json(plan: Plan) -> dict[str, JsonValue]:
    return plan_json(plan) | {"windows": [windows.window_json(window) for window in plan.windows]}


def _say_of(plan: Plan, done: str) -> None:
    say(f"{done} plan {plan.name}: {_summary(plan)}")
    _say_what_is_missing(plan)
    for idle in idle_throttles(plan):
        rate, throttle = format_rate(idle.rate_bps), format_then(idle.then)
        say(f"once a quota is used up, {idle.way} stays at {rate}: the throttle {throttle} is not below it")


def _say_what_is_missing(plan: Plan) -> None:
    gardens = plan.used_up.action is Action.GARDEN or any(
        quota.then is not None and quota.then.action is Action.GARDEN for quota in plan.quotas
    )
    if gardens and plan.garden is None:
        say("without a filter of the public services a quota that is used up cuts: name it with --garden")


def _summary(plan: Plan) -> str:
    return ", ".join(f"{name} {value}" for name, value in shown(plan).items() if value is not None)
