"""`pesisir serve`: starts the processes, starts again what dies, and stops all on SIGTERM within ten seconds.

None of them outlives it, however it ends: what is left would keep the ports from the one that is started next.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from app import log as logs
from app.config import Settings
from app.main.ends import START_FAILED, stopped_by_signals
from app.main.one import RADIUS, run_one
from app.node.running import read_running

_STOP_SECONDS: Final = 9.0
_FIRST_RETRY_SECONDS: Final = 0.1  # a process that has answered: its routers wait
_RETRY_SECONDS: Final = 0.5  # one that has died before it was ready; each time longer
_LONGEST_RETRY_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.1
_HEAD_START_SECONDS: Final = 3.0  # a start costs a second of CPU, and routers wait for RADIUS: the others come after it
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, prctl(2)

log = structlog.get_logger("main")


class _Child:
    """One process that is kept running."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], data_dir: Path) -> None:
        self.name = "-".join(argument for argument in arguments if not argument.startswith("--"))
        self.failed = False  # its first start cannot succeed; what has served before may do so again
        self._has_served = False
        self.serves_routers = arguments[0] == RADIUS
        self._command = [sys.executable, "-m", "app.main", *arguments]
        self._environment, self._data_dir = environment, data_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = 0.0
        self._retry = _RETRY_SECONDS

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Tell whether this very process, alive or dead, has announced itself, and not taken it back."""
        said = read_running(self._data_dir).get(self.name, {}).get("pid")
        return self._process is not None and said == self._process.pid

    def look(self, now: float) -> None:
        """Start it if it is due; notice if it has died."""
        if self._process is None:
            if now >= self._start_at:
                self._process = _start(self._command, self._environment)
            return
        code = self._process.poll()
        if code is None:
            return
        was_ready = code == 0 or self.ready
        self._has_served |= was_ready
        self._process = None
        if code == START_FAILED and not self._has_served:
            self.failed = True
            return
        pause = _FIRST_RETRY_SECONDS if was_ready else self._retry
        log.error("process_died", child=self.name, code=code, again_in_seconds=pause)
        self._start_at = now + pause
        self._retry = _RETRY_SECONDS if was_ready else min(2 * self._retry, _LONGEST_RETRY_SECONDS)

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self) -> None:
        if self._process is not None:
            self._process.wait()


class Supervisor:
    """Keeps processes running; `commands` are what each is told, as in `python -m app.main radius 0`."""

    def __init__(self, commands: Sequence[tuple[str, ...]], environment: Mapping[str, str], data_dir: Path) -> None:
        self._children = [_Child(command, environment, data_dir) for command in commands]
        self._stops = 0

    def stop(self) -> None:
        """Stop everything; a second time, faster."""
        self._stops += 1

    def run(self) -> int:
        """Run until `stop`, or until a process cannot be started; return the exit code."""
        began = time.monotonic()
        while not self._stops and not any(child.failed for child in self._children):
            now = time.monotonic()
            for child in self._children:
                if child.serves_routers or now - began > _HEAD_START_SECONDS or self._routers_served:
                    child.look(now)
            time.sleep(_LOOK_SECONDS)
        failed = any(child.failed for child in self._children)
        self._stop_children()
        return 1 if failed else 0

    @property
    def _routers_served(self) -> bool:
        return all(child.ready for child in self._children if child.serves_routers)

    def _stop_children(self) -> None:
        for child in self._children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while any(child.running for child in self._children):
            if time.monotonic() > deadline or self._stops > 1:
                for child in self._children:
                    child.signal(signal.SIGKILL)
                break
            time.sleep(_LOOK_SECONDS / 4)
        for child in self._children:
            child.wait()


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that the kernel kills when this one is gone: what it has acknowledged is on the disk."""
    libc, parent = ctypes.CDLL(None), os.getpid()

    def die_with_parent() -> None:
        libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before that
            os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(  # noqa: S603 our own program
        command,
        env=dict(environment),
        preexec_fn=die_with_parent,  # noqa: PLW1509 no threads run here
    )


def supervise(settings: Settings, only: str | None = None) -> int:
    """Run all processes, or one kind alone, until SIGTERM; return the exit code."""
    if only is not None and (only != RADIUS or settings.radius_workers == 1):
        return run_one(settings, only, worker=0, status=True)
    logs.configure("serve")
    workers = [(RADIUS, str(worker)) for worker in range(settings.radius_workers)]
    everything = [*workers, ("worker",), ("http",)]
    radius_alone = [(*workers[0], "--status"), *workers[1:]]
    supervisor = Supervisor(everything if only is None else radius_alone, os.environ, settings.data_dir)
    with stopped_by_signals(supervisor.stop):
        return supervisor.run()
