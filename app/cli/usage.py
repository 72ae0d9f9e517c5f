"""`pesisir usage`: what somebody has used."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.installation import now, open_installation
from app.cli.noun import example
from app.cli.output import Json, JsonValue, duration, octets, show_json, show_table
from app.domain.quotas import Measure
from app.services.errors import NotFound

if TYPE_CHECKING:
    from app.domain.spending import Used


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(epilog=example("pesisir usage siti --json"))(usage)


def usage(
    user: Annotated[str, typer.Argument(metavar="USER", help="A username, or the id of an account.")],
    as_json: Json = False,
) -> None:
    """Show what somebody has used in each period, over every device and site, and how long they were online."""
    from app.services.usage import usage_of

    with open_installation() as here:
        found = usage_of(here.database, user, now=now(), zone=here.zone)
    if found is None:
        raise NotFound("user", user)
    if as_json:
        counted: dict[str, JsonValue] = {
            period.value: {**_json(used), "uncounted_octets": found.uncounted_octets[period]}
            for period, used in found.periods.items()
        }
        show_json({"user": found.user, "account_id": found.account_id, **counted})
    else:
        show_table(
            ("period", "up", "down", "total", "not counted", "online"),
            [
                (
                    period.value,
                    octets(used.up_octets),
                    octets(used.down_octets),
                    octets(used.of(Measure.BOTH)),
                    octets(found.uncounted_octets[period]),
                    duration(used.seconds),
                )
                for period, used in found.periods.items()
            ],
        )


def _json(used: "Used") -> dict[str, JsonValue]:
    return {
        "up_octets": used.up_octets,
        "down_octets": used.down_octets,
        "total_octets": used.of(Measure.BOTH),
        "online_seconds": used.seconds,
    }
