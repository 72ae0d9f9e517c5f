"""`pesisir serve`: starts the processes, starts again what dies, and stops all on SIGTERM within ten seconds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from app import log as logs
from app.config import Settings
from app.main.start import stopped_by_signals

START_FAILED: Final = 3
"""Exit code of a child whose start cannot succeed: it is not started again."""

_STOP_SECONDS: Final = 9.0
_FIRST_RETRY_SECONDS: Final = 0.5
_LONGEST_RETRY_SECONDS: Final = 15.0
_STEADY_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1

log = structlog.get_logger("main")


class _Child:
    """One process that is kept running."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self.name = "-".join(arguments)
        self.failed = False
        self._command = [sys.executable, "-m", "app.main", *arguments]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_at = 0.0
        self._retry = _FIRST_RETRY_SECONDS

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look(self, now: float) -> None:
        """Start it if it is due; notice if it has died."""
        if self._process is None:
            if now >= self._start_at:
                self._process = subprocess.Popen(self._command, env=dict(self._environment))  # noqa: S603 our own program
                self._started_at = now
            return
        code = self._process.poll()
        if code is None:
            return
        self._process = None
        if code == START_FAILED:
            self.failed = True
            return
        if now - self._started_at > _STEADY_SECONDS:
            self._retry = _FIRST_RETRY_SECONDS
        log.error("process_died", child=self.name, code=code, again_in_seconds=self._retry)
        self._start_at = now + self._retry
        self._retry = min(2 * self._retry, _LONGEST_RETRY_SECONDS)

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self) -> None:
        if self._process is not None:
            self._process.wait()


class Supervisor:
    """Keeps processes running; `commands` are what each is told, as in `python -m app.main radius 0`."""

    def __init__(self, commands: Sequence[tuple[str, ...]], environment: Mapping[str, str]) -> None:
        self._children = [_Child(command, environment) for command in commands]
        self._stops = 0

    def stop(self) -> None:
        """Stop everything; a second time, faster."""
        self._stops += 1

    def run(self) -> int:
        """Run until `stop`, or until a process cannot be started; return the exit code."""
        while not self._stops and not any(child.failed for child in self._children):
            now = time.monotonic()
            for child in self._children:
                child.look(now)
            time.sleep(_LOOK_SECONDS)
        failed = any(child.failed for child in self._children)
        self._stop_children()
        return 1 if failed else 0

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


def supervise(settings: Settings, only: str | None = None) -> int:
    """Run all processes, or one kind alone, until SIGTERM; return the exit code."""
    from app.main.one import RADIUS, run_one  # a process alone is this very process

    if only is not None and (only != RADIUS or settings.radius_workers == 1):
        return run_one(settings, only, worker=0, status=True)
    logs.configure("serve")
    workers = [(RADIUS, str(worker)) for worker in range(settings.radius_workers)]
    everything = [*workers, ("worker",), ("http",)]
    radius_alone = [(*workers[0], "--status"), *workers[1:]]
    supervisor = Supervisor(everything if only is None else radius_alone, os.environ)
    with stopped_by_signals(supervisor.stop):
        return supervisor.run()
