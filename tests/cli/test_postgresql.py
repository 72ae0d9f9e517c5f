"""The same commands on PostgreSQL, whose schema only `db upgrade` makes."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Pesisir
from tests.conftest import PostgresqlServer


@pytest.fixture
def empty(settings: dict[str, str], postgresql_server: PostgresqlServer) -> Iterator[Pesisir]:
    name = postgresql_server.create()
    yield Pesisir(settings | {"PESISIR_DATABASE_URL": postgresql_server.url(name)})
    postgresql_server.drop(name)


def test_empty_postgresql_is_refused_with_the_command_that_helps(empty: Pesisir) -> None:
    done = empty.run("site", "list")
    assert done.code == 1
    assert "pesisir db upgrade" in done.err


def test_upgraded_postgresql_is_worked_with(empty: Pesisir) -> None:
    empty.ok("db", "upgrade")
    empty.ok("plan", "add", "Warga", "--down", "4M")
    empty.ok("site", "add", "Gusung", "--guest-plan", "Warga")
    empty.ok("user", "import", "-", "--secret", "encrypted", stdin="username,password\nani,rahasia-ani\n")
    empty.ok("voucher", "create", "--plan", "Warga", "--count", "2")
    assert empty.ok("user", "list", "--json").json[0]["username"] == "ani"
    assert empty.ok("session", "totals", "--json").json["sessions"] == 0
    health = {finding["what"]: finding["health"] for finding in empty.ok("doctor", "--json").json}
    assert health["database"] == "ok"
