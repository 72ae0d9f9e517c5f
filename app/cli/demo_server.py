"""The demo's server: the real `pesisir serve` as a process of its own, which never outlives the demo."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from app.cli.failures import Failure
from app.node.running import read_running

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 12.0
_LOOK_SECONDS: Final = 0.1
_PROCESSES: Final = frozenset(("http", "radius-0", "worker"))
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, prctl(2)


@contextmanager
def running_server(folder: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `pesisir serve`; it ends with the block, and with this process, whatever happens to it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PESISIR_")}
    environment["PESISIR_CONFIG"] = str(config)
    libc = ctypes.CDLL(None)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the terminal is for the demo, which ends the server in its turn
            preexec_fn=lambda: libc.prctl(_DIE_WITH_PARENT, signal.SIGTERM),  # noqa: PLW1509 no threads run yet
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and everything it started; a second Ctrl-C does not hurry this."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        signal.signal(signal.SIGINT, previous)


def wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until every process has announced itself; raise Failure with the end of the log."""
    give_up_at = time.monotonic() + _START_SECONDS
    while not set(read_running(folder)) >= _PROCESSES:
        if server.poll() is not None or time.monotonic() > give_up_at:
            lines = (folder / "serve.log").read_text(errors="replace").strip().splitlines()
            raise Failure("the demo's server does not start", why=" / ".join(lines[-3:]), hint="pesisir doctor")
        time.sleep(_LOOK_SECONDS)
