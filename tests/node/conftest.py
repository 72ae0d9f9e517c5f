from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.services.keyring import Keyring
from tests.node.city import City, Node


@pytest.fixture
def city(sqlite_database: Database, keyring: Keyring) -> City:
    return City(sqlite_database, keyring)


@pytest.fixture
def both_city(database: Database, keyring: Keyring) -> City:
    """The city on each kind of database."""
    return City(database, keyring)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[City], Node]]:
    """Start a node of a city; its journal goes on where an earlier one ended."""
    nodes: list[Node] = []

    def start_one(city: City) -> Node:
        if nodes:
            nodes[-1].close()
        nodes.append(Node(city, tmp_path / "journal" / "nodenodenodenode" / "0"))
        return nodes[-1]

    yield start_one
    if nodes:
        nodes[-1].close()
