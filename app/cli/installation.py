"""What a command works on: the settings, the secret key and the database of this installation."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from app.cli.failures import Failure, usage
from app.cli.output import say
from app.config import Settings, load, load_secret_key

if TYPE_CHECKING:  # SQLAlchemy is slow to import, and not every command needs it
    from app.db.engine import Database
    from app.services.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation, open and verified."""

    settings: Settings
    database: "Database"
    keyring: "Keyring"

    @property
    def zone(self) -> ZoneInfo:
        """Return the city's time zone."""
        return self.settings.time_zone


def read_settings() -> Settings:
    """Return the settings of this environment; raise SettingError."""
    return load(os.environ)


def now() -> datetime:
    """Return the time of day at which a command does its work."""
    return datetime.now(UTC)


@contextmanager
def open_installation() -> Iterator[Installation]:
    """Open what the settings name; an SQLite database that is still empty is made ready on the way."""
    from app.db.engine import open_database
    from app.services import schema
    from app.services.keyring import Keyring

    settings = read_settings()
    if database_gone(settings):
        raise Failure(
            f"the database of {settings.data_dir} is gone",
            why=f"{settings.database_url} is not there, and a RADIUS process has stored a snapshot of it",
            hint="put the file back; to begin with an empty one: pesisir db upgrade",
        )
    keyring = Keyring(load_secret_key(settings))
    database = open_database(settings.database_url)
    try:
        make_ready(database, keyring)
        schema.verify(database, keyring, whole_file=False)
        yield Installation(settings, database, keyring)
    finally:
        database.close()


def database_gone(settings: Settings) -> bool:
    """Tell whether an SQLite database is missing that has been there: a node has stored a snapshot of it."""
    from app.db.engine import database_file

    file = database_file(settings.database_url)
    if file is None or file.exists():
        return False
    from app.node.stored.loading import stored_paths

    return bool(stored_paths(settings.data_dir))


def make_ready(database: "Database", keyring: "Keyring") -> None:
    """Bring an SQLite database that is still empty to this version's schema: nobody can mean anything else by it."""
    from app.db.migrate import SchemaState, check
    from app.services.schema import upgrade

    if not database.is_postgresql and check(database) is SchemaState.EMPTY:
        upgrade(database, keyring, chance=os.urandom)
        say("made a new database")


By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who says so, where several people share the account on this machine."),
]


def author(by: str | None = None) -> str:
    """Name who works at this terminal: the account on this machine, behind whom they say that they are."""
    try:
        account = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        account = f"cli:{os.getuid()}"
    if by is None:
        return account
    if not by.strip():
        usage("--by names nobody", hint="the name of whoever asks for it, such as --by 'Ibu Ratna'")
    return f"{by.strip()} ({account})"
