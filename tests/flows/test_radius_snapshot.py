"""A RADIUS process that starts while its database is away: it decides from its disk, and loses nothing."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.node.running import read_running
from app.node.stored import sealed
from app.node.stored.age import Dated
from app.node.stored.loading import stored_path
from app.services.keyring import Keyring
from app.services.sessions import session_totals
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Timing
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange
from tests.conftest import PostgresqlServer
from tests.flows.serving import Installation, Router
from tests.node.city import SECRET, City
from tests.node.journals import until

pytestmark = pytest.mark.long

MAC = "02-AA-00-00-00-01"
RADIUS = ("radius", "0", "--status")
TIMING = Timing(first_seconds=2.0, longest_seconds=2.0, attempts=2, give_up_seconds=4.0)  # a router's patience


@dataclass
class Outage:
    """Takes a database out of everybody's reach, and gives it back."""

    database: Database
    server: PostgresqlServer | None

    def begin(self) -> None:
        self.database.engine.dispose()
        if self.server is None:
            self._move("", ".away")
            return
        name = self.database.engine.url.database
        self.server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        self.server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def end(self) -> None:
        if self.server is None:
            self._move(".away", "")
        else:
            self.server.execute(f"ALTER DATABASE {self.database.engine.url.database} WITH ALLOW_CONNECTIONS true")

    def _move(self, before: str, after: str) -> None:
        for part in ("", "-wal", "-shm"):
            path = Path(f"{self.database.engine.url.database}{part}{before}")
            if path.exists():
                path.rename(f"{self.database.engine.url.database}{part}{after}")


@dataclass
class Town:
    """A city whose node can be cut off from its database."""

    city: City
    installation: Installation
    outage: Outage

    @property
    def stored(self) -> Path:
        return stored_path(self.installation.data_dir, 0)

    def store(self) -> None:
        """Let a node load, and end: that stores its snapshot."""
        with self.installation.running(*RADIUS):
            pass

    def ask(self, name: str, password: str, session: str = "81a00001") -> Code | None:
        """Return what an Access-Request is answered; None for silence."""
        said = {"User-Name": name, "Calling-Station-Id": MAC, "Acct-Session-Id": session, "NAS-Identifier": "gusung-1"}
        query = AccessQuery(Attributes(said.items()), PapPassword(password.encode()))
        answered = exchange(("127.0.0.1", self.installation.auth_port), SECRET.encode(), query, timing=TIMING)
        return answered.reply.code if isinstance(answered, Answered) else None

    def account(self, status: str, octets: int, session: str = "81a00001") -> None:
        """Send an Accounting-Request until it is acknowledged."""
        said = Attributes([("Acct-Status-Type", status), ("User-Name", "budi"), ("Calling-Station-Id", MAC)])
        said.add("Acct-Session-Id", session).add("NAS-Identifier", "gusung-1").add("Acct-Output-Octets", octets)
        router = Router(self.installation.acct_port)
        router.send([(SECRET.encode(), said.to_bytes())], patience=20)
        router.close()

    def readiness(self) -> tuple[int, dict[str, object]]:
        """Return what /readyz says."""
        listening = read_running(self.installation.data_dir)["radius-0"]["status"]
        assert isinstance(listening, list)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{listening[0][1]}/readyz", timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def town_on(database: Database, server: PostgresqlServer | None, keyring: Keyring, folder: Path) -> Town:
    city = City(database, keyring)
    city.time.at = datetime.now(UTC)
    city.add_user("budi")
    return Town(city, Installation(database, folder / "var"), Outage(database, server))


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, keyring: Keyring, tmp_path: Path) -> Iterator[Town]:
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    made = town_on(request.getfixturevalue(f"{request.param}_database"), server, keyring, tmp_path)
    yield made
    assert "Traceback" not in made.installation.talk()


def test_d04_a_start_without_the_database_decides_and_loses_nothing(town: Town) -> None:
    ticket = town.city.ticket(town.city.add_user("siti"))
    with town.installation.running(*RADIUS):
        assert town.ask(ticket.name, ticket.password, session="81a00009") is Code.ACCESS_ACCEPT
    assert town.stored.stat().st_mode & 0o777 == 0o600
    town.outage.begin()
    with town.installation.running(*RADIUS), town.installation.waiting("worker", "--status"):
        status, said = town.readiness()
        assert (status, said["snapshot"]) == (200, "file")
        assert town.ask("budi", "rahasia-123") is Code.ACCESS_ACCEPT
        assert town.ask("budi", "salah") is Code.ACCESS_REJECT
        assert town.ask("siapa", "rahasia-123") is None
        assert town.ask(ticket.name, ticket.password, session="81a00009") is Code.ACCESS_ACCEPT
        assert town.ask(ticket.name, ticket.password, session="another") is Code.ACCESS_REJECT
        town.account("Start", 0)
        town.account("Interim-Update", 123_456)
        town.outage.end()
        until(lambda: session_totals(town.city.database).down_octets == 123_456, seconds=60)
        until(lambda: town.readiness()[1]["snapshot"] == "database", seconds=30)
        town.city.add_user("baru")
        assert town.ask("baru", "rahasia-123", session="81a00002") is Code.ACCESS_ACCEPT


def test_d04_a_killed_node_knows_from_its_disk_and_its_journal(town: Town) -> None:
    process = town.installation.start(*RADIUS)
    town.installation.wait_ready(process, "radius-0")
    until(town.stored.exists)
    ticket = town.city.ticket(town.city.add_user("siti"))
    assert town.ask(ticket.name, ticket.password) is Code.ACCESS_ACCEPT
    process.kill()
    process.wait()
    town.outage.begin()
    with town.installation.running(*RADIUS):
        assert town.ask("budi", "rahasia-123", session="81a00002") is Code.ACCESS_ACCEPT
        assert town.ask(ticket.name, ticket.password) is Code.ACCESS_ACCEPT
        assert town.ask(ticket.name, ticket.password, session="another") is Code.ACCESS_REJECT
    town.outage.end()


def test_d04_a_snapshot_that_is_too_old_is_silence(town: Town, keyring: Keyring) -> None:
    town.store()
    found = sealed.read(town.stored, keyring)
    eight_days_ago = datetime.now(UTC) - timedelta(days=8)
    old = replace(found.label, dated=Dated(eight_days_ago, eight_days_ago, 0.5))
    sealed.write(town.stored, old, found.parts, keyring, chance=os.urandom)
    town.outage.begin()
    with town.installation.running(*RADIUS):
        assert town.ask("budi", "rahasia-123") is None
        town.account("Start", 0)
        status, said = town.readiness()
        assert (status, said["auth"], said["acct"], said["snapshot"]) == (503, False, True, "file")
    town.outage.end()


def test_a_snapshot_that_was_tampered_with_is_refused_and_the_database_waited_for(town: Town) -> None:
    town.store()
    data = bytearray(town.stored.read_bytes())
    data[-20] ^= 1
    town.stored.write_bytes(data)
    town.outage.begin()
    process = town.installation.start(*RADIUS)
    try:
        until(lambda: "event=snapshot_refused" in town.installation.talk(), seconds=30)
        assert f"file={town.stored}" in town.installation.talk()
        assert "in the part at octet" in town.installation.talk()
        assert town.ask("budi", "rahasia-123") is None
        town.outage.end()
        town.installation.wait_ready(process, "radius-0")
        assert town.ask("budi", "rahasia-123") is Code.ACCESS_ACCEPT
        assert town.readiness()[1]["snapshot"] == "database"
    finally:
        process.terminate()
        process.wait(60)


def test_d04_a_database_that_is_half_alive_is_away(
    postgresql_server: PostgresqlServer, postgresql_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    town = town_on(postgresql_database, postgresql_server, keyring, tmp_path)
    town.store()
    with postgresql_database.write() as connection:
        connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))  # who asks for it waits
        process = town.installation.start(*RADIUS)
        try:
            town.installation.wait_ready(process, "radius-0")
            assert town.ask("budi", "rahasia-123") is Code.ACCESS_ACCEPT
            assert town.readiness()[1]["snapshot"] == "file"
            process.terminate()
            assert process.wait(60) == 0  # though it waits for the database
            process = town.installation.start(*RADIUS)
            town.installation.wait_ready(process, "radius-0")
            connection.rollback()
            until(lambda: town.readiness()[1]["snapshot"] == "database", seconds=30)
        finally:
            process.terminate()
            assert process.wait(60) == 0


def test_a_database_of_another_release_stops_the_start_nevertheless(town: Town) -> None:
    town.store()
    with town.city.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert town.installation.start(*RADIUS).wait(30) == 3
    assert "newer release" in town.installation.talk()


def test_serve_makes_no_new_database_where_one_has_been(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    town = town_on(sqlite_database, None, keyring, tmp_path)
    town.store()
    town.outage.begin()
    command = [sys.executable, "-m", "app.cli", "serve", "--only", "radius"]
    with (tmp_path / "serve.log").open("wb") as out:
        process = subprocess.Popen(command, env=town.installation.environment, stdout=out, stderr=out)
    try:
        town.installation.wait_ready(process, "radius-0")
        assert town.ask("budi", "rahasia-123") is Code.ACCESS_ACCEPT
    finally:
        process.terminate()
        assert process.wait(60) == 0
    assert not (tmp_path / "pesisir.db").exists()
