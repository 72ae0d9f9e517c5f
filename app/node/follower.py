"""The thread that keeps a snapshot fresh: a commit anywhere wakes it, and it looks once in a while anyway.

Requests that name what the snapshot does not hold wait for one read that began after they came; `begun` says when the
last finished read began. Database away: it goes on trying, and the node decides by what it has. That may be from the
disk: then the first read that succeeds is a fresh load.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from app.db.engine import Database
from app.db.errors import AWAY
from app.db.watch import WATCH_ERRORS, Watch, watch
from app.node.snapshot import Snapshot, Source
from app.node.stored.age import Dated, StoredAge
from app.services.schema import SchemaError

_LOOK_SECONDS: Final = 0.8  # so that nothing is staler than a second, notice or not
_RETRY_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 4.0  # longer than the time a connection may take

log = structlog.get_logger("node")


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of a process: wall clock (aware, UTC) and monotonic seconds."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


class Follower:
    """Follows the feed until stopped; `on_news` is called after each read that somebody may wait for.

    `open_database` raises SchemaError or one of AWAY for as long as it cannot; it is closed in the end. `stored` dates
    a snapshot that was begun with from the disk. `after_read` may write to the database then; nobody waits for it.
    """

    def __init__(
        self,
        open_database: Callable[[], Database],
        snapshot: Snapshot,
        clock: Clock,
        on_news: Callable[[], None],
        *,
        stored: Dated | None = None,
    ) -> None:
        self._open_database, self._snapshot, self._clock, self._on_news = open_database, snapshot, clock, on_news
        self._database: Database | None = None
        self._stored_age = None if stored is None else StoredAge(stored, read_at=clock.monotonic())
        self.as_of = None if stored is None else stored.as_of  # wall clock: when the last read that succeeded began
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False
        self.after_read: Callable[[Database, datetime], None] = _nothing_more
        self._asked = False
        self._watch: Watch | None = None
        self._loaded = threading.Event()
        self.begun = float("-inf")  # monotonic: when the last read that succeeded began
        self.failed = float("-inf")  # monotonic: when the last read that failed began
        self.reads = 0
        self.failures = 0
        self._said: type | None = None  # what kind of failure was logged last
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    @property
    def age_seconds(self) -> float:
        """Return how old the snapshot is."""
        if self._stored_age is not None:
            return self._stored_age.seconds(self._clock.now(), self._clock.monotonic())
        return self._clock.monotonic() - self.begun

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def wait_loaded(self, *, stopping: Callable[[], bool]) -> bool:
        """Wait until the snapshot is loaded; False if `stopping` came first."""
        while not self._snapshot.loaded and not stopping():
            self._loaded.wait(_RETRY_SECONDS)
        return self._snapshot.loaded

    def ask(self) -> None:
        """Want a read that begins after now; cheap to call often."""
        if not self._asked:
            self._asked = True
            os.write(self._wake_in, b"!")

    def stop(self) -> None:
        """End the thread and close the database; one that gives no answer ends with the process."""
        self._stopping = True
        os.write(self._wake_in, b"!")
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            return
        if self._watch is not None:
            self._watch.close()
        if self._database is not None:
            self._database.close()
        os.close(self._wake_in)
        os.close(self._wake_out)

    def _run(self) -> None:
        while not self._stopping:
            self._drain()
            began = self._clock.monotonic()
            try:
                self._snapshot.tick(self._clock.now())
                if self._database is None:
                    self._database = self._open_database()
                if self._watch is None:
                    self._watch = watch(self._database)
                self._read(self._database, began)
                self._watch.wait(self._wake_out, _LOOK_SECONDS)
            except (SchemaError, *AWAY, *WATCH_ERRORS) as error:
                self._note_failure(began, error)
            except Exception:  # the thread must outlive anything; the next read may succeed
                log.exception("feed_read_failed")
                self._note_failure(began, None)

    def _read(self, database: Database, began: float) -> None:
        now = self._clock.now()
        if self._snapshot.source is Source.DATABASE:
            self._snapshot.refresh(database, now)
        else:
            self._snapshot.load(database, now)
            log.info("snapshot_loaded", accounts=len(self._snapshot.accounts), seconds=self._since(began))
        self._loaded.set()
        self._snapshot.learned.keep(database, now)
        if self.failed > self.begun:
            log.info("feed_read_again", after_failures=self.failures)
            self.failures, self._said = 0, None
        self.note_read(began, now)
        self.reads += 1
        self._on_news()
        self.after_read(database, now)

    def note_read(self, began: float, at: datetime) -> None:
        """Note that what the snapshot holds is as of a read that began then, by either clock."""
        self.begun, self.as_of, self._stored_age = began, at, None

    def _note_failure(self, began: float, error: Exception | None) -> None:
        if type(error) is not self._said:
            log.warning("feed_read_failed", error=str(error).splitlines()[0] if error is not None else "")
            self._said = type(error)
        self.failures += 1
        self.failed = began
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._on_news()
        threading.Event().wait(0 if self._stopping else _RETRY_SECONDS)

    def _drain(self) -> None:
        self._asked = False
        try:
            while os.read(self._wake_out, 64):
                pass
        except BlockingIOError:
            pass

    def _since(self, began: float) -> float:
        return round(self._clock.monotonic() - began, 3)


def _nothing_more(_database: Database, _now: datetime) -> None:
    """Do nothing after a read."""
