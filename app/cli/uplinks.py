"""`pesisir uplink`: the lines that sites share, and what each promises to whom."""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.failures import Failure, nothing_to_change
from app.cli.installation import now, open_installation
from app.cli.noun import example, noun
from app.cli.options import CLEAR, Given, Name, number, rate, word
from app.cli.output import Json, JsonValue, Yes, confirm, many, say, show_fields, show_files, show_json, show_table
from app.domain.service_classes import ServiceClass
from app.domain.units import format_rate
from app.domain.uplinks import GovernorMode, Uplink, Way
from app.nas.queues import HeadFormat

if TYPE_CHECKING:
    from app.services.uplinks import ClassValues, UplinkValues, UplinkView

commands = noun("uplink", "Lines that sites share, and what each promises to whom.")

Rate = Given[int] | None
Down = Annotated[Rate, rate("--down", "What the line carries towards the sites, such as 60M.")]
Up = Annotated[Rate, rate("--up", "What the line carries from the sites, such as 20M.")]
Interface = Annotated[
    Given[str] | None, word("--interface", "IF", "The port of the line's head towards the sites, such as eth1.")
]
Floor = Annotated[Rate, rate("--floor", "What it is promised whatever the others do; none: nothing.")]
Ceiling = Annotated[Rate, rate("--ceiling", "The most it gets; none: all of the line.")]
UpFloor = Annotated[Rate, rate("--up-floor", "The same, up; unset: the same part of the line as down.")]
UpCeiling = Annotated[Rate, rate("--up-ceiling", "The same, up; unset: the same part of the line as down.")]
Weight = Annotated[
    Given[int] | None, number("--weight", "What each of its people gets of what nobody uses.", largest=100)
]
Dscp = Annotated[Given[int] | None, number("--dscp", "Mark of public services on what comes down.", largest=63)]
Addresses = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="CIDR", help="Where public services are; several.", show_default=False),
]

_NOBODY: Final = "its queues would hold nobody"
_SAY_NETWORKS: Final = "pesisir site set SITE --network CIDR"


@commands.command(epilog=example("pesisir uplink add Telkom --down 60M --up 20M"))
def add(name: Name, down: Down, up: Up, interface: Interface = None) -> None:
    """Add an uplink."""
    from app.services.uplinks import add_uplink

    with open_installation() as here:
        uplink = add_uplink(here.database, name, now=now(), chance=os.urandom, **_values(down, up, interface))
    say(f"added uplink {uplink.name}; next: pesisir uplink class {uplink.name!r} office --floor RATE")


@commands.command("list", epilog=example("pesisir uplink list --json"))
def list_(as_json: Json = False) -> None:
    """List every uplink."""
    from app.services.uplinks import list_uplinks

    with open_installation() as here:
        views = list_uplinks(here.database)
    if as_json:
        show_json([_json(view) for view in views])
    else:
        show_table(
            ("name", "down", "up", "promised down", "promised up", "sites"),
            [(view.uplink.name, *_both(view.uplink), *_promised(view.uplink), len(view.sites)) for view in views],
        )


@commands.command(epilog=example("pesisir uplink show Telkom"))
def show(name: Name, as_json: Json = False) -> None:
    """Show one uplink: its classes, and the sites on it."""
    from app.services.uplinks import show_uplink

    with open_installation() as here:
        view = show_uplink(here.database, name)
    if as_json:
        show_json(_json(view))
        return
    uplink = view.uplink
    show_fields(
        {
            "name": uplink.name,
            "id": uplink.id,
            "carries": "/".join(_both(uplink)),
            "promised": "/".join(_promised(uplink)),
            "interface": uplink.interface,
            "governor": uplink.governor,
            "sites": ", ".join(site.name for site in view.sites),
            "services at": ", ".join(map(str, uplink.terms_of(ServiceClass.PUBLIC_SERVICE).networks)),
        }
    )
    print()
    show_table(
        ("class", "floor", "ceiling", "up floor", "up ceiling", "weight"),
        [
            (
                one,
                *(
                    format_rate(bps)
                    for way in Way
                    for bps in (uplink.floor_bps(one, way), uplink.ceiling_bps(one, way))
                ),
                uplink.terms_of(one).weight,
            )
            for one in ServiceClass
        ],
    )


@commands.command("set", epilog=example("pesisir uplink set Telkom --down 100M"))
def set_(
    name: Name,
    down: Down = None,
    up: Up = None,
    interface: Interface = None,
    governor: Annotated[
        GovernorMode | None,
        typer.Option(help="Whether the governor works on it; observe: it says what it would do.", show_default=False),
    ] = None,
) -> None:
    """Change an uplink. What is not named stays as it is."""
    from app.services.uplinks import set_uplink

    values = _values(down, up, interface)
    if governor is not None:
        values["governor"] = governor
    if not values:
        nothing_to_change("uplink set")
    with open_installation() as here:
        uplink = set_uplink(here.database, name, **values)
    say(f"changed uplink {uplink.name}; next: pesisir uplink config {uplink.name!r}")


@commands.command("class", epilog=example("pesisir uplink class Telkom office --floor 10M --ceiling 30M --weight 4"))
def class_(
    name: Name,
    service_class: Annotated[ServiceClass, typer.Argument(metavar="CLASS", help="Which class of service.")],
    floor: Floor = None,
    ceiling: Ceiling = None,
    up_floor: UpFloor = None,
    up_ceiling: UpCeiling = None,
    weight: Weight = None,
    dscp: Dscp = None,
    address: Addresses = None,
) -> None:
    """Say what an uplink gives a class of service. What is not named stays as it is; `none` takes a value away."""
    from app.services.uplinks import set_class

    values: ClassValues = {}
    if floor is not None:
        values["floor_bps"] = floor.value or 0
    if ceiling is not None:
        values["ceiling_bps"] = ceiling.value
    if up_floor is not None:
        values["up_floor_bps"] = up_floor.value
    if up_ceiling is not None:
        values["up_ceiling_bps"] = up_ceiling.value
    if weight is not None:
        values["weight"] = weight.value or 1
    if dscp is not None:
        values["dscp"] = dscp.value
    if address:
        values["networks"] = [] if address == [CLEAR] else address
    if not values:
        nothing_to_change("uplink class")
    with open_installation() as here:
        uplink = set_class(here.database, name, service_class, **values)
    down, up = (uplink.promised(way) for way in Way)
    say(
        f"changed {service_class} of uplink {uplink.name}; promised now: {format_rate(down.promised_bps)} of"
        f" {format_rate(down.capacity_bps)} down, {format_rate(up.promised_bps)} of {format_rate(up.capacity_bps)} up"
    )


@commands.command(epilog=example("pesisir uplink remove Telkom --yes"))
def remove(name: Name, yes: Yes = False) -> None:
    """Remove an uplink. Queues that were installed by its configuration stay until `stop`."""
    from app.services.uplinks import remove_uplink, show_uplink

    with open_installation() as here:
        show_uplink(here.database, name)
        confirm(f"Remove uplink {name}?", yes=yes)
        remove_uplink(here.database, name)
    say(f"removed uplink {name}")


@commands.command(epilog=example("pesisir uplink config Telkom --file pesisir-queues > /usr/local/sbin/pesisir-queues"))
def config(
    name: Name,
    head: Annotated[HeadFormat, typer.Option("--format", help="What the head of the line is.")] = HeadFormat.LINUX,
    file: Annotated[str | None, typer.Option(metavar="NAME", help="Print this one file and nothing else.")] = None,
    as_json: Json = False,
) -> None:
    """Print the queues for the head of the line: every file under its heading."""
    from app.domain.queues import TooManySitesError
    from app.nas.queues import head_files
    from app.services.uplinks import show_uplink

    with open_installation() as here:
        view = show_uplink(here.database, name)
    _check_addresses(view)
    try:
        files = head_files(view.uplink, view.sites, head)
    except TooManySitesError as error:
        raise Failure(
            f"one head cannot have queues for {error.sites} sites", why=f"its kernel numbers {error.most} at most"
        ) from error
    show_files(name, files, file, as_json=as_json)


@commands.command(epilog=example("pesisir uplink apply Telkom", "pesisir uplink apply Telkom --watch"))
def apply(
    name: Name,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and do it again whenever something moves.")] = False,
) -> None:
    """Bring the floors and ceilings of the queues on this machine to what they are now. They must be on already."""
    from app.nas.local_queues import QueuesError
    from app.nas.local_queues import apply as apply_here
    from app.services.uplinks import show_uplink

    if watch:
        _follow(name)
        return
    with open_installation() as here:
        view = show_uplink(here.database, name)
    try:
        moved = apply_here(view.uplink, view.sites, view.shares)
    except QueuesError as error:
        raise Failure(
            f"the queues of uplink {view.uplink.name!r} were not changed", why=error.problem, hint=error.remedy
        ) from error
    say(f"uplink {view.uplink.name}: {many(moved, 'queue')} as they should be")


def _follow(name: str) -> None:
    """Apply again and again, until Ctrl-C or SIGTERM."""
    import time
    from contextlib import suppress

    from app.cli.queue_watch import LOOK_SECONDS, follow
    from app.nas.local_queues import apply as apply_here
    from app.services.uplinks import show_uplink

    def wait() -> bool:
        time.sleep(LOOK_SECONDS)
        return True

    with open_installation() as here, suppress(KeyboardInterrupt):
        follow(
            lambda: show_uplink(here.database, name),
            lambda view: apply_here(view.uplink, view.sites, view.shares),
            wait,
        )


def _check_addresses(view: "UplinkView") -> None:
    """Refuse to print queues for nobody, and say whom they leave out."""
    unknown = [site.name for site in view.sites if not site.networks]
    if len(unknown) == len(view.sites):
        raise Failure(f"no site on uplink {view.uplink.name!r} has addresses", why=_NOBODY, hint=_SAY_NETWORKS)
    if unknown:
        say(f"warning: no addresses of {', '.join(unknown)}: they share what the others leave; next: {_SAY_NETWORKS}")
    if view.uplink.interface is None:
        say(
            f"the port towards the sites is taken for br-lan; or pesisir uplink set {view.uplink.name!r} --interface IF"
        )


def _values(down: Rate, up: Rate, interface: Given[str] | None) -> "UplinkValues":
    values: UplinkValues = {}
    for field, flag, given in (("down_bps", "--down", down), ("up_bps", "--up", up)):
        if given is not None:
            if given.value is None:
                raise typer.BadParameter(f"{flag}: a line carries something")
            values[field] = given.value  # type: ignore[literal-required] # mypy wants each name written out
    if interface is not None:
        values["interface"] = interface.value
    return values


def _both(uplink: Uplink) -> tuple[str, str]:
    return format_rate(uplink.down_bps), format_rate(uplink.up_bps)


def _promised(uplink: Uplink) -> tuple[str, str]:
    down, up = (format_rate(uplink.promised(way).promised_bps) for way in Way)
    return down, up


def _json(view: "UplinkView") -> dict[str, JsonValue]:
    uplink = view.uplink
    moved = view.shares.moved_floors(uplink)
    return {
        "id": uplink.id,
        "name": uplink.name,
        "down_bps": uplink.down_bps,
        "up_bps": uplink.up_bps,
        "interface": uplink.interface,
        "governor": uplink.governor.value,
        "promised_down_bps": uplink.promised(Way.DOWN).promised_bps,
        "promised_up_bps": uplink.promised(Way.UP).promised_bps,
        "classes": [
            {
                "service_class": one.value,
                "floor_bps": uplink.floor_bps(one, Way.DOWN),
                "ceiling_bps": uplink.ceiling_bps(one, Way.DOWN),
                "up_floor_bps": uplink.floor_bps(one, Way.UP),
                "up_ceiling_bps": uplink.ceiling_bps(one, Way.UP),
                "moved_floor_bps": moved[one],
                "weight": uplink.terms_of(one).weight,
                "dscp": uplink.terms_of(one).dscp,
                "addresses": [str(network) for network in uplink.terms_of(one).networks],
            }
            for one in ServiceClass
        ],
        "sites": [
            {
                "site": site.name,
                "capacity_bps": site.capacity_bps,
                "moved_ceiling_bps": view.shares.site_ceilings.get(site.site_id),
                "devices": site.devices,
                "networks": [
                    {"network": str(one.network), "service_class": one.service_class.value} for one in site.networks
                ],
            }
            for site in view.sites
        ],
    }
