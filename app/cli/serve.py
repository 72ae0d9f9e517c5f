"""`pesisir serve`: the server itself."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.installation import database_gone, make_ready, read_settings
from app.cli.noun import example
from app.config import load_secret_key


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
    """Serve the portal, RADIUS and the background work until Ctrl-C or SIGTERM.

    An SQLite database that is not there yet is made. A database that is away is waited for, and RADIUS decides by
    its stored snapshot meanwhile.
    """
    from app.main import supervise

    settings = read_settings()
    key = load_secret_key(settings)  # made on the first start, before several processes look for it
    if settings.database_url.startswith("sqlite:") and not database_gone(settings):
        from app.db.engine import open_database
        from app.services.keyring import Keyring

        database = open_database(settings.database_url)
        try:
            make_ready(database, Keyring(key))
        finally:
            database.close()
    raise typer.Exit(supervise(settings, None if only is None else only.value))
