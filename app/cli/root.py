"""Putting the nouns together."""

from importlib.metadata import version
from typing import Annotated

import typer

from app.cli import (
    bench,
    calendars,
    changes,
    demo,
    doctor,
    garden,
    governor,
    journal,
    nas_config,
    nas_families,
    nases,
    overrides,
    plans,
    radius,
    radius_trace,
    schema,
    serve,
    sessions,
    settings,
    simulate,
    sites,
    top_ups,
    uplinks,
    usage,
    user_explain,
    user_import,
    user_show,
    users,
    vouchers,
    windows,
)
from app.cli.noun import Root

_HELP = """Captive portal and hotspot authentication server.

Data goes to standard output, talk to standard error. Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict."""


def build() -> typer.Typer:
    """Return the whole command line."""
    root = typer.Typer(
        name="pesisir",
        cls=Root,
        help=_HELP,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_root)
    serve.register(root)
    demo.register(root)
    user_show.register(users.commands)
    top_ups.register(users.commands)
    user_explain.register(users.commands)
    user_import.register(users.commands)
    overrides.register(users.commands, sites.commands)
    windows.register(plans.commands, sites.commands)
    radius_trace.register(radius.commands)
    nas_config.register(nases.commands)
    nas_families.register(nases.commands)
    for each in (
        schema,
        settings,
        uplinks,
        sites,
        plans,
        calendars,
        garden,
        nases,
        users,
        vouchers,
        sessions,
        changes,
        journal,
        radius,
        bench,
        governor,
    ):
        root.add_typer(each.commands)
    usage.register(root)
    doctor.register(root)
    simulate.register(root)
    return root


def _say_version(asked: bool) -> None:
    if asked:
        print(f"pesisir {version('pesisir')}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Hold the options of the command itself."""
