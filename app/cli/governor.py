"""`pesisir governor`: what the slow loop of fair share sees, whom it holds down and why, and what it has moved."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.installation import Installation, now, open_installation
from app.cli.newest import Limit, rows_of, say_whether_cut
from app.cli.noun import example, noun
from app.cli.output import Json, JsonValue, iso, local, say, show_json, show_table
from app.domain.governed import Lever
from app.domain.units import format_rate
from app.domain.uplinks import GovernorMode

if TYPE_CHECKING:
    from app.db.governor_moves import ListedMove
    from app.services.governing import View

commands = noun("governor", "The slow loop of fair share: whose ceiling is lowered while others wait.")


@commands.command(epilog=example("pesisir governor show", "pesisir uplink set Telkom --governor on"))
def show(as_json: Json = False) -> None:
    """Show each uplink as the governor last saw it, and whom it holds down: since when, why, and until when."""
    from app.services.governing import show as views

    with open_installation() as here:
        found = views(here.database, now=now())
    if as_json:
        show_json([_json(view, here) for view in found])
        return
    show_table(
        ("uplink", "governor", "carries", "in use", "waiting", "level", "looked at"),
        [
            (
                view.uplink.name,
                view.uplink.governor,
                format_rate(view.uplink.down_bps),
                _use(view),
                None if view.last is None else view.last.others,
                None if view.last is None or view.last.level_bps is None else format_rate(view.last.level_bps),
                None if view.last is None else local(view.last.at, here.zone),
            )
            for view in found
        ],
    )
    held = [(view, one) for view in found for one in view.held]
    if not held:
        say("nobody is held down")
        return
    print()
    show_table(
        ("user", "device", "uplink", "ceiling", "since", "until, unless renewed", "why"),
        [
            (
                one.user,
                one.mac,
                view.uplink.name,
                format_rate(one.down_bps),
                local(one.since, here.zone),
                local(one.until, here.zone),
                one.reason,
            )
            for view, one in held
        ],
    )


@commands.command(epilog=example("pesisir governor history --uplink Telkom", "pesisir governor history --json"))
def history(
    uplink: Annotated[str | None, typer.Option(metavar="UPLINK", help="Only of this uplink.")] = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List what the governor has moved in the last 30 days, the newest first: of whom, from what to what, and why."""
    from app.services.governor_moves import list_moves

    with open_installation() as here:
        found = list_moves(here.database, uplink=uplink, limit=rows_of(limit, as_json=as_json))
    if as_json:
        show_json([_move_json(one, here) for one in found])
        return
    if not found:
        say("nothing was moved in the last 30 days")
        return
    show_table(
        ("when", "uplink", "of", "from", "to", "why"),
        [
            (
                local(one.at, here.zone),
                one.uplink,
                _whose(one),
                _rate(one.from_bps),
                _rate(one.to_bps),
                f"(only observed) {one.reason}" if one.observed else one.reason,
            )
            for one in found
        ],
    )
    say_whether_cut(limit, len(found))


def _whose(move: "ListedMove") -> str:
    match move.what:
        case Lever.CEILING:
            return f"{move.user} {move.mac}"
        case Lever.SITE:
            return f"site {move.site}"
        case Lever.FLOOR:
            return f"class {move.service_class}"


def _rate(bps: int | None) -> str:
    return "its own" if bps is None else format_rate(bps)


def _move_json(move: "ListedMove", here: Installation) -> JsonValue:
    return {
        "at": iso(move.at, here.zone),
        "uplink": move.uplink,
        "what": move.what.value,
        "user": move.user,
        "device": move.mac,
        "site": move.site,
        "service_class": None if move.service_class is None else move.service_class.value,
        "from_bps": move.from_bps,
        "to_bps": move.to_bps,
        "reason": move.reason,
        "observed": move.observed,
    }


def _use(view: "View") -> str | None:
    if view.last is None:
        return None if view.uplink.governor is GovernorMode.OFF else "not known"
    return f"{100 * view.last.load_bps / view.uplink.down_bps:.0f} %"


def _json(view: "View", here: Installation) -> JsonValue:
    last = view.last
    return {
        "uplink": view.uplink.name,
        "governor": view.uplink.governor.value,
        "down_bps": view.uplink.down_bps,
        "looked_at": None if last is None else iso(last.at, here.zone),
        "sessions": None if last is None else last.sessions,
        "load_bps": None if last is None else last.load_bps,
        "others_waiting": None if last is None else last.others,
        "level_bps": None if last is None else last.level_bps,
        "postponed": None if last is None else last.postponed,
        "held": [
            {
                "user": one.user,
                "device": one.mac,
                "down_bps": one.down_bps,
                "since": iso(one.since, here.zone),
                "until": iso(one.until, here.zone),
                "reason": one.reason,
            }
            for one in view.held
        ],
    }
