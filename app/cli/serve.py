"""`pesisir serve`: the server itself."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.installation import open_installation
from app.cli.noun import example


class Process(StrEnum):
    """The three kinds of process."""

    HTTP = "http"
    RADIUS = "radius"
    WORKER = "worker"


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command(epilog=example("pesisir serve"))(serve)


def serve(
    only: Annotated[Process | None, typer.Option(help="Start this process alone, for a machine of its own.")] = None,
) -> None:
    """Serve the portal, RADIUS and the background work until Ctrl-C or SIGTERM."""
    from app.main import supervise

    with open_installation() as installation:  # makes what a first start needs, and refuses early what cannot work
        settings = installation.settings
    raise typer.Exit(supervise(settings, None if only is None else only.value))
