"""Migrations, run from inside the program: one transaction takes a database from any revision to the newest.

Both databases undo the definition of a table with the rest of a transaction, so a run that is killed in the middle
leaves the database as it was, and the next run does all of it.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from app.db.engine import Database

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_LOCK: Final = 7_305_808_870  # PostgreSQL advisory lock: one migration at a time


class SchemaState(StrEnum):
    """How a database's schema stands to this program."""

    CURRENT = "current"
    BEHIND = "behind"  # an older release made it
    AHEAD = "ahead"  # a newer release made it
    EMPTY = "empty"  # nothing there yet
    FOREIGN = "foreign"  # tables, but not of ours


def migrations_folder() -> Path:
    """Return where the revisions are: inside an installed package, or at the top of a checkout."""
    packaged = _PACKAGE / "_data" / "migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"


def newest_revision() -> str:
    """Return the revision that this program needs."""
    revision = _scripts().get_current_head()
    assert revision is not None, "the migrations folder has a first revision"
    return revision


def revision_of(database: Database) -> str | None:
    """Return the revision that a database has; None if it has none."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(database: Database) -> SchemaState:
    """Compare a database's schema with what this program needs; changes nothing."""
    with database.read() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        tables = inspect(connection).get_table_names()
    if revision is None:
        return SchemaState.FOREIGN if set(tables) - {"alembic_version"} else SchemaState.EMPTY
    if revision == newest_revision():
        return SchemaState.CURRENT
    return SchemaState.BEHIND if _knows(revision) else SchemaState.AHEAD


def upgrade(connection: Connection, *, to: str | None = None) -> tuple[str | None, str]:
    """Bring the schema to the newest revision, or to an earlier one, in the caller's transaction; return (from, to)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before = MigrationContext.configure(connection).get_current_revision()
    wanted = to or newest_revision()
    if before != wanted:
        command.upgrade(_config(connection), wanted)
    return before, wanted


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _knows(revision: str) -> bool:
    try:
        _scripts().get_revision(revision)
    except CommandError:
        return False
    return True
