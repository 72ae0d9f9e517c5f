"""The worker's loop: merge what the journals hold, a batch at a time; between times, the chores that only time brings.

One worker per data directory, held by a file lock. While little comes in it gathers for a moment before it merges. On
SQLite it pauses between its transactions, or the portal's writes would wait for seconds. Database away: it waits and
resumes; the journals keep everything meanwhile.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from app.db import changes, feed, governor_moves, hints, resume
from app.db.engine import Database
from app.db.errors import AWAY
from app.domain.resume import KEPT_AFTER_END
from app.node.journal.reader import journal_directories
from app.node.journal.status import delete_old_segments
from app.node.journal.writer import make_directory
from app.node.running import receiving
from app.services import edges, stale
from app.services.ceilings import end_ceilings
from app.services.changes import ask_again
from app.services.expiry import end_expired
from app.services.hints import judge_accounting
from app.services.keyring import Keyring
from app.services.nases import list_nases
from app.worker.governing import ROUND_SECONDS, Governing
from app.worker.journals import Interpreter, JournalIngest

_IDLE_SECONDS: Final = 0.1
_SQLITE_PAUSE_SECONDS: Final = 0.005
_MANY: Final = 500  # records: fewer are worth waiting for more, since every merge is news that each node reads
_SHORTEST_RETRY_SECONDS: Final = 0.5
_LONGEST_RETRY_SECONDS: Final = 5.0
_STALE_SECONDS: Final = 30.0
_JUDGE_SECONDS: Final = 60.0
_CLEAR_SECONDS: Final = 300.0
_STEP_SECONDS: Final = 5.0  # more than a clock is slewed by between two looks
_ENDS_SECONDS: Final = 5.0  # between two looks at what the time ends; and one as each minute of the day begins
_FEED_KEPT: Final = timedelta(hours=1)
_CHANGES_KEPT: Final = timedelta(days=30)

log = structlog.get_logger("worker")


class WorkerBusyError(Exception):
    """Another worker serves this data directory."""


class Counters:
    """What the worker has done since the start."""

    def __init__(self) -> None:
        self.merged = 0
        self.failures = 0
        self.closed_stale = 0
        self.segments_deleted = 0


class Worker:
    """Serves the journals under one data directory until stopped."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        data_dir: Path,
        node: str,
        zone: ZoneInfo,
        journal_keep_seconds: float,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        chance: Callable[[int], bytes],
        language: str = "id",
    ) -> None:
        self.counters = Counters()
        self.ready = False
        self._database, self._data_dir, self._zone = database, data_dir, zone
        self._journal_keep = journal_keep_seconds
        self._now, self._monotonic, self._chance = now, monotonic, chance
        self._interpreter = Interpreter(database, keyring, monotonic=monotonic)
        self._ingests: dict[Path, JournalIngest] = {}
        self._stop = threading.Event()
        self._receiving_since = now()
        self._ahead = now().timestamp() - monotonic()
        self._stale_at = monotonic() + _STALE_SECONDS
        self._judge_at = monotonic() + _JUDGE_SECONDS
        self._clear_at = monotonic() + _STALE_SECONDS
        self._ends_at = monotonic()
        self._govern_at = monotonic() + ROUND_SECONDS
        self.governing = Governing(database, node=node, zone=zone, language=language, now=now, chance=chance)
        self._lock_file: int | None = _lock(data_dir / "journal")

    def stop(self) -> None:
        """Let `run` return after the transaction in work."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`."""
        retry = _SHORTEST_RETRY_SECONDS
        try:
            while not self._stop.is_set():
                try:
                    pause = self.turn()
                except AWAY as error:
                    self._note_failure(error)
                    self._stop.wait(retry)
                    retry = min(2 * retry, _LONGEST_RETRY_SECONDS)
                else:
                    if not self.ready:
                        log.info("database_reached")
                    self.ready, retry = True, _SHORTEST_RETRY_SECONDS
                    self._stop.wait(pause)
        finally:
            self.close()

    def close(self) -> None:
        """Let another worker in; `run` does it by itself."""
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def drain(self) -> int:
        """Merge all that the journals hold now and return how many records; for commands and tests."""
        total = 0
        while (merged := self._merge_once()) > 0:
            total += merged
        return total

    def turn(self) -> float:
        """Do one round and return how long to pause after it."""
        self._heed_clock()
        merged = self._merge_once()
        now = self._monotonic()
        if now >= self._stale_at:
            self._stale_at = now + self._until_minute(_STALE_SECONDS)
            self._close_stale(caught_up=merged == 0)
            self._end_expired()
        if now >= self._ends_at:
            self._ends_at = now + self._until_minute(_ENDS_SECONDS)
            end_ceilings(self._database, now=self._now(), chance=self._chance)
            self._pass_edges()
        if now >= self._govern_at:
            self._govern_at = now + ROUND_SECONDS
            self.governing.turn()
        if now >= self._judge_at and merged == 0:  # what waits in the journal may be the accounting that is missed
            self._judge_at = now + _JUDGE_SECONDS
            self._judge_accounting()
        if now >= self._clear_at:
            self._clear_at = now + _CLEAR_SECONDS
            self._clear_away()
        if merged < _MANY:
            return _IDLE_SECONDS
        return 0.0 if self._database.is_postgresql else _SQLITE_PAUSE_SECONDS

    def _until_minute(self, most: float) -> float:
        """Return how long to wait before a chore of time: not beyond the next minute, at which what people set ends."""
        return min(most, 60.0 - self._now().timestamp() % 60.0)

    def _heed_clock(self) -> None:
        """Notice a wall clock that was set: how long anybody was silent before that is not known by it any more."""
        ahead = self._now().timestamp() - self._monotonic()
        stepped, self._ahead = ahead - self._ahead, ahead
        if abs(stepped) > _STEP_SECONDS:
            log.warning("clock_set", by_seconds=round(stepped))
            self._receiving_since = self._now()

    def _merge_once(self) -> int:
        """Merge one batch of each journal."""
        merged = 0
        for node, number, directory in journal_directories(self._data_dir):
            if self._stop.is_set():
                return merged
            step = self._ingest(node, number, directory).step(self._now())
            merged += step
            if step and not self._database.is_postgresql:
                self._stop.wait(_SQLITE_PAUSE_SECONDS)
        self.counters.merged += merged
        return merged

    def _ingest(self, node: str, number: int, directory: Path) -> JournalIngest:
        found = self._ingests.get(directory)
        if found is None:
            found = self._ingests[directory] = JournalIngest(
                self._database,
                self._interpreter,
                node=node,
                worker=number,
                directory=directory,
                zone=self._zone,
                chance=self._chance,
            )
        return found

    def _close_stale(self, *, caught_up: bool) -> None:
        """End sessions whose device has begun another, and those silent too long while we could have heard them."""
        self._count_closed(stale.close_superseded(self._database, now=self._now()), "superseded")
        if not caught_up or not receiving(self._data_dir, self._now()):
            self._receiving_since = self._now()
            return
        closed = stale.close_stale(self._database, now=self._now(), receiving_since=self._receiving_since)
        self._count_closed(closed, "silent")

    def _end_expired(self) -> None:
        expired = end_expired(self._database, now=self._now(), chance=self._chance)
        if expired:
            log.info("sessions_expired", count=expired)

    def _judge_accounting(self) -> None:
        judged = judge_accounting(self._database, now=self._now())
        names = {nas.id: nas.name for nas in list_nases(self._database)} if judged else {}
        for nas_id, well in judged.items():
            if well:
                log.info("nas_accounts_again", nas=names.get(nas_id), nas_id=nas_id)
            else:
                log.error("nas_does_not_account", nas=names.get(nas_id), nas_id=nas_id, next="pesisir doctor")

    def _pass_edges(self) -> None:
        concerned = edges.pass_edges(self._database, zone=self._zone, now=self._now(), chance=self._chance)
        if concerned:
            log.info("hours_changed", accounts=concerned)

    def _count_closed(self, number: int, why: str) -> None:
        if number:
            self.counters.closed_stale += number
            log.info("sessions_closed_stale", count=number, why=why)

    def _clear_away(self) -> None:
        """Delete what is over: ended grants, old feed rows, segments kept no longer. Ask again for ends that failed."""
        now = self._now()
        with self._database.write() as connection:
            resume.forget_ended(connection, now=now - KEPT_AFTER_END)
            feed.prune(connection, before=now - _FEED_KEPT)
            hints.prune(connection, now=now)
            changes.forget(connection, before=now - _CHANGES_KEPT)
            governor_moves.forget(connection, before=now - _CHANGES_KEPT)
            asked = ask_again(connection, now=now)
        if asked:
            log.info("ends_asked_for_again", count=asked)
        for ingest in self._ingests.values():
            deleted = delete_old_segments(
                ingest.directory, ingest.position, older_than=now.timestamp() - self._journal_keep
            )
            self.counters.segments_deleted += deleted

    def _note_failure(self, error: Exception) -> None:
        self.counters.failures += 1
        self._receiving_since = self._now()
        if self.ready or self.counters.failures == 1:
            log.warning("database_away", error=str(error).splitlines()[0])
        self.ready = False


def _lock(directory: Path) -> int:
    make_directory(directory)
    descriptor = os.open(directory / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise WorkerBusyError(str(directory)) from error
    return descriptor
