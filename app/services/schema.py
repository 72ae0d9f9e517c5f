"""A database that is fit to work with: the right schema, the right secret key, no damage."""

from collections.abc import Callable
from dataclasses import dataclass

from app.db import meta, migrate
from app.db.engine import Database, database_file, open_database
from app.db.errors import AWAY, UNREADABLE
from app.db.migrate import SchemaState
from app.services.keyring import Keyring

UPGRADE_COMMAND = "pesisir db upgrade"


class SchemaError(Exception):
    """A database that must not be worked with: why, and what to do next."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class MissingDatabaseError(SchemaError):
    """An SQLite database whose file is not there: not made yet, or out of reach."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which revision (None: an empty database) to which; the same twice if nothing was to be done."""

    before: str | None
    after: str


def upgrade(database: Database, keyring: Keyring, *, chance: Callable[[int], bytes]) -> Upgrade:
    """Bring the schema to what this program needs, all or nothing; harmless to repeat; raise SchemaError."""
    match _state(database):
        case SchemaState.AHEAD:
            raise _ahead()
        case SchemaState.FOREIGN:
            raise _foreign()
        case _:
            pass
    with database.write() as connection:
        before, after = migrate.upgrade(connection)
        if meta.read(connection, meta.KEY_CHECK) is None:
            meta.add(connection, meta.KEY_CHECK, keyring.check)
            meta.add(connection, meta.FEED_EPOCH, chance(10).hex())
        _demand_key(meta.read(connection, meta.KEY_CHECK), keyring)
    return Upgrade(before, after)


def verify(database: Database, keyring: Keyring, *, whole_file: bool = True) -> None:
    """Raise SchemaError if this program or this secret key must not work on the database.

    Looking for damage reads the whole file of an SQLite database (seconds for gigabytes): a start does, a command
    that is over in a moment does not.
    """
    match _state(database):
        case SchemaState.EMPTY:
            raise SchemaError("the database is empty", f"run `{UPGRADE_COMMAND}`")
        case SchemaState.BEHIND:
            raise SchemaError("the database is of an older release", f"run `{UPGRADE_COMMAND}`")
        case SchemaState.AHEAD:
            raise _ahead()
        case SchemaState.FOREIGN:
            raise _foreign()
        case SchemaState.CURRENT:
            pass
    with database.read() as connection:
        _demand_key(meta.read(connection, meta.KEY_CHECK), keyring)
    damage = database.damage() if whole_file else None
    if damage is not None:
        raise _damaged(damage)


def open_ready_database(url: str, keyring: Keyring) -> Database:
    """Open a database and verify it, making no file; raise SchemaError."""
    file = database_file(url)
    if file is not None and not file.exists():
        raise MissingDatabaseError(f"{file} is not there", f"put it back, or make a new one by `{UPGRADE_COMMAND}`")
    database = open_database(url)
    try:
        verify(database, keyring)
    except BaseException:
        database.close()
        raise
    return database


def _state(database: Database) -> SchemaState:
    try:
        return migrate.check(database)
    except AWAY:
        raise
    except UNREADABLE as error:
        raise _damaged("it cannot be read as a database") from error


def _demand_key(stored: str | None, keyring: Keyring) -> None:
    if stored != keyring.check:
        raise SchemaError(
            "the secret key is not the one that this database was made with",
            "set PESISIR_SECRET_KEY or put the right secret.key into the data folder",
        )


def _damaged(damage: str) -> SchemaError:
    return SchemaError(f"the database file is damaged ({damage})", "restore it: `pesisir restore FILE`")


def _ahead() -> SchemaError:
    return SchemaError("the database is of a newer release", "install that release, or restore an older backup")


def _foreign() -> SchemaError:
    return SchemaError("the database holds tables of something else", "name another one by PESISIR_DATABASE_URL")
