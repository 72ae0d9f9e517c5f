"""D05: no room on the disk, database and journal on it: no acknowledgement, log-ins go on, and back by itself."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from threading import Event
from typing import Final

import pytest
from sqlalchemy import func, select

from app.db.engine import Database, open_database
from app.db.tables.journals import access_log
from app.node.journal.segment import RECORD_HEADER_OCTETS
from app.node.journal.status import journal_status
from app.node.journal.writer import SEGMENT_OCTETS
from app.node.running import read_running
from app.services.keyring import Keyring
from app.services.schema import upgrade
from radius.attributes import Attributes
from radius.client_engine import StatusQuery, Timing
from radius.net.client import Answered, exchange
from tests.flows.evenings import positions
from tests.flows.logins import SECRET, Logins
from tests.flows.serving import Installation, Router
from tests.flows.storms import Storm
from tests.lab.conftest import demand
from tests.node.journals import until

pytestmark = [pytest.mark.lab, pytest.mark.alone, pytest.mark.timeout(300)]

DISK_OCTETS: Final = 400 * 1024 * 1024
MARGIN_OCTETS: Final = 400_000  # what is left of the segment when the disk is filled: some seconds of accounting
A_SECOND: Final = 200
AT_ONCE: Final = 40


class SmallDisk:
    """A file system of its own, in memory, until it is closed, or this process ends in whatever way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "tmpfs", path], check=True)
        # It reads until nobody holds the other end of its pipe any more; Ctrl-C does not reach it.
        self._keeper = subprocess.Popen(
            ["sh", "-c", 'cat; umount --lazy "$1"', "sh", path], stdin=subprocess.PIPE, start_new_session=True
        )

    def fill(self) -> None:
        """Take the last octet of room."""
        with suppress(OSError), (self.path / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(1024 * 1024))
        with suppress(OSError), (self.path / "filler").open("ab", buffering=0) as filler:
            while True:
                filler.write(bytes(512))

    def make_room(self) -> None:
        (self.path / "filler").unlink()

    def close(self) -> None:
        self._keeper.communicate()
        assert self._keeper.returncode == 0


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    demand(request, "mount")
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.close()


@pytest.fixture
def database(disk: SmallDisk, keyring: Keyring) -> Iterator[Database]:
    (disk.path / "var").mkdir()
    made = open_database(f"sqlite:///{disk.path}/var/pesisir.db")
    upgrade(made, keyring, chance=os.urandom)
    yield made
    made.close()


def use_up_segment(installation: Installation) -> None:
    """Let one router say so much that hardly anything of the first segment is left."""
    said = Attributes([("Acct-Status-Type", "Interim-Update"), ("NAS-Identifier", "kantor"), ("User-Name", "budi")])
    said.add("Calling-Station-Id", "02:ff:00:00:00:01").add("Acct-Session-Id", "80000000")
    for _ in range(14):
        said.add("Connect-Info", "x" * 253)
    body, octets, router = said.to_bytes(), count(1), Router(installation.acct_port)
    while (left := SEGMENT_OCTETS - MARGIN_OCTETS - written(installation)) > 0:
        for _ in range(left // (4_000 * AT_ONCE) + 1):
            more = [Attributes([("Acct-Output-Octets", next(octets))]).to_bytes() for _ in range(AT_ONCE)]
            router.send([(SECRET.encode(), body + one) for one in more])
    router.close()


def written(installation: Installation) -> int:
    """Return how many octets of its segments a journal that began here has written."""
    status = journal_status(installation.data_dir, {})
    return status.octets + status.pending * RECORD_HEADER_OCTETS


def serves(port: int) -> bool:
    """Ask by Status-Server, as a router that looks for a server does (RFC 5997)."""
    timing = Timing(first_seconds=1.0, attempts=1, give_up_seconds=1.0)
    query = StatusQuery(Attributes([("NAS-Identifier", "kantor")]))
    return isinstance(exchange(("127.0.0.1", port), SECRET.encode(), query, timing=timing), Answered)


def told(installation: Installation, path: str) -> str:
    """Return what the RADIUS process says of itself, ready or not."""
    listening = read_running(installation.data_dir)["radius-0"]["status"]
    assert isinstance(listening, list)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{listening[0][1]}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def ready(installation: Installation) -> tuple[bool, bool]:
    """Return whether it serves authentication, and accounting."""
    said = json.loads(told(installation, "/readyz"))
    return said["auth"], said["acct"]


def metric(installation: Installation, name: str) -> int:
    """Return a counter, as it was written last."""
    lines = told(installation, "/metrics").splitlines()
    return next((int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(f"{name}{{")), 0)


def doctor(installation: Installation) -> str:
    command = [sys.executable, "-m", "app.cli", "doctor"]
    return subprocess.run(command, env=installation.environment, capture_output=True, text=True, check=False).stdout


def accepts(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).where(access_log.c.outcome == "accept")) or 0


def test_full_disk_acknowledges_nothing_lets_people_in_and_recovers_by_itself(
    disk: SmallDisk, database: Database, keyring: Keyring
) -> None:
    Logins(database, keyring)
    installation = Installation(database, disk.path / "var")
    storm, stop = Storm(installation, A_SECOND), Event()
    with (
        closing(storm),
        installation.running("worker", "--status"),
        installation.running("radius", "0", "--status") as radius,
        ThreadPoolExecutor() as threads,
    ):
        use_up_segment(installation)
        until(lambda: journal_status(installation.data_dir, positions(database)).pending == 0, seconds=120)
        disk.fill()
        blowing = threads.submit(storm.blow_until, stop)
        try:
            until(lambda: ready(installation) == (True, False), seconds=60)
            stored, let_in = len(storm.acknowledged), len(storm.waits)
            until(lambda: len(storm.waits) > let_in + 5 * A_SECOND / 2, seconds=60)
            assert len(storm.acknowledged) == stored
            assert not serves(installation.acct_port)
            assert serves(installation.auth_port)
            assert ready(installation) == (True, False)
            assert "accounting stops" in doctor(installation)
            disk.make_room()
            until(lambda: serves(installation.acct_port), seconds=30)
            until(lambda: len(storm.acknowledged) > stored + A_SECOND, seconds=60)
        finally:
            stop.set()
        blowing.result()
        assert radius.poll() is None
        until(lambda: journal_status(installation.data_dir, positions(database)).pending == 0, seconds=120)
        storm.kept(database, all_recorded=False)
        assert storm.unanswered == 0
        assert max(storm.waits) < 5
        until(lambda: metric(installation, "pesisir_node_accepts_total") >= len(storm.waits), seconds=30)
        unrecorded = metric(installation, "pesisir_node_unrecorded_total")
        assert unrecorded > A_SECOND
        assert accepts(database) == metric(installation, "pesisir_node_accepts_total") - unrecorded
    assert "Traceback" not in installation.talk()
