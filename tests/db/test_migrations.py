"""The migrations: what they make, and what is left when one is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from app.db import migrate
from app.db.engine import Database, open_database
from app.db.migrate import SchemaState
from app.db.tables.columns import metadata
from app.services.keyring import Keyring
from app.services.schema import upgrade
from tests.conftest import SECRET_KEY, PostgresqlServer

KILLED = """
import os, signal, sys
from sqlalchemy import event
from app.db.engine import open_database
from app.services.keyring import Keyring
from app.services.schema import upgrade

database = open_database(sys.argv[1])
left = int(sys.argv[2])

@event.listens_for(database.engine, "before_cursor_execute")
def count(connection, cursor, statement, parameters, context, executemany):
    global left
    if statement.lstrip().upper().startswith(("CREATE", "INSERT")):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(database.engine, "commit")
def before_commit(connection):
    if left <= 900:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(database, Keyring(bytes.fromhex(sys.argv[3])), chance=os.urandom)
"""
"""Upgrades and dies before a statement, or, where the number is large, before the commit."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Database]:
    database = open_database(empty_url)
    yield database
    database.close()


def test_migrated_schema_is_what_the_tables_say(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def test_upgrade_makes_everything_and_a_second_one_nothing(
    empty_database: Database, keyring: Keyring, chance: Callable[[int], bytes]
) -> None:
    assert migrate.check(empty_database) is SchemaState.EMPTY
    assert migrate.revision_of(empty_database) is None
    newest = migrate.newest_revision()
    first = upgrade(empty_database, keyring, chance=chance)
    second = upgrade(empty_database, keyring, chance=chance)
    assert (first.before, first.after, second.before, second.after) == (None, newest, newest, newest)
    assert migrate.check(empty_database) is SchemaState.CURRENT


@pytest.mark.parametrize("statements", [1, 20, 900], ids=["at its first table", "half way", "before the commit"])
def test_killed_upgrade_leaves_nothing_and_the_next_does_it_all(
    empty_url: str, statements: int, keyring: Keyring, chance: Callable[[int], bytes]
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", KILLED, empty_url, str(statements), SECRET_KEY.hex()],
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert run.returncode == -signal.SIGKILL
    database = open_database(empty_url)
    try:
        assert migrate.check(database) is SchemaState.EMPTY
        upgrade(database, keyring, chance=chance)
        assert migrate.check(database) is SchemaState.CURRENT
    finally:
        database.close()


def test_tables_of_something_else_are_told_apart(empty_database: Database) -> None:
    with empty_database.write() as connection:
        connection.execute(text("CREATE TABLE users (id integer)"))
    assert migrate.check(empty_database) is SchemaState.FOREIGN


def test_unknown_revision_is_a_newer_release(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert migrate.check(database) is SchemaState.AHEAD


def test_installed_package_carries_the_migrations() -> None:
    assert (migrate.migrations_folder() / "env.py").is_file()
    settings = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert '"migrations" = "app/_data/migrations"' in settings


def test_what_a_free_tap_gave_is_for_guests_after_the_upgrade(
    empty_database: Database, keyring: Keyring, chance: Callable[[int], bytes]
) -> None:
    with empty_database.write() as connection:
        migrate.upgrade(connection, to="0006")
        for plan in ("tamu", "warga"):
            connection.execute(
                text(f"INSERT INTO plans (id, name, created_at) VALUES ('{plan}', '{plan}', '2026-01-01')")
            )
        connection.execute(
            text(
                "INSERT INTO sites (id, name, guest_plan_id, interim_seconds, created_at)"
                " VALUES ('gusung', 'Gusung', 'tamu', 60, '2026-01-01')"
            )
        )
    upgrade(empty_database, keyring, chance=chance)
    with empty_database.read() as connection:
        classes = connection.execute(text("SELECT id, service_class FROM plans ORDER BY id")).all()
    assert [tuple(row) for row in classes] == [("tamu", "guest"), ("warga", "resident")]
