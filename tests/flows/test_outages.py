"""D04: database or worker stand still under load: people log in, accounting is acknowledged, and it adds up."""

import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from app.db.engine import Database, open_database
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from app.services.schema import upgrade
from tests.conftest import PostgresqlServer
from tests.flows.evenings import Sender, Town, compare, evening, positions
from tests.flows.logins import Logins
from tests.flows.serving import Installation
from tests.node.journals import until

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

MINUTE: Final = 60.0
PATIENCE_SECONDS: Final = 3.0  # what a login may take on a machine that runs other tests beside this one
SQLITE_WAITS_SECONDS: Final = 10.0  # after which whoever wants a locked database gives up


class Load:
    """An evening's accounting and people who log in, over one installation, while something is broken."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path, *, packets: int = 6_000) -> None:
        self.database = database
        self.town, self.logins = Town(database, keyring), Logins(database, keyring)
        self.history = evening(packets)
        self.town.add_accounts(self.history)
        self.installation = Installation(database, folder / "var")
        self.sender = Sender(self.town, self.history, self.installation.acct_port)

    @property
    def pending(self) -> int:
        """Return how many records the database does not have yet."""
        return journal_status(self.installation.data_dir, positions(self.database)).pending

    @contextmanager
    def running(self) -> Iterator[None]:
        """Load the node while the block runs, and until the whole evening is sent; then let everything be merged."""
        stop = Event()
        with self.installation.running("radius", "0", "--status"), ThreadPoolExecutor() as threads:
            working = [
                threads.submit(self.sender.send_until, stop),
                threads.submit(self.logins.log_in_until, stop, self.installation.auth_port),
            ]
            try:
                self.go_on()
                yield
                self.go_on()
            finally:
                stop.set()
            for one in working:
                one.result()
            until(lambda: self.pending == 0, seconds=180)

    def go_on(self) -> None:
        """Wait until more is acknowledged."""
        self.sender.wait_for(self.sender.batches + 5)

    def check(self) -> None:
        """Nobody waited, and what was acknowledged is there, once."""
        print(f"{len(self.logins.done)} logins, the slowest took {self.logins.wait():.2f} s")
        assert self.logins.wait() < PATIENCE_SECONDS
        compare(self.town, self.history)
        self.logins.kept()
        assert "Traceback" not in self.installation.talk()


@pytest.fixture
def own_server() -> Iterator[PostgresqlServer]:
    server = PostgresqlServer(Path(tempfile.mkdtemp(prefix="pesisir-pg-")))
    server.execute("ALTER SYSTEM RESET synchronous_commit")  # what is committed survives the server's death
    server.execute("SELECT pg_reload_conf()")
    yield server
    server.close()


@pytest.fixture
def own_database(own_server: PostgresqlServer, keyring: Keyring) -> Iterator[Database]:
    database = open_database(own_server.url(own_server.create()))
    upgrade(database, keyring, chance=os.urandom)
    yield database
    database.close()


def test_postgresql_killed_and_away_for_a_minute(
    own_server: PostgresqlServer, own_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    load = Load(own_database, keyring, tmp_path)
    with load.installation.running("worker", "--status"), load.running():
        own_server.kill()
        own_database.close()
        before = load.sender.batches
        Event().wait(MINUTE)
        assert load.sender.batches > before + MINUTE
        own_server.start_again()
    load.check()


def test_postgresql_that_stands_still_and_goes_on(
    own_server: PostgresqlServer, own_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    load = Load(own_database, keyring, tmp_path)
    with load.installation.running("worker", "--status"), load.running():
        own_server.signal(signal.SIGSTOP)
        try:
            load.sender.wait_for(load.sender.batches + 100)
        finally:
            own_server.signal(signal.SIGCONT)
    load.check()


def test_sqlite_locked_for_longer_than_anybody_waits_for_it(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    load = Load(sqlite_database, keyring, tmp_path)
    with load.installation.running("worker", "--status"), load.running():
        other = sqlite3.connect(str(sqlite_database.engine.url.database), isolation_level=None, timeout=30)
        other.execute("BEGIN EXCLUSIVE")
        Event().wait(1.5 * SQLITE_WAITS_SECONDS)
        assert load.pending > 100
        other.execute("ROLLBACK")
        other.close()
    load.check()
    assert "database_away" in load.installation.talk()


def test_ingest_stopped_while_the_evening_goes_on(database: Database, keyring: Keyring, tmp_path: Path) -> None:
    load = Load(database, keyring, tmp_path)
    with ExitStack() as later, load.running():
        load.sender.wait_for(100)
        assert load.pending >= 1_600
        later.enter_context(load.installation.running("worker", "--status"))
    load.check()
