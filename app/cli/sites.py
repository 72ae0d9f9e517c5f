"""`pesisir site`: the places with NASes."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import nothing_to_change
from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example, noun
from app.cli.options import CLEAR, Given, Name, number, rate, seconds, word
from app.cli.output import Json, JsonValue, say, show_fields, show_json, show_table
from app.cli.windows import lines_at_site, window_json
from app.domain.nases import Site
from app.domain.schedules import Window
from app.domain.units import format_rate

if TYPE_CHECKING:
    from app.domain.uplinks import SiteLine
    from app.services.sites import SiteValues

commands = noun("site", "Places with NASes: an island spot or an office.")

Capacity = Annotated[Given[int] | None, rate("--capacity", "What its line carries, such as 20M.")]
GuestPlan = Annotated[
    Given[str] | None, word("--guest-plan", "PLAN", "The plan of its free tap; none: nothing without an account.")
]
Interim = Annotated[Given[int] | None, seconds("--interim", "How often its NASes report usage: 60s or more.")]
Uplink = Annotated[Given[str] | None, word("--uplink", "UPLINK", "The line it hangs on; unset: the only one.")]
Devices = Annotated[Given[int] | None, number("--devices", "How many devices it was built for.", largest=10_000)]
Networks = Annotated[
    list[str] | None,
    typer.Option(
        "--network",
        metavar="[CLASS=]CIDR",
        help="Its addresses as the head of the line sees them; CLASS: office, public_service, guest; unset: resident.",
        show_default=False,
    ),
]

_INTERIM_SECONDS: Final = 60


@commands.command(epilog=example("pesisir site add Gusung --capacity 20M --guest-plan Tamu"))
def add(
    name: Name,
    capacity: Capacity = None,
    guest_plan: GuestPlan = None,
    interim: Interim = None,
    uplink: Uplink = None,
    devices: Devices = None,
    network: Networks = None,
) -> None:
    """Add a site."""
    from app.services.sites import add_site

    values = _values(capacity, guest_plan, interim, uplink, devices, network)
    with open_installation() as here:
        site = add_site(here.database, name, now=now(), chance=os.urandom, **values)
    say(f"added site {site.name}; next: pesisir nas add NAME --address CIDR --family F --site {site.name!r}")


@commands.command("list", epilog=example("pesisir site list"))
def list_(as_json: Json = False) -> None:
    """List every site."""
    from app.services.sites import list_sites
    from app.services.windows import windows_at_sites

    with open_installation() as here:
        sites = list_sites(here.database)
        plans, lines, hours = plan_names(here), _Lines(here), windows_at_sites(here.database)
    if as_json:
        show_json([_json(site, plans, lines, hours.get(site.id, ())) for site in sites])
    else:
        show_table(
            ("name", "uplink", "capacity", "devices", "free tap", "reports every"),
            [
                (
                    site.name,
                    lines.uplink_of(site),
                    _rate(site.capacity_bps),
                    lines.of(site).devices,
                    plans.get(site.guest_plan_id),
                    f"{site.interim_seconds}s",
                )
                for site in sites
            ],
        )


@commands.command(epilog=example("pesisir site show Gusung"))
def show(name: Name, as_json: Json = False) -> None:
    """Show one site."""
    from app.services.sites import show_site
    from app.services.windows import windows_at_sites

    with open_installation() as here:
        site = show_site(here.database, name)
        plans, lines, hours = plan_names(here), _Lines(here), windows_at_sites(here.database).get(site.id, ())
    if as_json:
        show_json(_json(site, plans, lines, hours))
    else:
        show_fields(
            {
                "name": site.name,
                "id": site.id,
                "uplink": lines.uplink_of(site),
                "capacity": _rate(site.capacity_bps),
                "devices": lines.of(site).devices,
                "networks": ", ".join(lines.networks_of(site)),
                "free tap": plans.get(site.guest_plan_id),
                "reports every": f"{site.interim_seconds}s",
                **lines_at_site(hours),
            }
        )


@commands.command("set", epilog=example("pesisir site set Gusung --uplink Telkom --capacity 20M --devices 30"))
def set_(
    name: Name,
    capacity: Capacity = None,
    guest_plan: GuestPlan = None,
    interim: Interim = None,
    uplink: Uplink = None,
    devices: Devices = None,
    network: Networks = None,
) -> None:
    """Change a site. What is not named stays as it is; `none` takes a value away. Networks replace those before."""
    from app.services.sites import set_site

    values = _values(capacity, guest_plan, interim, uplink, devices, network)
    if not values:
        nothing_to_change("site set")
    with open_installation() as here:
        site = set_site(here.database, name, now=now(), **values)
    say(f"changed site {site.name}")


def site_names(here: Installation) -> dict[str | None, str]:
    """Return every site's name by its id."""
    from app.services.sites import list_sites

    return {site.id: site.name for site in list_sites(here.database)}


def plan_names(here: Installation) -> dict[str | None, str]:
    """Return every plan's name by its id."""
    from app.services.plans import list_plans

    return {plan.id: plan.name for plan in list_plans(here.database)}


class _Lines:
    """How every site hangs on its uplink."""

    def __init__(self, here: Installation) -> None:
        from app.services.uplinks import list_uplinks, site_lines

        self._lines = site_lines(here.database)
        self._uplinks = {site.site_id: view.uplink.name for view in list_uplinks(here.database) for site in view.sites}

    def of(self, site: Site) -> "SiteLine":
        return self._lines[site.id]

    def uplink_of(self, site: Site) -> str | None:
        return self._uplinks.get(site.id)

    def networks_of(self, site: Site) -> list[str]:
        return [f"{one.service_class}={one.network}" for one in self.of(site).networks]


def _values(
    capacity: Given[int] | None,
    guest_plan: Given[str] | None,
    interim: Given[int] | None,
    uplink: Given[str] | None,
    devices: Given[int] | None,
    networks: list[str] | None,
) -> "SiteValues":
    values: SiteValues = {}
    if capacity is not None:
        values["capacity_bps"] = capacity.value
    if guest_plan is not None:
        values["guest_plan"] = guest_plan.value
    if interim is not None:
        values["interim_seconds"] = interim.value or _INTERIM_SECONDS
    if uplink is not None:
        values["uplink"] = uplink.value
    if devices is not None:
        values["devices"] = devices.value
    if networks:
        values["networks"] = [] if networks == [CLEAR] else networks
    return values


def _rate(bps: int | None) -> str | None:
    return None if bps is None else format_rate(bps)


def _json(
    site: Site, plans: dict[str | None, str], lines: _Lines, hours: Iterable[tuple[str | None, Window]]
) -> dict[str, JsonValue]:
    return {
        "id": site.id,
        "name": site.name,
        "capacity_bps": site.capacity_bps,
        "guest_plan": plans.get(site.guest_plan_id),
        "interim_seconds": site.interim_seconds,
        "uplink": lines.uplink_of(site),
        "devices": lines.of(site).devices,
        "networks": [
            {"network": str(one.network), "service_class": one.service_class.value} for one in lines.of(site).networks
        ],
        "windows": [{"plan": plan, "window": window_json(window)} for plan, window in hours],
    }
