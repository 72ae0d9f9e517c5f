"""Which databases may be worked with."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db import meta
from app.db.engine import Database
from app.services.keyring import Keyring
from app.services.schema import SchemaError, open_ready_database, upgrade, verify

OTHER_KEY = Keyring(b"\xff" * 32)


def test_first_upgrade_makes_the_feed_epoch_and_the_key_check(database: Database, keyring: Keyring) -> None:
    with database.read() as connection:
        assert meta.read(connection, meta.KEY_CHECK) == keyring.check
        assert len(meta.read(connection, meta.FEED_EPOCH) or "") == 20


def test_fit_database_is_verified(database: Database, keyring: Keyring) -> None:
    verify(database, keyring)


@pytest.mark.parametrize("act", ["verify", "upgrade"])
def test_wrong_secret_key_is_refused(act: str, database: Database, chance: Callable[[int], bytes]) -> None:
    with pytest.raises(SchemaError, match="secret key") as caught:
        verify(database, OTHER_KEY) if act == "verify" else upgrade(database, OTHER_KEY, chance=chance)
    assert "PESISIR_SECRET_KEY" in caught.value.remedy


def test_newer_schema_is_refused_by_start_and_upgrade(
    database: Database, keyring: Keyring, chance: Callable[[int], bytes]
) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer release"):
        verify(database, keyring)
    with pytest.raises(SchemaError, match="newer release"):
        upgrade(database, keyring, chance=chance)


def test_empty_database_is_refused_with_the_command_to_run(tmp_path: Path, keyring: Keyring) -> None:
    with pytest.raises(SchemaError, match="pesisir db upgrade"):
        open_ready_database(f"sqlite:///{tmp_path / 'none.db'}", keyring)


def test_file_that_is_no_database_is_refused(tmp_path: Path, keyring: Keyring) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"Dear Sir or Madam, " * 1_000)
    with pytest.raises(SchemaError, match="damaged"):
        open_ready_database(f"sqlite:///{path}", keyring)
