"""A process's sign of life: its file in `run/` is kept young, and its metrics are written beside it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from app import metrics
from app.node.running import BEAT_SECONDS, Listening, announce

log = structlog.get_logger("main")


@contextmanager
def alive(
    data_dir: Path,
    process: str,
    listening: Listening,
    registry: CollectorRegistry,
    *,
    healthy: Callable[[], bool],
    on_beat: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Announce the process while the block runs; stay silent while it is not `healthy`; call `on_beat` each time."""
    path = announce(data_dir, process, listening)
    stop = threading.Event()

    def beat() -> None:
        failing = False
        while True:
            try:
                if healthy():
                    path.touch()
                on_beat()
                metrics.write(registry, data_dir, process)
            except OSError as error:  # a full disk; the process goes on
                if not failing:
                    log.warning("heartbeat_failed", error=str(error))
                failing = True
            else:
                failing = False
            if stop.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        path.unlink(missing_ok=True)
        path.with_suffix(".prom").unlink(missing_ok=True)
