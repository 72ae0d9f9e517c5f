"""Noticing that another connection has committed something: NOTIFY on PostgreSQL, `data_version` on SQLite.

It only wakes a reader sooner: whoever waits reads the feed from time to time anyway, so a lost notice costs a delay.
"""

import select
import sqlite3
from typing import Final, Protocol

import psycopg
from psycopg import sql

from app.db.engine import Database
from app.db.feed import CHANNEL

_SQLITE_POLL_SECONDS: Final = 0.1


class Watch(Protocol):
    """Waits for a change; a connection of its own."""

    def wait(self, wake: int, seconds: float) -> None:
        """Return when something was committed, when the descriptor `wake` is readable, or after `seconds`."""

    def close(self) -> None:
        """Give the connection back."""


class SQLiteWatch:
    """Polls `PRAGMA data_version`: it changes when another connection commits, and costs microseconds."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
        self._version = self._read()

    def wait(self, wake: int, seconds: float) -> None:
        """See `Watch`."""
        for _ in range(max(1, round(seconds / _SQLITE_POLL_SECONDS))):
            woken, _, _ = select.select([wake], [], [], _SQLITE_POLL_SECONDS)
            version = self._read()
            if woken or version != self._version:
                self._version = version
                return

    def close(self) -> None:
        """See `Watch`."""
        self._connection.close()

    def _read(self) -> int:
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)


class PostgresWatch:
    """Listens on a connection that must reach PostgreSQL itself: PgBouncer in transaction mode forgets LISTEN."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=3)
        self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))

    def wait(self, wake: int, seconds: float) -> None:
        """See `Watch`; raises psycopg.OperationalError when the connection is lost."""
        notified, _, _ = select.select([self._connection.fileno(), wake], [], [], seconds)
        if self._connection.fileno() in notified:
            for _ in self._connection.notifies(timeout=0):
                pass

    def close(self) -> None:
        """See `Watch`."""
        self._connection.close()


def watch(database: Database) -> Watch:
    """Open the watch that fits the database; raises its driver's error if that is away."""
    url = database.engine.url
    if database.is_postgresql:
        return PostgresWatch(url.set(drivername="postgresql").render_as_string(hide_password=False))
    assert url.database, "a node needs a database file: an in-memory one cannot be watched"
    return SQLiteWatch(url.database)


WATCH_ERRORS: Final = (psycopg.Error, sqlite3.Error)
"""How a watch fails when its connection is lost."""
