"""`pesisir site`: the places with NASes."""

import os
from typing import TYPE_CHECKING, Annotated, Final

from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example, noun
from app.cli.options import Given, Name, rate, seconds, word
from app.cli.output import Json, JsonValue, say, show_fields, show_json, show_table
from app.domain.nases import Site
from app.domain.units import format_rate

if TYPE_CHECKING:
    from app.services.sites import SiteValues

commands = noun("site", "Places with NASes: an island spot or an office.")

Capacity = Annotated[Given[int] | None, rate("--capacity", "What its line carries, such as 20M.")]
GuestPlan = Annotated[
    Given[str] | None, word("--guest-plan", "PLAN", "The plan of its free tap; none: nothing without an account.")
]
Interim = Annotated[Given[int] | None, seconds("--interim", "How often its NASes report usage: 60s or more.")]

_INTERIM_SECONDS: Final = 60


@commands.command(epilog=example("pesisir site add Gusung --capacity 20M --guest-plan Tamu"))
def add(name: Name, capacity: Capacity = None, guest_plan: GuestPlan = None, interim: Interim = None) -> None:
    """Add a site."""
    from app.services.sites import add_site

    with open_installation() as here:
        site = add_site(here.database, name, now=now(), chance=os.urandom, **_values(capacity, guest_plan, interim))
    say(f"added site {site.name}; next: pesisir nas add NAME --address CIDR --family F --site {site.name!r}")


@commands.command("list", epilog=example("pesisir site list"))
def list_(as_json: Json = False) -> None:
    """List every site."""
    from app.services.sites import list_sites

    with open_installation() as here:
        sites = list_sites(here.database)
        plans = plan_names(here)
    if as_json:
        show_json([_json(site, plans) for site in sites])
    else:
        show_table(
            ("name", "capacity", "free tap", "reports every"),
            [(s.name, _rate(s.capacity_bps), plans.get(s.guest_plan_id), f"{s.interim_seconds}s") for s in sites],
        )


@commands.command(epilog=example("pesisir site show Gusung"))
def show(name: Name, as_json: Json = False) -> None:
    """Show one site."""
    from app.services.sites import show_site

    with open_installation() as here:
        site = show_site(here.database, name)
        plans = plan_names(here)
    if as_json:
        show_json(_json(site, plans))
    else:
        show_fields(
            {
                "name": site.name,
                "id": site.id,
                "capacity": _rate(site.capacity_bps),
                "free tap": plans.get(site.guest_plan_id),
                "reports every": f"{site.interim_seconds}s",
            }
        )


@commands.command("set", epilog=example("pesisir site set Gusung --guest-plan none"))
def set_(name: Name, capacity: Capacity = None, guest_plan: GuestPlan = None, interim: Interim = None) -> None:
    """Change a site. What is not named stays as it is; `none` takes a value away."""
    from app.services.sites import set_site

    with open_installation() as here:
        site = set_site(here.database, name, now=now(), **_values(capacity, guest_plan, interim))
    say(f"changed site {site.name}")


def site_names(here: Installation) -> dict[str | None, str]:
    """Return every site's name by its id."""
    from app.services.sites import list_sites

    return {site.id: site.name for site in list_sites(here.database)}


def plan_names(here: Installation) -> dict[str | None, str]:
    """Return every plan's name by its id."""
    from app.services.plans import list_plans

    return {plan.id: plan.name for plan in list_plans(here.database)}


def _values(capacity: Given[int] | None, guest_plan: Given[str] | None, interim: Given[int] | None) -> "SiteValues":
    values: SiteValues = {}
    if capacity is not None:
        values["capacity_bps"] = capacity.value
    if guest_plan is not None:
        values["guest_plan"] = guest_plan.value
    if interim is not None:
        values["interim_seconds"] = interim.value or _INTERIM_SECONDS
    return values


def _rate(bps: int | None) -> str | None:
    return None if bps is None else format_rate(bps)


def _json(site: Site, plans: dict[str | None, str]) -> dict[str, JsonValue]:
    return {
        "id": site.id,
        "name": site.name,
        "capacity_bps": site.capacity_bps,
        "guest_plan": plans.get(site.guest_plan_id),
        "interim_seconds": site.interim_seconds,
    }
