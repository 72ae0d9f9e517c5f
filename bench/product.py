"""A throw-away Pesisir as it ships: `pesisir serve`, its data in one folder."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import case, func, select

from app.config import load, load_secret_key
from app.db import guests, resume
from app.db.engine import Database, open_database
from app.db.tables.sessions import sessions
from app.domain.keys import draw_id
from app.domain.nases import Family
from app.domain.resume import ResumeGrant
from app.domain.users import CredentialKind
from app.node.journal.reader import JournalReader, journal_directories
from app.node.journal.segment import Position
from app.node.running import read_running
from app.services import nases, plans, sites
from app.services.keyring import Keyring
from app.services.positions import ingest_state
from app.services.schema import upgrade
from app.services.user_import import import_users
from bench.postgresql import PostgreSql
from bench.server import Stored
from bench.setting import (
    IDLE_SECONDS,
    INTERIM_SECONDS,
    MAC_SECRET,
    OCTETS,
    SECRET,
    SESSION_SECONDS,
    Setting,
    free_ports,
)

ROOT: Final = Path(__file__).resolve().parents[1]
_READY_SECONDS: Final = 300.0
_DATABASE: Final = "pesisir"
_IMPORTED_AT_ONCE: Final = 200_000  # a file with more than 250,000 rows is to be split
_PLAN: Final = "Warga"
_SITE: Final = "Gusung"


class Pesisir:
    """One installation. `import_seconds` is how long its people took to be read in."""

    def __init__(self, setting: Setting, postgresql: PostgreSql | None = None, *, name: str = "") -> None:
        self.name = name or ("Pesisir, SQLite" if postgresql is None else "Pesisir, PostgreSQL")
        self.auth_port, self.acct_port, self._portal, self._admin = free_ports(4)
        self.import_seconds = 0.0
        self._postgresql = postgresql
        self._workers = setting.workers
        self._data = setting.folder / ("pesisir" if postgresql is None else "pesisir-postgresql")
        self._process: subprocess.Popen[bytes] | None = None
        self._data.mkdir()
        if postgresql is not None:
            postgresql.create(_DATABASE)
        settings = load(self._environment())
        self._keyring = Keyring(load_secret_key(settings))
        self._database = open_database(settings.database_url)
        upgrade(self._database, self._keyring, chance=os.urandom)
        self._add_people(setting)
        _add_routers(self._database, self._keyring, setting)
        _remember(self._database, setting)

    def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve"],
                cwd=ROOT,
                env={**os.environ, **self._environment()},
                stdout=log,
                stderr=log,
            )

    def wait_ready(self) -> None:
        """Wait until every process says where it listens."""
        assert self._process is not None
        until = time.monotonic() + _READY_SECONDS
        expected = {*(f"radius-{number}" for number in range(self._workers)), "worker", "http"}
        while not expected <= set(self._running()):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not start: {self.log.read_text('utf-8')[-2000:]}")
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """Return the processes that answer RADIUS."""
        return [pid for process, pid in self._running().items() if process.startswith("radius-")]

    @property
    def log(self) -> Path:
        """Return the file with what its processes have said."""
        return self._data / "log"

    def processes(self) -> dict[str, int]:
        """Return every process of it by name: the supervisor, the portal, RADIUS, the worker."""
        assert self._process is not None
        return {"supervisor": self._process.pid, **dict(sorted(self._running().items()))}

    def roots(self) -> list[int]:
        """Return the supervisor and the database."""
        assert self._process is not None
        return [self._process.pid] + ([] if self._postgresql is None else [self._postgresql.pid])

    def settled(self) -> bool:
        """Tell whether the whole journal is in the database. The positions are read first: nothing is missed."""
        positions = {
            (one.node, one.worker): Position(one.segment, one.segment_id, one.offset)
            for one in ingest_state(self._database).positions
        }
        return all(
            JournalReader(directory, positions.get((node, worker))).read(1) is None
            for node, worker, directory in journal_directories(self._data)
        )

    def stored(self) -> Stored | None:
        """Return what its database holds; `closed` are the sessions that a Stop has ended.

        Others end by themselves meanwhile: those of phones that have come back since.
        """
        stopped = func.coalesce(func.sum(case((sessions.c.stop_reported.is_(True), 1), else_=0)), 0)
        octets = (func.coalesce(func.sum(sessions.c[name]), 0) for name in ("up_octets", "down_octets"))
        with self._database.read() as connection:
            row = connection.execute(select(func.count(), stopped, *octets).select_from(sessions)).one()
        return Stored(*(int(value) for value in row))

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _running(self) -> dict[str, int]:
        """Return the process number of each process that is announced and alive."""
        found = {}
        for process, content in read_running(self._data).items():
            pid = content["pid"]
            assert isinstance(pid, int)
            if Path(f"/proc/{pid}").exists():
                found[process] = pid
        return found

    def _environment(self) -> Mapping[str, str]:
        database = {} if self._postgresql is None else {"PESISIR_DATABASE_URL": self._postgresql.url(_DATABASE)}
        return database | {
            "PESISIR_DATA_DIR": str(self._data),
            "PESISIR_RADIUS_WORKERS": str(self._workers),
            "PESISIR_RADIUS_AUTH_LISTEN": f"127.0.0.1:{self.auth_port}",
            "PESISIR_RADIUS_ACCT_LISTEN": f"127.0.0.1:{self.acct_port}",
            "PESISIR_HTTP_LISTEN": f"127.0.0.1:{self._portal}",
            "PESISIR_ADMIN_LISTEN": f"127.0.0.1:{self._admin}",
        }

    def _add_people(self, setting: Setting) -> None:
        plans.add_plan(
            self._database,
            _PLAN,
            down_bps=4_000_000,
            up_bps=2_000_000,
            monthly_octets=OCTETS,
            session_seconds=SESSION_SECONDS,
            idle_seconds=IDLE_SECONDS,
            interim_seconds=INTERIM_SECONDS,
            now=_now(),
            chance=os.urandom,
        )
        sites.add_site(self._database, _SITE, guest_plan=_PLAN, now=_now(), chance=os.urandom)
        began = time.monotonic()
        people = setting.accounts()
        while part := list(islice(people, _IMPORTED_AT_ONCE)):
            table = "".join(f"{name},{password}\n" for name, password in part)
            report = import_users(
                self._database,
                self._keyring,
                b"username,password\n" + table.encode(),
                kind=CredentialKind.ENCRYPTED,
                dry_run=False,
                progress=lambda _done, _whole: None,
                now=_now(),
                chance=os.urandom,
            )
            assert report.added == len(part)
        self.import_seconds = time.monotonic() - began


def _add_routers(database: Database, keyring: Keyring, setting: Setting) -> None:
    for number, address in enumerate(setting.addresses()):
        nases.add_nas(
            database,
            keyring,
            f"router-{number}",
            address=address,
            family=Family.MIKROTIK,
            site=_SITE,
            secret=SECRET,
            mac_secret=MAC_SECRET,
            now=_now(),
            chance=os.urandom,
        )


def _remember(database: Database, setting: Setting) -> None:
    """Leave what a tap at the splash page leaves of each phone: a guest and a resume grant."""
    plan_id, site_id = plans.show_plan(database, _PLAN).id, sites.show_site(database, _SITE).id
    now = _now()
    with database.write() as connection:
        for mac in setting.macs():
            account_id = draw_id(os.urandom)
            guests.welcome(connection, account_id, mac, plan_id=plan_id, site_id=site_id, now=now)
            grant = ResumeGrant(mac, account_id, site_id, now + timedelta(days=1))
            resume.keep(connection, draw_id(os.urandom), grant, now=now)


def _now() -> datetime:
    return datetime.now(UTC)
