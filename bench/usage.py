"""CPU of a process and all that it has started, and what machine this is."""

import os
import platform
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def tree_cpu_seconds(roots: Iterable[int], proc: Path = _PROC) -> float:
    """Return the CPU that processes and all below them have used, those that have ended since included (proc(5))."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for path in proc.glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended; its parent knows what it used
            continue
        pid = int(path.parent.name)
        ticks[pid] = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
        children[int(fields[1])].append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children[pid]
    return sum(ticks.get(pid, 0) for pid in found) / os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, str]:
    """Say what was measured on."""
    release = platform.freedesktop_os_release()
    return {
        "processor": f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.1f} GB",
        "system": f"{release.get('PRETTY_NAME', platform.system())}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "FreeRADIUS": _said("freeradius", "-v").partition(",")[0].removeprefix("radiusd: FreeRADIUS Version ").strip(),
        "PostgreSQL": _said("psql", "--version").removeprefix("psql (PostgreSQL) ").strip(),
        "Pesisir": _said("git", "describe", "--always", "--dirty").strip(),
    }


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not here"
    return done.stdout.splitlines()[0] if done.stdout else "unknown"
