"""The portal through ASGI, on a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.domain.keys import Chance
from app.services.keyring import Keyring
from tests.web.city import City, Clock, build_city


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def city(sqlite_database: Database, keyring: Keyring, clock: Clock, chance: Chance, tmp_path: Path) -> Iterator[City]:
    built = build_city(sqlite_database, keyring, clock, chance, tmp_path)
    with built.client:
        yield built
