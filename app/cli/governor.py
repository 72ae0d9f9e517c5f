"""`pesisir governor`: what the slow loop of fair share sees, and whom it holds down and why."""

from typing import TYPE_CHECKING

from app.cli.installation import Installation, now, open_installation
from app.cli.noun import example, noun
from app.cli.output import Json, JsonValue, iso, local, say, show_json, show_table
from app.domain.units import format_rate
from app.domain.uplinks import GovernorMode

if TYPE_CHECKING:
    from app.services.governing import View

commands = noun("governor", "The slow loop of fair share: whose ceiling is lowered while others wait.")


@commands.callback()
def _governor() -> None:
    """Keep `show` a verb, though it is the only one."""


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
