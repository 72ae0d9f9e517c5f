"""Windows of schedules on the command line: hours with other rates, free of charge, or closed."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app.cli.installation import now, open_installation
from app.cli.noun import example
from app.cli.options import Name
from app.cli.output import JsonValue, say
from app.cli.plan_values import with_rates, written
from app.cli.previews import DryRun, Language, PreviewJson, carry_out, only_with_dry_run
from app.domain.schedules import Window, format_clock, format_days, parse_clock, parse_days

if TYPE_CHECKING:
    from app.db.engine import Database
    from app.services.plans import PlanValues
    from app.services.previews import Of


def _read(parse: Callable[[str], Any]) -> Callable[[Any], Any]:  # Any: typer hands a default in as it is
    def read(typed: Any) -> Any:
        if not isinstance(typed, str):
            return typed
        try:
            return parse(typed)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return read


WindowName = Annotated[str, typer.Argument(metavar="WINDOW", help="What it is called, such as 'jam sekolah'.")]
Days = Annotated[
    Any,
    typer.Option(
        "--days", parser=_read(parse_days), metavar="DAYS", help="The days it begins on: mon-fri, sabtu,minggu, every."
    ),
]
From = Annotated[Any, typer.Option("--from", parser=_read(parse_clock), metavar="TIME", help="Such as 07:00.")]
To = Annotated[
    Any,
    typer.Option(
        "--to", parser=_read(parse_clock), metavar="TIME", help="Up to 24:00; before --from it is on the next day."
    ),
]
Closed = Annotated[bool, typer.Option("--closed", help="Nobody is online.")]
Free = Annotated[bool, typer.Option("--free", help="What is used counts for no quota.")]
OnlyOn = Annotated[
    str | None, typer.Option("--only-on", metavar="CALENDAR", help="Only on days that are in this calendar.")
]
NotOn = Annotated[str | None, typer.Option("--not-on", metavar="CALENDAR", help="Not on days that are in this one.")]
OfPlan = Annotated[
    str | None, typer.Option("--plan", metavar="PLAN", help="Only those with this plan; unset: everybody there.")
]


def register(plans: typer.Typer, sites: typer.Typer) -> None:
    """Add the verbs to both nouns."""
    plans.command(
        "set-window",
        epilog=example(
            "pesisir plan set-window Warga 'jam sekolah' --days mon-fri --from 07:00 --to 13:00 --closed"
            " --not-on 'Libur nasional'"
        ),
    )(of_plan)
    plans.command("remove-window", epilog=example("pesisir plan remove-window Warga 'jam sekolah'"))(remove_of_plan)
    sites.command(
        "set-window", epilog=example("pesisir site set-window Gusung malam --from 23:00 --to 05:00 --free --dry-run")
    )(of_site)
    sites.command("remove-window", epilog=example("pesisir site remove-window Gusung malam"))(remove_of_site)


@with_rates
def of_plan(
    name: Name,
    window: WindowName,
    begins: From,
    ends: To,
    values: "PlanValues",
    days: Days = "every",
    closed: Closed = False,
    free: Free = False,
    only_on: OnlyOn = None,
    not_on: NotOn = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: PreviewJson = False,
) -> None:
    """Set some hours of a plan: with other rates, free of charge, or closed. One of that name is replaced."""
    from app.services.previews import Of
    from app.services.windows import rates_of, set_plan_window

    hours = Window(window, days, begins, ends, closed, free, rates_of(values), only_on, not_on)

    def change(database: "Database", zone: ZoneInfo) -> None:
        set_plan_window(database, name, hours, zone=zone, now=now(), chance=os.urandom)

    _change_and_say(
        change, Of.PLAN, name, f"plan {name}: {line(hours)}", dry_run=dry_run, language=language, as_json=as_json
    )


def remove_of_plan(
    name: Name, window: WindowName, dry_run: DryRun = False, language: Language = None, as_json: PreviewJson = False
) -> None:
    """Remove a window of a plan."""
    from app.services.previews import Of
    from app.services.windows import remove_plan_window

    def change(database: "Database", zone: ZoneInfo) -> None:
        remove_plan_window(database, name, window, zone=zone, now=now(), chance=os.urandom)

    _change_and_say(
        change,
        Of.PLAN,
        name,
        f"removed window {window} of plan {name}",
        dry_run=dry_run,
        language=language,
        as_json=as_json,
    )


@with_rates
def of_site(
    name: Name,
    window: WindowName,
    begins: From,
    ends: To,
    values: "PlanValues",
    plan: OfPlan = None,
    days: Days = "every",
    closed: Closed = False,
    free: Free = False,
    only_on: OnlyOn = None,
    not_on: NotOn = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: PreviewJson = False,
) -> None:
    """Set some hours for those at a site, beside the windows of their plans. One of that name is replaced."""
    from app.services.previews import Of
    from app.services.windows import rates_of, set_site_window

    hours = Window(window, days, begins, ends, closed, free, rates_of(values), only_on, not_on)

    def change(database: "Database", zone: ZoneInfo) -> None:
        set_site_window(database, name, hours, plan=plan, zone=zone, now=now(), chance=os.urandom)

    _change_and_say(
        change, Of.SITE, name, f"site {name}: {line(hours)}", dry_run=dry_run, language=language, as_json=as_json
    )


def remove_of_site(
    name: Name,
    window: WindowName,
    plan: OfPlan = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: PreviewJson = False,
) -> None:
    """Remove a window at a site."""
    from app.services.previews import Of
    from app.services.windows import remove_site_window

    def change(database: "Database", zone: ZoneInfo) -> None:
        remove_site_window(database, name, window, plan=plan, zone=zone, now=now(), chance=os.urandom)

    _change_and_say(
        change,
        Of.SITE,
        name,
        f"removed window {window} at site {name}",
        dry_run=dry_run,
        language=language,
        as_json=as_json,
    )


def _change_and_say(
    change: Callable[["Database", ZoneInfo], None],
    of: "Of",
    name: str,
    said: str,
    *,
    dry_run: bool,
    language: str | None,
    as_json: bool,
) -> None:
    """Change hours and say so, or only show what that would do."""
    only_with_dry_run(dry_run, language, as_json=as_json)
    with open_installation() as here:
        made = carry_out(
            here,
            lambda database: change(database, here.zone),
            of,
            name,
            dry_run=dry_run,
            language=language,
            as_json=as_json,
        )
    if made:
        say(said)


def line(window: Window) -> str:
    """Write a window in one line."""
    what = ["closed"] if window.closed else ["free of charge"] if window.free else []
    what += [f"{title} {value}" for title, value in written(dict(window.rates)).items()]
    said = f"{window.name}: {format_days(window.days)} {format_clock(window.begins)}-{format_clock(window.ends)}"
    if window.only_on is not None:
        said += f", only on {window.only_on}"
    if window.not_on is not None:
        said += f", not on {window.not_on}"
    return f"{said}: {', '.join(what)}"


def lines(windows: Iterable[Window]) -> dict[str, str]:
    """Write windows as fields to show."""
    return {f"window {number}": line(window) for number, window in enumerate(windows, start=1)}


def lines_at_site(hours: Iterable[tuple[str | None, Window]]) -> dict[str, str]:
    """Write the windows at a site as fields to show, each with the plan that it is for, if it is for one."""
    return {
        f"window {number}": line(window) if plan is None else f"{line(window)}; plan {plan} only"
        for number, (plan, window) in enumerate(hours, start=1)
    }


def window_json(window: Window) -> dict[str, JsonValue]:
    """Write a window for scripts: days from 0, Monday; times of the city; rates that are changed, by their names."""
    return {
        "name": window.name,
        "days": list(window.days),
        "from": format_clock(window.begins),
        "to": format_clock(window.ends),
        "closed": window.closed,
        "free": window.free,
        "rates": dict(window.rates),
        "only_on": window.only_on,
        "not_on": window.not_on,
    }
