"""The loop around the target: for so long, with a watchdog, and an eye on memory."""

import faulthandler
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from radius.backend import Service
from tests.fuzz.target import FindingError, Target

SLOWEST_SECONDS: Final = 1.0  # one datagram, whatever is in it
HANG_SECONDS: Final = 20.0
SETTLE_EVERY: Final = 500
# Caches of limits and replies fill up to their bounds for some minutes. After them 25 octets a datagram were measured in
# Python's objects and 75 in all, the rest below Python; whatever keeps a datagram takes several hundred.
MOST_GROWTH_OCTETS: Final = 16_000_000
MOST_GROWTH_EACH: Final = 100
_LOOK_SECONDS: Final = 0.25
_SLOW_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `growth_octets` is that of resident memory over its last half, in which `late` datagrams came."""

    datagrams: int
    late: int
    seconds: float
    slowest_seconds: float
    growth_octets: int
    outcomes: dict[str, int]

    @property
    def flat(self) -> bool:
        """Tell whether memory did not grow with the number of datagrams."""
        return self.growth_octets <= MOST_GROWTH_OCTETS + self.late * MOST_GROWTH_EACH


class Watchdog:
    """Ends the process where one datagram holds it for longer than any may, and says which and where."""

    def __init__(self, findings: Path, *, seconds: float = HANG_SECONDS) -> None:
        self._findings, self._seconds = findings, seconds
        self._began: float | None = None
        self._datagram = b""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def timed(self, datagram: bytes, put: Callable[[], object]) -> float:
        """Do it under watch; return the seconds that it took."""
        self._datagram = datagram
        began = self._began = time.monotonic()
        try:
            put()
        finally:
            self._began = None
        return time.monotonic() - began

    def _run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            began = self._began
            if began is not None and time.monotonic() - began > self._seconds:
                path = keep(self._findings, self._datagram, "hang")
                print(f"a datagram holds everything up; it is kept in {path}", file=sys.stderr, flush=True)
                faulthandler.dump_traceback(all_threads=True)
                os._exit(2)


def fuzz(folder: Path, findings: Path, *, seconds: float, seed: int, tell: Callable[[str], None]) -> Report:
    """Put datagrams through a target for so long. A finding is kept as a file, and raised."""
    chance = random.Random(seed)
    target = Target(folder)
    began = time.monotonic()
    half_at, middle, memory = began + seconds / 2, 0, 0
    slowest, number = 0.0, 0
    try:
        with Watchdog(findings) as watchdog:
            while (now := time.monotonic()) < began + seconds:
                if not middle and now >= half_at:
                    target.settle()
                    middle, memory = number, resident_octets()
                slowest = max(slowest, one(target, watchdog, chance, findings))
                number += 1
                if number % SETTLE_EVERY == 0:
                    target.settle()
                if number % (20 * SETTLE_EVERY) == 0:
                    tell(f"{number:,} datagrams, {resident_octets() / 1e6:.0f} MB, slowest {slowest * 1e3:.0f} ms")
            target.settle()
        grown = resident_octets() - memory
    finally:
        target.close()
    return Report(number, number - middle, time.monotonic() - began, slowest, grown, dict(target.outcomes))


def one(target: Target, watchdog: Watchdog, chance: random.Random, findings: Path) -> float:
    """Make one datagram and put it through; return the seconds it took."""
    seed, datagram = target.datagram(chance)
    host = chance.choice(target.sources)
    service = seed.service if chance.random() < 0.95 else chance.choice(list(Service))

    def put() -> None:
        target.put(service, datagram, host)

    try:
        return timed(watchdog, datagram, put)
    except Exception as error:
        error.add_note(f"from {seed.name}, by {service} of {host}; kept in {keep(findings, datagram, seed.name)}")
        raise


def timed(watchdog: Watchdog, datagram: bytes, put: Callable[[], object]) -> float:
    """Return the seconds it takes; again where they are many, since the machine may have been busy."""
    took = watchdog.timed(datagram, put)
    if took > SLOWEST_SECONDS:
        took = min(took, *(watchdog.timed(datagram, put) for _ in range(_SLOW_TRIES)))
    if took > SLOWEST_SECONDS:
        raise FindingError(f"takes {took:.1f} s")
    return took


def keep(findings: Path, datagram: bytes, name: str) -> Path:
    """Write a datagram down as hex, for a test of its own."""
    findings.mkdir(parents=True, exist_ok=True)
    path = findings / f"{name}-{time.time_ns()}.hex"
    path.write_text(datagram.hex(" ") + "\n", encoding="ascii")
    return path


def resident_octets() -> int:
    """Return how much memory this process has in RAM (proc(5))."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
