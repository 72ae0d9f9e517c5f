"""What processes of this machine have used, from /proc (proc(5))."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


class ProcessError(Exception):
    """There is no such process; its number."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


def cpu_seconds(pids: Iterable[int], proc: Path = _PROC) -> float:
    """Return the seconds of CPU, in the kernel and outside, that the processes have used; raise ProcessError."""
    ticks = 0
    for pid in pids:
        # The name stands in parentheses and may hold anything; utime and stime are the 14th and 15th field.
        fields = _read(pid, "stat", proc).rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_octets(pids: Iterable[int], proc: Path = _PROC) -> int:
    """Return how much memory the processes have in RAM; raise ProcessError."""
    pages = sum(int(_read(pid, "statm", proc).split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE")


def _read(pid: int, name: str, proc: Path) -> str:
    try:
        return (proc / str(pid) / name).read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessError(pid) from error
