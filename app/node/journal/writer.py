"""Appending to the journal: a batch is one pwrite and one fdatasync, and only then do the answers leave.

Batches that wait behind a slow disk share the next one. Writing and syncing happen in a thread of the writer's own,
because a worn card can stall for seconds: the caller waits as long as it wants to. A failed write or sync is never
tried again on the same file (after a failed fsync the kernel may have dropped the pages, and the next one would succeed
over a hole): its batches fail, the segment is closed as suspect, the next goes to a new one. Every start opens a new
segment.
"""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from app.node.journal.segment import HEADER_OCTETS, ID_OCTETS, Header, encode

SEGMENT_OCTETS: Final = 64 * 1024 * 1024
SUFFIX: Final = ".segment"
_MOST_WAITING_OCTETS: Final = 4 * 1024 * 1024
_MOST_TOGETHER_OCTETS: Final = 1024 * 1024  # in one write and one sync
LEAST_FREE_SEGMENTS: Final = 4
_RETRY_SECONDS: Final = 1.0

Sync = Callable[[int], None]
Records = Sequence[tuple[int, bytes]]


def free_octets(directory: Path) -> int:
    """Return how much room there is for somebody who is not root."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


class JournalBusyError(Exception):
    """Another process writes this journal."""


class Outcome(StrEnum):
    """What became of a batch."""

    STORED = "stored"  # safe on disk
    LATE = "late"  # handed over, but not safe in the time that the caller had
    FAILED = "failed"  # not stored


@dataclass(slots=True)
class Batch:
    """Some records on their way to the disk. `segment` and `ends` say where each stands once it is stored."""

    records: Records
    octets: int
    finished: threading.Event = field(default_factory=threading.Event)
    late: bool = False
    stored: bool = False
    segment: int = 0
    ends: Sequence[int] = ()


@dataclass(slots=True)
class Counters:
    """What the writer has done since the start."""

    batches: int = 0
    records: int = 0
    octets: int = 0
    failures: int = 0
    refused: int = 0  # batches that were not taken: the disk fails, or too much waits
    late: int = 0
    segments: int = 0
    slowest_seconds: float = 0.0


class _Segment:
    """The open file; `room` is what is left in it."""

    def __init__(self, directory: Path, header: Header, octets: int, sync: Sync) -> None:
        self.header = header
        self.path = directory / f"{header.number:010d}{SUFFIX}"
        self.offset = HEADER_OCTETS
        self.size = octets
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self.descriptor, 0, octets)
            _write(self.descriptor, header.to_bytes(), 0)
            sync(self.descriptor)
            sync_directory(directory)
        except BaseException:
            self.close()
            self.path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        os.close(self.descriptor)

    def trim(self) -> None:
        """Give back what was reserved and not used."""
        os.ftruncate(self.descriptor, self.offset)


class Journal:
    """One process's journal. `monotonic` and `chance` (random octets) are handed in, and the disk: `sync`, `free`.

    `on_late` is called, in the writer's thread, when a batch is done that somebody has stopped waiting for.
    """

    def __init__(
        self,
        directory: Path,
        *,
        node: str,
        worker: int,
        monotonic: Callable[[], float],
        chance: Callable[[int], bytes],
        segment_octets: int = SEGMENT_OCTETS,
        sync: Sync = os.fdatasync,
        free: Callable[[Path], int] = free_octets,
        on_late: Callable[[], None] = lambda: None,
    ) -> None:
        self.directory = directory
        self.counters = Counters()
        self._node, self._worker = node, worker
        self._monotonic, self._chance, self._sync, self._free, self._on_late = monotonic, chance, sync, free, on_late
        self._segment_octets = segment_octets
        make_directory(directory)
        self._lock_file = _lock(directory)
        self.first_segment = self._next_number = max(segment_numbers(directory), default=0) + 1
        self._segment: _Segment | None = None
        self._failing = False
        self._waiting: deque[Batch] = deque()
        self._waiting_octets = 0
        self._in_work_since: float | None = None
        self._wake = threading.Semaphore(0)
        self._stopping = False
        try:
            self._open_segment()
        except OSError:
            self._give_up_segment()  # a full disk stops accounting, not the start
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """Tell whether the last batch could be stored; an unhealthy journal is tried again by itself."""
        return not self._failing

    @property
    def end(self) -> tuple[int, int]:
        """Return where the last stored batch ends: a segment's number, and an offset in it."""
        segment = self._segment
        return (self._next_number, 0) if segment is None else (segment.header.number, segment.offset)

    @property
    def space_low(self) -> bool:
        """Tell whether the disk has room for only a few more segments."""
        return self._free(self.directory) < LEAST_FREE_SEGMENTS * self._segment_octets

    def stalled(self, now: float, patience: float) -> bool:
        """Tell whether the disk has kept a batch for longer than `patience` seconds."""
        since = self._in_work_since
        return since is not None and now - since > patience

    def hand_over(self, records: Records) -> Batch | None:
        """Give records to the disk without waiting; None if too much waits already, or the disk refuses."""
        octets = sum(len(payload) for _, payload in records)
        if self._failing or self._stopping or self._waiting_octets + octets > _MOST_WAITING_OCTETS:
            self.counters.refused += 1
            return None
        batch = Batch(records, octets)
        self._waiting_octets += octets
        self._waiting.append(batch)
        self._wake.release()
        return batch

    def append(self, records: Records, *, patience: float) -> tuple[Outcome, Batch | None]:
        """Store records and wait until they are safe, `patience` seconds at most."""
        batch = self.hand_over(records)
        if batch is None:
            return Outcome.FAILED, None
        return self.wait(batch, patience=patience), batch

    def wait(self, batch: Batch, *, patience: float) -> Outcome:
        """Wait for a batch that was handed over."""
        if not batch.finished.wait(patience):
            batch.late = True
            if not batch.finished.is_set():
                self.counters.late += 1
                return Outcome.LATE
        return Outcome.STORED if batch.stored else Outcome.FAILED

    def close(self) -> None:
        """Store what waits, close the segment, and let another process in."""
        self._stopping = True
        self._wake.release()
        self._thread.join()
        if self._segment is not None:
            self._segment.trim()
            self._segment.close()
            self._segment = None
        os.close(self._lock_file)

    # In the thread

    def _run(self) -> None:
        while True:
            if not self._wake.acquire(timeout=_RETRY_SECONDS if self._failing else None):
                self._try_again()
            elif self._waiting:
                self._take(self._gathered())
            elif self._stopping:
                return

    def _gathered(self) -> list[Batch]:
        """Take out what waits: on a slow disk many batches share a sync, else each would wait for all before it."""
        batches, octets = [self._waiting.popleft()], 0
        while self._waiting and octets + self._waiting[0].octets <= min(
            _MOST_TOGETHER_OCTETS, self._segment_octets // 4
        ):
            octets += self._waiting[0].octets
            batches.append(self._waiting.popleft())
        return batches

    def _take(self, batches: Sequence[Batch]) -> None:
        self._in_work_since = started = self._monotonic()
        try:
            self._store(batches)
        except OSError:
            self._give_up_segment()
        finally:
            self._in_work_since = None
            for batch in batches:
                self._waiting_octets -= batch.octets
                batch.finished.set()
        if any(batch.late for batch in batches):
            self._on_late()
        self.counters.slowest_seconds = max(self.counters.slowest_seconds, self._monotonic() - started)

    def _try_again(self) -> None:
        """See whether the disk takes a new segment: its header is written and synced."""
        try:
            self._open_segment()
        except OSError:
            self._give_up_segment()
        else:
            self._failing = False

    def _store(self, batches: Sequence[Batch]) -> None:
        records = [record for batch in batches for record in batch.records]
        segment = self._segment or self._open_segment()
        data, ends = encode(segment.header.id, records)
        if segment.offset + len(data) > segment.size:
            segment = self._open_segment()
            data, ends = encode(segment.header.id, records)
        _write(segment.descriptor, data, segment.offset)
        self._sync(segment.descriptor)
        places = iter([segment.offset + end for end in ends])
        for batch in batches:
            batch.segment, batch.ends = segment.header.number, list(islice(places, len(batch.records)))
            batch.stored = True
        segment.offset += len(data)
        self._failing = False
        self.counters.batches += len(batches)
        self.counters.records += len(records)
        self.counters.octets += len(data)

    def _open_segment(self) -> _Segment:
        """Close the segment in use, if any, and open the next; OSError if the disk has no room for it."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        number = self._next_number
        header = Header(self._node, self._worker, number, self._chance(ID_OCTETS))
        self._segment = _Segment(self.directory, header, self._segment_octets, self._sync)
        self._next_number = number + 1
        self.counters.segments += 1
        return self._segment

    def _give_up_segment(self) -> None:
        self.counters.failures += 1
        self._failing = True
        if self._segment is not None:
            self._segment.close()
            self._segment = None


def segment_numbers(directory: Path) -> list[int]:
    """Return the numbers of the segments in a journal directory, in order."""
    names = (entry.name.removesuffix(SUFFIX) for entry in directory.glob(f"*{SUFFIX}"))
    return sorted(int(name) for name in names if name.isdigit())


def make_directory(directory: Path) -> None:
    """Make a directory and its parents, each one's entry safe on disk."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make a directory's entries safe on disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data`; OSError if the file takes only a part."""
    written = os.pwrite(descriptor, data, offset)
    if written != len(data):
        raise OSError(f"{written} of {len(data)} octets written")


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalBusyError(str(directory)) from error
    return descriptor
