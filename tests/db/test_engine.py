"""The two kinds of transaction, alike on both databases."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db import meta
from app.db.engine import Database, open_database
from app.db.errors import AWAY


class _StopHereError(Exception):
    pass


def test_write_is_undone_by_an_exception(database: Database) -> None:
    def add_and_stop() -> None:
        with database.write() as connection:
            meta.add(connection, "word", "1")
            raise _StopHereError

    with pytest.raises(_StopHereError):
        add_and_stop()
    with database.read() as connection:
        assert meta.read(connection, "word") is None


def test_read_sees_one_moment(database: Database) -> None:
    with database.read() as reader:
        assert meta.read(reader, "word") is None
        with database.write() as writer:
            meta.add(writer, "word", "1")
        assert meta.read(reader, "word") is None
    with database.read() as reader:
        assert meta.read(reader, "word") == "1"


def test_new_sqlite_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pesisir.db"
    database = open_database(f"sqlite:///{path}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE one (id INTEGER)"))
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    database.close()
    assert modes == {"pesisir.db": 0o600, "pesisir.db-wal": 0o600, "pesisir.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


# D19
def test_sqlite_writer_has_its_turn_from_the_start(sqlite_database: Database) -> None:
    file = sqlite_database.engine.url.database
    assert file is not None
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        with sqlite_database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


# D19
def test_sqlite_writers_wait_for_each_other(sqlite_database: Database) -> None:
    began = threading.Event()

    def second() -> None:
        began.set()
        with sqlite_database.write() as connection:
            meta.replace(connection, "word", "2")

    with sqlite_database.write() as connection:
        thread = threading.Thread(target=second)
        thread.start()
        assert began.wait(5)
        meta.add(connection, "word", "1")
    thread.join()
    with sqlite_database.read() as connection:
        assert meta.read(connection, "word") == "2"


# D19
def test_sqlite_writer_looks_again_soon(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    file = sqlite_database.engine.url.database
    assert file is not None
    waits: list[float] = []
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                other.execute("ROLLBACK")

        monkeypatch.setattr("app.db.engine.time.sleep", sleep)
        with sqlite_database.write() as connection:
            assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 10_000
            meta.add(connection, "word", "1")
    assert waits == [0.001] * 3


# D19
def test_sqlite_writer_gives_up_in_the_end(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    file = sqlite_database.engine.url.database
    assert file is not None
    passed = [0.0]
    monkeypatch.setattr("app.db.engine.time.monotonic", lambda: passed[0])
    monkeypatch.setattr("app.db.engine.time.sleep", lambda _: passed.append(passed.pop() + 4))
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AWAY, match="locked"), sqlite_database.write():
            pytest.fail("two write at once")
        assert passed == [12.0]
        other.execute("ROLLBACK")
    with sqlite_database.write() as connection:
        meta.add(connection, "word", "1")


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)],
    ids=["write-ahead log", "durable before acknowledged", "references hold"],
)
# D01, D19
def test_sqlite_is_set_up(sqlite_database: Database, pragma: str, expected: object) -> None:
    with sqlite_database.read() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == expected


# D19
def test_sqlite_log_stays_small_whatever_is_written(tmp_path: Path) -> None:
    database, log = open_database(f"sqlite:///{tmp_path}/pesisir.db"), tmp_path / "pesisir.db-wal"
    with database.write() as connection:
        connection.execute(text("CREATE TABLE one (data BLOB)"))
    largest = 0
    for _ in range(10):
        with database.write() as connection:
            connection.execute(text("INSERT INTO one VALUES (zeroblob(4000000))"))
        largest = max(largest, log.stat().st_size)
    assert largest < 20_000_000  # each transaction's 4 MB go into the database soon, so that nothing adds up
    with database.write() as connection:
        connection.execute(text("INSERT INTO one VALUES (zeroblob(80000000))"))
    with database.write() as connection:
        connection.execute(text("INSERT INTO one VALUES (zeroblob(1))"))
    assert log.stat().st_size <= 2**26  # what one transaction has made of it is given back
    database.close()


def test_whole_database_has_no_damage(database: Database) -> None:
    assert database.damage() is None


# D19
def test_damaged_sqlite_file_is_noticed(migrated_sqlite_file: Path, tmp_path: Path) -> None:
    data = bytearray(migrated_sqlite_file.read_bytes())
    for page in range(3, len(data) // 4_096 - 1):
        data[page * 4_096 : page * 4_096 + 64] = b"\xa5" * 64
    path = tmp_path / "damaged.db"
    path.write_bytes(data)
    database = open_database(f"sqlite:///{path}")
    try:
        assert database.damage() is not None
    finally:
        database.close()
