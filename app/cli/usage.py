"""`pesisir usage`: what somebody has used."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.installation import now, open_installation
from app.cli.noun import example
from app.cli.output import Json, JsonValue, octets, show_json, show_table
from app.services.errors import NotFound

if TYPE_CHECKING:
    from app.services.usage import Counted


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(epilog=example("pesisir usage siti --json"))(usage)


def usage(
    user: Annotated[str, typer.Argument(metavar="USER", help="A username, or the id of an account.")],
    as_json: Json = False,
) -> None:
    """Show what somebody has used today, this month and in all, over every device and site."""
    from app.services.usage import usage_of

    with open_installation() as here:
        found = usage_of(here.database, user, now=now(), zone=here.zone)
    if found is None:
        raise NotFound("user", user)
    periods = {"day": found.day, "month": found.month, "total": found.total}
    if as_json:
        counted: dict[str, JsonValue] = {period: _json(count) for period, count in periods.items()}
        show_json({"user": found.user, "account_id": found.account_id, **counted})
    else:
        show_table(
            ("period", "up", "down", "total"),
            [(p, octets(c.up_octets), octets(c.down_octets), octets(c.total_octets)) for p, c in periods.items()],
        )


def _json(counted: "Counted") -> dict[str, JsonValue]:
    return {
        "up_octets": counted.up_octets,
        "down_octets": counted.down_octets,
        "total_octets": counted.total_octets,
    }
