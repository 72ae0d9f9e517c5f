"""D13: SIGTERM under 500 requests a second: it ends well, nothing is lost, and no log-in takes too long."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from app.db.engine import Database
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from tests.flows.evenings import positions
from tests.flows.logins import Logins
from tests.flows.serving import RADIUS, Installation, Serving, serving
from tests.flows.storms import Storm
from tests.node.journals import until

pytestmark = [pytest.mark.lab, pytest.mark.alone, pytest.mark.timeout(300)]

A_SECOND: Final = 500
ROUTERS_PATIENCE_SECONDS: Final = 10.0
STOP_SECONDS: Final = 10.0


@pytest.fixture
def storm(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Storm]:
    Logins(database, keyring)
    made = Storm(Installation(database, tmp_path / "var"), A_SECOND)
    yield made
    made.close()
    assert "Traceback" not in made.installation.talk()


@contextmanager
def blowing(storm: Storm) -> Iterator[Callable[[int], None]]:
    """Let it blow while the block runs; give a way to wait for as many answers as so many seconds want.

    Then nobody waits any more who came before: each stop finds other people.
    """
    stop = Event()
    with ThreadPoolExecutor() as threads:
        working = threads.submit(storm.blow_until, stop)

        def go_on(seconds: int) -> None:
            enough = answered(storm) + seconds * A_SECOND
            until(lambda: working.done() or (answered(storm) >= enough and storm.settled), seconds=60)

        try:
            yield go_on
        finally:
            stop.set()
        working.result()


def answered(storm: Storm) -> int:
    return len(storm.waits) + len(storm.acknowledged)


def check(storm: Storm, database: Database) -> None:
    until(lambda: journal_status(storm.installation.data_dir, positions(database)).pending == 0, seconds=120)
    storm.kept(database)
    assert storm.unanswered == 0
    assert max(storm.waits) < ROUTERS_PATIENCE_SECONDS
    print(f"{answered(storm)} answers, the slowest log-in took {max(storm.waits):.2f} s")


def stopped(served: Serving) -> float:
    began = time.monotonic()
    assert served.stop() == 0
    return time.monotonic() - began


def test_sigterm_and_a_start_lose_nothing_and_keep_no_log_in_waiting(storm: Storm, database: Database) -> None:
    with serving(storm.installation) as served:
        with blowing(storm) as go_on:
            for _ in range(2):
                go_on(3)
                assert stopped(served) < STOP_SECONDS
                served.start()
            go_on(3)
        check(storm, database)


def test_radius_alone_started_again_is_hardly_noticed(storm: Storm, database: Database) -> None:
    with serving(storm.installation) as served:
        with blowing(storm) as go_on:
            for _ in range(4):
                go_on(1)
                served.signal(RADIUS, signal.SIGTERM)
            go_on(3)
        check(storm, database)
