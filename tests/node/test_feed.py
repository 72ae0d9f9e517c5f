"""Following the feed on both databases; on PostgreSQL a transaction that took an earlier number may commit later."""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from app.db import feed, meta
from app.db.engine import Database
from app.db.feed import Cursor, FeedKind
from app.db.watch import watch
from tests.factories import NOON


def tell(connection: Connection, *ids: str) -> None:
    feed.append(connection, now=NOON, items={FeedKind.ACCOUNT: ids})


def committed(database: Database, *ids: str) -> None:
    with database.write() as connection:
        tell(connection, *ids)


def here(database: Database) -> Cursor:
    with database.read() as connection:
        return feed.cursor_now(connection)


class Reader:
    """Reads as a node does, and remembers what it has seen."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.cursor = here(database)
        self.seen: list[str] = []

    def read(self) -> list[str]:
        with self.database.read() as connection:
            news = feed.read(connection, self.cursor)
        assert news is not None
        self.cursor = news.cursor
        fresh = sorted(news.items.get(FeedKind.ACCOUNT, frozenset()))
        self.seen += fresh
        return fresh


def test_reader_sees_what_was_committed_after_it_began(database: Database) -> None:
    committed(database, "before")
    reader = Reader(database)
    committed(database, "one")
    committed(database, "two", "three")
    assert reader.read() == ["one", "three", "two"]


def test_a_rolled_back_change_is_never_told(database: Database) -> None:
    reader = Reader(database)
    with database.engine.connect() as connection, connection.begin() as transaction:
        tell(connection, "never")
        transaction.rollback()
    committed(database, "later")
    assert reader.read() == ["later"]


def test_earlier_transaction_that_commits_later_is_not_missed(postgresql_database: Database) -> None:
    reader = Reader(postgresql_database)
    with postgresql_database.write() as slow:
        tell(slow, "slow")
        committed(postgresql_database, "fast")
        assert reader.read() == ["fast"]
        committed(postgresql_database, "faster")
        assert reader.read() == ["fast", "faster"]  # read again: the cursor waits for `slow`
    assert "slow" in reader.read()
    reader.read()
    assert reader.read() == []


def test_open_transaction_that_changes_nothing_here_holds_up_no_news(postgresql_database: Database) -> None:
    reader = Reader(postgresql_database)
    with postgresql_database.write() as idle:
        idle.execute(text("SELECT pg_current_xact_id()"))
        for n in range(5):
            committed(postgresql_database, f"news {n}")
            assert f"news {n}" in reader.read()


def test_xids_are_compared_as_numbers(postgresql_database: Database) -> None:
    with postgresql_database.write() as connection:
        tell(connection, "made")
        connection.execute(text("UPDATE feed SET xid = lpad('99', 20, '0')"))
    with postgresql_database.read() as connection:
        epoch = feed.cursor_now(connection).epoch
        low = feed.read(connection, Cursor(epoch, 99))
        high = feed.read(connection, Cursor(epoch, 100))
    assert low is not None
    assert high is not None
    assert low.items != {}
    assert high.items == {}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda cursor: Cursor("another", cursor.at), id="another epoch"),
        pytest.param(lambda cursor: Cursor(cursor.epoch, cursor.at + 1_000_000), id="the database went back"),
    ],
)
def test_a_cursor_that_means_nothing_any_more_asks_for_a_fresh_load(
    database: Database, change: Callable[[Cursor], Cursor]
) -> None:
    cursor = change(here(database))
    with database.read() as connection:
        assert feed.read(connection, cursor) is None


def test_restore_changes_the_epoch(database: Database) -> None:
    cursor = here(database)
    with database.write() as connection:
        meta.replace(connection, meta.FEED_EPOCH, "restored")
    with database.read() as connection:
        assert feed.read(connection, cursor) is None


def test_pruned_beyond_the_cursor_asks_for_a_fresh_load(database: Database) -> None:
    behind = here(database)
    committed(database, "old")
    current = Reader(database)
    with database.write() as connection:
        assert feed.prune(connection, before=NOON + timedelta(seconds=1)) == 1
    with database.read() as connection:
        assert feed.read(connection, behind) is None
    assert current.read() == []
    committed(database, "new")
    assert current.read() == ["new"]


def test_numbers_are_not_used_again_after_pruning(database: Database) -> None:
    committed(database, "old")
    with database.write() as connection:
        feed.prune(connection, before=NOON + timedelta(seconds=1))
    reader = Reader(database)
    committed(database, "new")
    assert reader.read() == ["new"]


def test_kinds_of_a_newer_release_are_passed_over(database: Database) -> None:
    reader = Reader(database)
    committed(database, "known")
    with database.write() as connection:
        connection.execute(text("""UPDATE feed SET items = '{"weather": ["rain"], "account": ["known"]}'"""))
    assert reader.read() == ["known"]


def test_watch_wakes_soon_after_a_commit(database: Database) -> None:
    waiting = watch(database)
    wake_out, wake_in = os.pipe()
    try:
        timer = threading.Timer(0.1, committed, [database, "news"])
        timer.start()
        began = time.monotonic()
        waiting.wait(wake_out, 60)
        assert time.monotonic() - began < 30
        timer.join()
    finally:
        waiting.close()
        os.close(wake_out)
        os.close(wake_in)


def test_watch_can_be_woken(database: Database) -> None:
    waiting = watch(database)
    wake_out, wake_in = os.pipe()
    try:
        os.write(wake_in, b"!")
        began = time.monotonic()
        waiting.wait(wake_out, 60)
        assert time.monotonic() - began < 30
    finally:
        waiting.close()
        os.close(wake_out)
        os.close(wake_in)
