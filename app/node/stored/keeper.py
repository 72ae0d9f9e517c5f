"""The thread that keeps a node's snapshot on the disk: every five minutes while there are changes, and at the end.

It takes references under the snapshot's lock and writes them out in small steps with a rest after each, so that the
RADIUS loop gets its turn; the last writing, when the loop has ended, takes no rest.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from app.node.follower import Clock, Follower
from app.node.journal.writer import Journal, make_directory
from app.node.octets import Place
from app.node.snapshot import Snapshot
from app.node.stored import sealed
from app.node.stored.age import Dated
from app.node.stored.contents import encode

CHANGED_SECONDS: Final = 300.0  # after which changes are written; until then the journal has what happened here
DATED_SECONDS: Final = 600.0  # after which it is written anew though nothing has changed, so that its age is right
SETTLED_SECONDS: Final = 10.0  # until what is in the journal is in memory; twice what a record waits for a slow disk
_LOOK_SECONDS: Final = 1.0
_REST_SECONDS: Final = 0.004

log = structlog.get_logger("node")


@dataclass(slots=True)
class Counters:
    """What was written since the start; `octets` and `seconds` are of the last time."""

    writes: int = 0
    failures: int = 0
    octets: int = 0
    seconds: float = 0.0


class Keeper:
    """Keeps one process's snapshot in one file."""

    def __init__(
        self,
        path: Path,
        snapshot: Snapshot,
        follower: Follower,
        journal: Journal,
        clock: Clock,
        *,
        chance: Callable[[int], bytes],
    ) -> None:
        self.counters = Counters()
        self._path, self._snapshot, self._follower, self._journal = path, snapshot, follower, journal
        self._clock, self._chance = clock, chance
        self._ends: deque[tuple[float, Place]] = deque()  # where the journal ended at each look
        self._seen = snapshot.seen
        self._changes = 0  # how many of the snapshot's changes are in the file
        self._tried_at = float("-inf")  # monotonic
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshot", daemon=True)

    def begin(self) -> None:
        """Begin to look after the file, once earlier segments of the journal have been read again."""
        self._seen = Place(self._journal.first_segment, 0)
        if self._path.exists():
            self._tried_at = self._clock.monotonic()

    def start(self) -> None:
        """Begin, and look again and again in a thread."""
        self.begin()
        self._thread.start()

    def close(self) -> None:
        """End the thread and write a last time, if it was started; the RADIUS loop and the follower have ended."""
        if self._thread.ident is None:
            return
        self._stop.set()
        self._thread.join()
        self.write()

    def look(self) -> None:
        """Write if it is time to."""
        now = self._clock.monotonic()
        self._note_end(now)
        changed = self._snapshot.changes != self._changes
        if now - self._tried_at >= (CHANGED_SECONDS if changed else DATED_SECONDS):
            self.write()

    def write(self) -> None:
        """Write the snapshot as it stands; on failure the file stays as it was."""
        began = self._tried_at = self._clock.monotonic()
        if self._journal.space_low:
            self._note_failure("the disk is nearly full: its room is the journal's")
            return
        try:
            make_directory(self._path.parent)
            octets = self._write()
        except OSError as error:
            self._note_failure(str(error))
            return
        self._failing = False
        self.counters.writes += 1
        self.counters.octets, self.counters.seconds = octets, self._clock.monotonic() - began

    def _write(self) -> int:
        as_of, age = self._follower.as_of, self._follower.age_seconds
        assert as_of is not None, "only what is loaded is written"
        changes = self._snapshot.changes
        contents = self._snapshot.contents(self._seen)
        label = sealed.Label(
            self._snapshot.node,
            self._snapshot.worker,
            Dated(as_of, self._clock.now(), age),
            self._snapshot.keyring.check,
        )
        parts = self._resting(encode(contents))
        octets = sealed.write(self._path, label, parts, self._snapshot.keyring, chance=self._chance)
        self._changes = changes
        return octets

    def _resting(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        for part in parts:
            yield part
            self._stop.wait(_REST_SECONDS)  # no rest once the end has come

    def _note_end(self, now: float) -> None:
        """Move on how far the journal is surely in memory: as far as it went some time ago."""
        self._ends.append((now, Place(*self._journal.end)))
        while self._ends[0][0] <= now - SETTLED_SECONDS:
            self._seen = max(self._seen, self._ends.popleft()[1])

    def _note_failure(self, problem: str) -> None:
        self.counters.failures += 1
        if not self._failing:
            log.warning("snapshot_not_written", file=str(self._path), error=problem)
            self._failing = True

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # the thread must outlive anything; the next writing may succeed
                self.counters.failures += 1
                log.exception("snapshot_not_written")
