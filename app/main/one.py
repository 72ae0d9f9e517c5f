"""One process, by its word: `radius`, `http` or `worker`."""

import os
import sys
from typing import Final

from app.config import Settings
from app.main.ends import START_FAILED, StartError

RADIUS: Final = "radius"
HTTP: Final = "http"
WORKER: Final = "worker"

_SWITCH_SECONDS: Final = 0.0005  # the loop waits so long for a helper thread of its process, not ten times as long
_NICENESS: Final = 10  # answers first: what the worker does can wait for a storm to be over


def run_one(settings: Settings, process: str, *, worker: int, status: bool) -> int:
    """Run one process until SIGTERM; return the exit code, 1 after saying why a start cannot succeed.

    `status` says that it serves /healthz, /readyz and /metrics itself, because no HTTP process beside it does.
    """
    try:
        return _run(settings, process, worker, status=status)
    except StartError as error:
        print(f"pesisir: {error.problem}\n  next: {error.remedy}", file=sys.stderr)  # noqa: T201 to the one who started it
        return 1


def exit_code_for_supervisor(code: int) -> int:
    """Tell the supervisor a start that cannot succeed from a process that died."""
    return START_FAILED if code == 1 else code


def _run(settings: Settings, process: str, worker: int, *, status: bool) -> int:
    if process == RADIUS:
        sys.setswitchinterval(_SWITCH_SECONDS)
        from app.main.radius import run_radius

        return run_radius(settings, worker, status=status)
    if process == WORKER:
        os.nice(_NICENESS)
        from app.main.worker import run_worker

        return run_worker(settings, status=status)
    assert process == HTTP
    from app.main.http import run_http

    return run_http(settings)
