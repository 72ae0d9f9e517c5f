"""`pesisir user override` and `pesisir site override`: values in place of a plan's, with reason, author and end."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import usage
from app.cli.installation import By, Installation, author, now, open_installation
from app.cli.noun import example
from app.cli.options import Name, read_end
from app.cli.output import Json, JsonValue, local, say, show_json, show_table
from app.cli.plan_values import fields_of, override_json, override_line, said_json, with_overridable_values
from app.cli.previews import DryRun, Language, PreviewJson, carry_out, only_with_dry_run
from app.cli.quota_options import (
    Billing,
    Daily,
    Monthly,
    Quotas,
    Total,
    Weekly,
    check_own_quotas,
    quota_json,
    quotas_given,
)
from app.cli.windows import OfPlan, line, window_json
from app.domain.overlays import Overlay
from app.domain.quota_words import format_quota

if TYPE_CHECKING:
    from app.db.engine import Database
    from app.services.overrides import OverrideValues, Why

Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why; everybody who looks will read it.")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="Its last day, or moment; unset: for good.")]
Clear = Annotated[
    list[str] | None,
    typer.Option("--clear", metavar="VALUE", help="Give the plan's own back: down, vlan ... or all; may be repeated."),
]

_COLUMNS = ("value", "is", "because", "said by", "until")


def register(users: typer.Typer, sites: typer.Typer) -> None:
    """Add the verb to both nouns."""
    users.command(
        "override",
        epilog=example(
            "pesisir user override siti --down 8M --reason 'ujian daring' --until 2026-12-05",
            "pesisir user override siti --clear down",
        ),
    )(of_user)
    sites.command(
        "override",
        epilog=example(
            "pesisir site override Gusung --down 2M --interim 5m --reason 'satelit penuh'",
            "pesisir site override Gusung --plan Tamu --down 1M --reason 'satelit penuh'",
        ),
    )(of_site)
    sites.command(
        "set-quota", epilog=example("pesisir site set-quota Gusung --plan Tamu --daily 200MB --reason 'satelit penuh'")
    )(quota_of_site)


def quota_of_site(
    name: Name,
    plan: OfPlan = None,
    daily: Daily = None,
    weekly: Weekly = None,
    monthly: Monthly = None,
    billing: Billing = None,
    total: Total = None,
    quota: Quotas = None,
    reason: Reason = None,
    until: Until = None,
    by: By = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: PreviewJson = False,
) -> None:
    """Give those at a site quotas in place of their plans'. `none` gives the plans' back."""
    from app.services.overrides import Why, set_quotas_at_site
    from app.services.previews import Of

    only_with_dry_run(dry_run, language, as_json=as_json)
    given = quotas_given(daily, weekly, monthly, billing, total, quota)
    check_own_quotas(given, what="a quota in place of the plan's", reason=reason, until=until, by=by)
    with open_installation() as here:
        why = Why(reason or "-", author(by), None if until is None else read_end(until, here.zone))

        def change(database: "Database") -> None:
            set_quotas_at_site(database, name, given, why, plan=plan, zone=here.zone, now=now(), chance=os.urandom)

        if not carry_out(here, change, Of.SITE, name, dry_run=dry_run, language=language, as_json=as_json):
            return
    say(f"changed; see: pesisir site override {name!r}")


@with_overridable_values
def of_user(
    name: Name,
    values: "OverrideValues",
    reason: Reason = None,
    until: Until = None,
    by: By = None,
    clear: Clear = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: Json = False,
) -> None:
    """Give one person values in place of the plan's, or list them; `none` is no limit, --clear the plan's own."""
    from app.services.overrides import clear_own, own_values, set_own
    from app.services.previews import Of

    only_with_dry_run(dry_run, language)
    _check_named(values, clear, (reason, until, by), dry_run=dry_run)
    with open_installation() as here:
        back = fields_of(clear or ())
        why = _why(here, reason, until, by) if values else None

        def change(database: "Database") -> None:
            if why is not None:
                set_own(database, name, values, why, clear=back, zone=here.zone, now=now(), chance=os.urandom)
            elif back:
                clear_own(database, name, back, zone=here.zone, now=now(), chance=os.urandom)

        if not carry_out(here, change, Of.USER, name, dry_run=dry_run, language=language, as_json=as_json):
            return
        found = own_values(here.database, name, now=now())
    if as_json:
        show_json([override_json(override, here.zone) for override in found.overrides])
    elif values or clear:
        say(f"changed; see: pesisir user override {name!r}")
    else:
        show_table(_COLUMNS, [override_line(override, here.zone) for override in found.overrides])


@with_overridable_values
def of_site(
    name: Name,
    values: "OverrideValues",
    plan: OfPlan = None,
    reason: Reason = None,
    until: Until = None,
    by: By = None,
    clear: Clear = None,
    dry_run: DryRun = False,
    language: Language = None,
    as_json: Json = False,
) -> None:
    """Give those at a site values in place of their plans', or list them; `none` is no limit, --clear the plan's."""
    from app.services.overrides import clear_at_site, set_at_site, values_at_site
    from app.services.previews import Of

    only_with_dry_run(dry_run, language)
    _check_named(values, clear, (reason, until, by), dry_run=dry_run)
    with open_installation() as here:
        back = fields_of(clear or ())
        why = _why(here, reason, until, by) if values else None

        def change(database: "Database") -> None:
            if why is not None:
                set_at_site(
                    database,
                    name,
                    values,
                    why,
                    plan=plan,
                    clear=back,
                    zone=here.zone,
                    now=now(),
                    chance=os.urandom,
                )
            elif back:
                clear_at_site(database, name, back, plan=plan, zone=here.zone, now=now(), chance=os.urandom)

        if not carry_out(here, change, Of.SITE, name, dry_run=dry_run, language=language, as_json=as_json):
            return
        found = values_at_site(here.database, name)
    if as_json:
        show_json(at_site_json(found, here))
    elif values or clear:
        say(f"changed; see: pesisir site override {name!r}")
    else:
        lines = [(of, *override_line(one, here.zone)) for of, overlay in found.items() for one in overlay.overrides]
        hours = [(of, "window", line(one), None, None, None) for of, over in found.items() for one in over.windows]
        quotas = [
            (of, "quota", format_quota(one.quota), one.reason, one.author, local(one.until, here.zone))
            for of, over in found.items()
            for one in over.quotas
        ]
        show_table(("plan", *_COLUMNS), [*lines, *quotas, *hours])


def at_site_json(found: dict[str | None, Overlay], here: Installation) -> list[JsonValue]:
    """Write for scripts what a site lays over plans; `plan` null: over every plan."""
    listed: list[JsonValue] = []
    for plan, overlay in found.items():
        listed += [{"plan": plan, **override_json(override, here.zone)} for override in overlay.overrides]
        listed += [
            {"plan": plan, "quota": quota_json(one.quota), **said_json(one, here.zone)} for one in overlay.quotas
        ]
        listed += [{"plan": plan, "window": window_json(window)} for window in overlay.windows]
    return listed


def _check_named(
    values: "OverrideValues", clear: list[str] | None, said: Iterable[str | None], *, dry_run: bool
) -> None:
    if not values and any(one is not None for one in said):
        usage("override what?", why="--reason, --until and --by are of values", hint="name one, such as --down 8M")
    if dry_run and not values and not clear:
        usage("override what?", why="--dry-run is of a change", hint="name a value, such as --down 8M, or --clear")


def _why(here: Installation, reason: str | None, until: str | None, by: str | None) -> "Why":
    from app.services.overrides import Why

    if reason is None:
        usage("a value of one's own needs a reason", hint="--reason TEXT")
    return Why(reason, author(by), None if until is None else read_end(until, here.zone))
