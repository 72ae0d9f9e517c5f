"""D09: clocks are set by an hour, and one begins in 1970, under real processes: libfaketime tells them the time."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final

import pytest
from sqlalchemy import func, select

from app.db.engine import Database
from app.db.tables.sessions import sessions as sessions_table
from app.db.tables.sessions import usage
from app.node.journal.status import journal_status
from app.services import users
from app.services.keyring import Keyring
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Reply, Timing
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange
from tests.flows.evenings import positions
from tests.flows.serving import Installation, Router
from tests.lab.conftest import demand
from tests.node.city import MAC_SECRET, SECRET, City
from tests.node.journals import until

pytestmark = pytest.mark.lab

PHONES: Final = 12
RESUMED: Final = "02:aa:00:00:01:00"
STALE_SECONDS: Final = 35.0  # the worker looks for silent sessions every 30 s, by no clock that can be set
TIMING: Final = Timing(first_seconds=2.0, attempts=3, give_up_seconds=6.0)


@dataclass
class Clock:
    """What the processes take for the time: the real one plus some seconds, or a moment from which it goes on."""

    file: Path

    def set(self, words: str) -> None:
        part = self.file.with_suffix(".new")
        part.write_text(f"{words}\n")
        part.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }


@dataclass
class Spot:
    """A router without an Event-Timestamp, whose phones are online; it counts their time by itself."""

    city: City
    installation: Installation
    classes: dict[int, bytes] = field(default_factory=dict)

    def ask(self, name: str, password: str, mac: str, session: str) -> Reply:
        said = Attributes([("User-Name", name), *_place(mac, session)])
        query = AccessQuery(said, PapPassword(password.encode()))
        answered = exchange(("127.0.0.1", self.installation.auth_port), SECRET.encode(), query, timing=TIMING)
        assert isinstance(answered, Answered)
        return answered.reply

    def log_in(self, phones: Sequence[int]) -> None:
        for phone in phones:
            accept = self.ask("budi", "rahasia-123", mac_of(phone), f"8{phone:07x}")
            assert accept.code is Code.ACCESS_ACCEPT
            self.classes[phone] = accept.attributes.octets("Class") or b""

    def resume(self, session: str) -> Code:
        return self.ask(RESUMED, MAC_SECRET, RESUMED, session).code

    def tell(self, status: str, seconds: int, *, at: datetime | None = None) -> None:
        """Report every phone: a thousand octets for each second."""
        router = Router(self.installation.acct_port)
        bodies = []
        for phone, class_value in self.classes.items():
            said = Attributes([("Acct-Status-Type", status), ("User-Name", "budi"), ("Class", class_value)])
            for name, value in _place(mac_of(phone), f"8{phone:07x}"):
                said.add(name, value)
            said.add("Acct-Session-Time", seconds).add("Acct-Output-Octets", 1_000 * seconds)
            if at is not None:
                said.add("Event-Timestamp", at + timedelta(seconds=seconds))
            bodies.append((SECRET.encode(), said.to_bytes()))
        router.send(bodies, patience=30)
        router.close()
        until(self._merged, seconds=30)

    def sessions(self) -> list[tuple[str, int, int]]:
        """Return (state, seconds, octets) of each session."""
        with self.city.database.read() as connection:
            found = connection.execute(
                select(sessions_table.c.state, sessions_table.c.session_seconds, sessions_table.c.down_octets)
            )
            return [(row.state, row.session_seconds, row.down_octets) for row in found]

    def charged(self) -> int:
        with self.city.database.read() as connection:
            return connection.scalar(select(func.sum(usage.c.down_octets))) or 0

    def _merged(self) -> bool:
        return journal_status(self.installation.data_dir, positions(self.city.database)).pending == 0


def mac_of(phone: int) -> str:
    return f"02:aa:00:00:00:{phone:02x}"


def _place(mac: str, session: str) -> list[tuple[str, str]]:
    return [("Calling-Station-Id", mac), ("Acct-Session-Id", session), ("NAS-Identifier", "gusung-1")]


@pytest.fixture
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> Clock:
    demand(request, "faketime")
    made = Clock(tmp_path / "clock")
    made.set("+0")
    return made


@pytest.fixture
def spot(sqlite_database: Database, keyring: Keyring, clock: Clock, tmp_path: Path) -> Spot:
    city = City(sqlite_database, keyring)
    city.time.at = datetime.now(UTC)
    account = city.add_user("budi")
    circumstances = city.circumstances
    users.set_user(sqlite_database, "budi", valid_until=city.time.at + timedelta(days=20), **circumstances)
    city.add_grant(RESUMED, account)
    return Spot(city, Installation(sqlite_database, tmp_path / "var", clock.environment))


def doctor(installation: Installation) -> str:
    command = [sys.executable, "-m", "app.cli", "doctor"]
    return subprocess.run(command, env=installation.environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("step", ["+3600", "-3600"], ids=["forward", "back"])
def test_clock_set_by_an_hour_ends_nobody_and_counts_what_the_router_counts(
    spot: Spot, clock: Clock, step: str
) -> None:
    with spot.installation.running("worker", "--status"), spot.installation.running("radius", "0", "--status"):
        spot.log_in(range(PHONES))
        spot.tell("Start", 0)
        spot.tell("Interim-Update", 10)
        clock.set(step)
        assert spot.resume("80000101") is Code.ACCESS_ACCEPT
        Event().wait(STALE_SECONDS if step.startswith("+") else 0)
        assert spot.sessions() == [("open", 10, 10_000)] * PHONES
        spot.tell("Interim-Update", 20)
        spot.log_in([PHONES])  # somebody new
        clock.set("+0")
        assert spot.resume("80000102") is Code.ACCESS_ACCEPT
        spot.tell("Interim-Update", 30)
        spot.tell("Stop", 40)
        assert sorted(spot.sessions()) == [("closed", 40, 40_000)] * (PHONES + 1)
        assert spot.charged() == 40_000 * (PHONES + 1)
    assert "clock_set" in spot.installation.talk()
    assert "Traceback" not in spot.installation.talk()


def test_boot_in_1970_serves_people_and_is_forgotten_once_the_time_is_known(spot: Spot, clock: Clock) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    clock.set("@1970-01-01 00:00:40")
    with spot.installation.running("worker", "--status"), spot.installation.running("radius", "0", "--status"):
        accept = spot.ask("budi", "rahasia-123", mac_of(99), "80000099")
        assert accept.code is Code.ACCESS_ACCEPT
        assert 0 < (accept.attributes.integer("Session-Timeout") or 0) <= 3600
        assert spot.resume("80000101") is Code.ACCESS_ACCEPT
        assert "1970" in doctor(spot.installation)
        spot.log_in(range(PHONES))
        spot.tell("Start", 0, at=began)
        spot.tell("Interim-Update", 10, at=began)
        spot.city.time.at = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
        early = spot.city.ticket(users.show_user(spot.city.database, "budi", now=began).account)
        clock.set("+0")
        assert spot.ask(early.name, early.password, "02:aa:00:00:00:01", "80000103").code is Code.ACCESS_REJECT
        assert spot.resume("80000102") is Code.ACCESS_ACCEPT
        Event().wait(STALE_SECONDS)
        assert spot.sessions() == [("open", 10, 10_000)] * PHONES
        spot.tell("Stop", 40, at=began)
        assert spot.sessions() == [("closed", 40, 40_000)] * PHONES
        assert spot.charged() == 40_000 * PHONES
        assert spot.ask("budi", "rahasia-123", mac_of(98), "80000098").code is Code.ACCESS_ACCEPT
    assert "Traceback" not in spot.installation.talk()
