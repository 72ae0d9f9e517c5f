"""Memory, files and threads of processes over time, and whether they grow. Readings from /proc (proc(5))."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Python's allocator keeps what it once had, so memory climbs towards its highest need in steps; a leak of one small
# object a request (100 octets at 200 a second) would climb by 72 MB an hour, and one of 20 octets by 14.
MOST_OCTETS_AN_HOUR: Final = 10_000_000
SHORTEST_HALF_SECONDS: Final = 900.0  # below that, warming up is most of what is seen, and memory is not judged
_HOUR: Final = 3600.0
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment, in seconds since the load began."""

    process: str
    at: float
    resident_octets: int
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A process over the whole run, whose last half lasted `half_seconds`.

    `octets_an_hour` is the slope over that half; files and threads are the most that there were before and in it.
    """

    process: str
    half_seconds: float
    first_octets: int
    middle_octets: int
    last_octets: int
    octets_an_hour: float
    files_before: int
    files_after: int
    threads_before: int
    threads_after: int

    @property
    def memory_judged(self) -> bool:
        """Tell whether the run was long enough to say anything about memory."""
        return self.half_seconds >= SHORTEST_HALF_SECONDS

    @property
    def flat(self) -> bool:
        """Tell whether memory grows less than the bound, and files and threads no more in the last half."""
        return (
            (self.octets_an_hour <= MOST_OCTETS_AN_HOUR or not self.memory_judged)
            and self.files_after <= self.files_before
            and self.threads_after <= self.threads_before
        )


def reading(process: str, pid: int, at: float, proc: Path = _PROC) -> Sample:
    """Look at a process now; raise FileNotFoundError if it is gone, which it must not be."""
    folder = proc / str(pid)
    resident = int((folder / "statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    files, threads = (sum(1 for _ in (folder / name).iterdir()) for name in ("fd", "task"))
    return Sample(process, at, resident, files, threads)


def judged(samples: Sequence[Sample]) -> list[Judged]:
    """Judge each process, in the order in which they were first seen."""
    names = list(dict.fromkeys(sample.process for sample in samples))
    return [_judged([sample for sample in samples if sample.process == name]) for name in names]


def _judged(samples: Sequence[Sample]) -> Judged:
    middle = len(samples) // 2
    before, after = samples[: middle + 1], samples[middle:]
    return Judged(
        process=samples[0].process,
        half_seconds=after[-1].at - after[0].at,
        first_octets=samples[0].resident_octets,
        middle_octets=samples[middle].resident_octets,
        last_octets=samples[-1].resident_octets,
        octets_an_hour=slope([(one.at, one.resident_octets) for one in after]) * _HOUR,
        files_before=max(one.files for one in before),
        files_after=max(one.files for one in after),
        threads_before=max(one.threads for one in before),
        threads_after=max(one.threads for one in after),
    )


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return how much y grows with x, by least squares; 0 of a single point."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
