"""A journal in a folder, and a disk that fails when it is told to."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from app.node.journal.reader import JournalReader
from app.node.journal.segment import Position
from app.node.journal.writer import Journal

NODE = "nodenodenodenode"
SEGMENT_OCTETS = 4096


def counting() -> Callable[[int], bytes]:
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@dataclass
class Disk:
    """The far edge: syncs, fails `failures` times, or keeps everybody waiting while `moving` is clear."""

    failures: int = 0
    syncs: int = 0
    room: int = 2**40
    moving: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.moving.set()

    def sync(self, descriptor: int) -> None:
        self.moving.wait(10)
        if self.failures:
            self.failures -= 1
            raise OSError(5, "Input/output error")
        os.fdatasync(descriptor)
        self.syncs += 1

    def free(self, _: Path) -> int:
        return self.room


@contextmanager
def journal_in(
    folder: Path,
    disk: Disk | None = None,
    *,
    segment_octets: int = SEGMENT_OCTETS,
    chance: Callable[[int], bytes] = os.urandom,
) -> Iterator[Journal]:
    disk = disk or Disk()
    journal = Journal(
        folder,
        node=NODE,
        worker=0,
        monotonic=time.monotonic,
        chance=chance,
        segment_octets=segment_octets,
        sync=disk.sync,
        free=disk.free,
    )
    try:
        yield journal
    finally:
        journal.close()


def read_all(folder: Path, position: Position | None = None) -> list[bytes]:
    reader = JournalReader(folder, position)
    found: list[bytes] = []
    while (stretch := reader.read(3)) is not None:
        found += [entry.payload for entry in stretch.entries]
        reader.advance(stretch)
    return found


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for another thread, with a bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        threading.Event().wait(0.005)
