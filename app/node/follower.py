"""The thread that keeps a snapshot fresh: a commit anywhere wakes it, and it looks once in a while anyway.

Requests that name what the snapshot does not hold wait for one read that began after they came; `begun` says when the
last finished read began. Database away: it goes on trying, and the node decides by what it has.
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
from app.node.learned import Learned
from app.node.snapshot import Snapshot

_LOOK_SECONDS: Final = 0.8  # so that nothing is staler than a second, notice or not
_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger("node")


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of a process: wall clock (aware, UTC) and monotonic seconds."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


class Follower:
    """Follows the feed until stopped; `on_news` is called after each read that somebody may wait for."""

    def __init__(self, database: Database, snapshot: Snapshot, clock: Clock, on_news: Callable[[], None]) -> None:
        self._database, self._snapshot, self._clock, self._on_news = database, snapshot, clock, on_news
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False
        self.learned = Learned()
        self._asked = False
        self._watch: Watch | None = None
        self._loaded = threading.Event()
        self.begun = float("-inf")  # monotonic: when the last read that succeeded began
        self.failed = float("-inf")  # monotonic: when the last read that failed began
        self.reads = 0
        self.failures = 0
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    @property
    def age_seconds(self) -> float:
        """Return how old the snapshot is."""
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
        """End the thread and give its connections back."""
        self._stopping = True
        os.write(self._wake_in, b"!")
        self._thread.join()
        if self._watch is not None:
            self._watch.close()
        os.close(self._wake_in)
        os.close(self._wake_out)

    def _run(self) -> None:
        while not self._stopping:
            self._drain()
            began = self._clock.monotonic()
            try:
                self._snapshot.tick(self._clock.now())
                if self._watch is None:
                    self._watch = watch(self._database)
                self._read(began)
                self._watch.wait(self._wake_out, _LOOK_SECONDS)
            except (*AWAY, *WATCH_ERRORS) as error:
                self._note_failure(began, error)
            except Exception:  # the thread must outlive anything; the next read may succeed
                log.exception("feed_read_failed")
                self._note_failure(began, None)

    def _read(self, began: float) -> None:
        now = self._clock.now()
        if self._snapshot.loaded:
            self._snapshot.refresh(self._database, now)
        else:
            self._snapshot.load(self._database, now)
            log.info("snapshot_loaded", accounts=len(self._snapshot.accounts), seconds=self._since(began))
        self._loaded.set()
        self.learned.keep(self._database)
        if self.failed > self.begun:
            log.info("feed_read_again", after_failures=self.failures)
            self.failures = 0
        self.begun = began
        self.reads += 1
        self._on_news()

    def _note_failure(self, began: float, error: Exception | None) -> None:
        if self.failures == 0:
            log.warning("feed_read_failed", error=str(error).splitlines()[0] if error is not None else "")
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
