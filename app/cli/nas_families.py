"""`pesisir nas families`: what each router family can be told, and what can change while people are online."""

from typing import Annotated

import typer

from app.cli.noun import example
from app.cli.output import Json, show_fields, show_json, show_table
from app.domain.nases import Family


def register(commands: typer.Typer) -> None:
    """Add the verb to `nas`."""
    commands.command(epilog=example("pesisir nas families", "pesisir nas families pfsense"))(families)


def families(
    family: Annotated[Family | None, typer.Argument(metavar="FAMILY", help="Only this one, with all there is.")] = None,
    as_json: Json = False,
) -> None:
    """Show what each router family can be told: limits and units, live changes, and what it was tried on."""
    from app.cli.family_words import COLUMNS, fields, row
    from app.cli.family_words import as_json as json_of
    from radius.vendors import profile_for

    profiles = [profile_for(each.value) for each in Family if family in {None, each}]
    if as_json:
        shown = [json_of(profile) for profile in profiles]
        show_json(shown if family is None else shown[0])
    elif family is None:
        show_table(COLUMNS, [row(profile) for profile in profiles])
    else:
        show_fields(fields(profiles[0]))
