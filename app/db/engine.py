"""Opening a database, and its two kinds of transaction: SQLite and PostgreSQL behave alike behind them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import SQLITE_BUSY
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import Error as SQLiteError
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["Connection", "Database", "database_file", "open_database"]

_BUSY_TIMEOUT_SECONDS: Final = 10
_LOOK_AGAIN_SECONDS: Final = 0.001
_POOL_TIMEOUT_SECONDS: Final = 3  # below a router's patience


class Database:
    """One database. `read` is a consistent view; `write` commits on leaving, rolls back on an exception.

    On SQLite a write transaction is BEGIN IMMEDIATE, so it waits for its turn at the start and never fails half way.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_postgresql(self) -> bool:
        """Tell which of the two it is."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection whose queries all see one moment."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if self.is_postgresql else {}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is durable once this block is left without an exception."""
        with self.engine.connect().execution_options(pesisir_write=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def rehearse(self) -> Iterator["Database"]:
        """Give a database whose transactions are one of this database that is never committed.

        What is done to it is seen by what is asked of it, and undone on leaving; other writers wait until then.
        """
        with self.engine.connect().execution_options(pesisir_write=True) as connection:
            transaction = connection.begin()
            try:
                yield _Rehearsed(self.engine, connection)
            finally:
                transaction.rollback()

    def damage(self) -> str | None:
        """Return what SQLite's quick_check finds wrong with the file; None if nothing, or if it is PostgreSQL."""
        if self.is_postgresql:
            return None
        try:
            with self.read() as connection:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        except DatabaseError as error:
            return str(error.orig)
        return None if found == "ok" else str(found)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class _Rehearsed(Database):
    """A database within one open transaction of another."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        super().__init__(engine)
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        yield self._connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        yield self._connection


def database_file(url: str) -> Path | None:
    """Return the file of an SQLite database; None for another one, or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def open_database(url: str) -> Database:
    """Open `sqlite:///PATH` or `postgresql://...`; nothing is created or migrated here, save the folder."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(url))
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    # Without prepared statements it is safe behind PgBouncer in transaction mode.
    return Database(
        create_engine(
            parsed,
            pool_timeout=_POOL_TIMEOUT_SECONDS,
            pool_pre_ping=True,
            connect_args={"prepare_threshold": None, "connect_timeout": _POOL_TIMEOUT_SECONDS},
        )
    )


def _make_private(path: Path) -> None:
    """Make a new database file that only its owner reads; SQLite gives its -wal and -shm the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # it exists, or cannot be made: then SQLite says so when it is opened
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _sqlite(url: str) -> Engine:
    file = database_file(url)
    if file is not None:
        _make_private(file)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: SQLiteConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the BEGIN is ours
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=67108864"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("pesisir_write", False):
            _begin_to_write(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_to_write(connection: Connection) -> None:
    """Begin as soon as no other transaction writes; OperationalError if that takes too long.

    SQLite's own waiting sleeps a tenth of a second at a time, and so misses the moment between two transactions of the
    worker again and again: a resident who tapped would wait for most of a second where one transaction takes 90 ms.
    """
    until = time.monotonic() + _BUSY_TIMEOUT_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * _BUSY_TIMEOUT_SECONDS}")


def _is_busy(error: OperationalError) -> bool:
    return isinstance(error.orig, SQLiteError) and error.orig.sqlite_errorcode == SQLITE_BUSY
