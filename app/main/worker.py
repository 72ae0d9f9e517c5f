"""The worker process."""

import os
import threading
import time

import structlog

from app import log as logs
from app.config import Settings
from app.main.ends import StartError, stopped_by_signals
from app.main.heartbeat import alive
from app.main.start import database_of, keyring_of, node_id, now
from app.main.status import Status, status_listener
from app.metrics import WorkerCollector, registry_of
from app.worker.dispatcher import Dispatcher
from app.worker.loop import Worker, WorkerBusyError

log = structlog.get_logger("main")


def run_worker(settings: Settings, *, status: bool = True) -> int:
    """Work until SIGTERM and return the exit code; raise StartError."""
    logs.configure("worker")
    keyring = keyring_of(settings)
    stop = threading.Event()
    with stopped_by_signals(stop.set):
        database = database_of(settings, keyring, stop)
    if database is None:
        return 0
    try:
        worker = Worker(
            database,
            keyring,
            data_dir=settings.data_dir,
            node=node_id(settings.data_dir, os.urandom),
            zone=settings.time_zone,
            journal_keep_seconds=settings.journal_keep_seconds,
            now=now,
            monotonic=time.monotonic,
            chance=os.urandom,
            language=settings.language,
        )
    except WorkerBusyError as error:
        raise StartError(f"another worker serves {error}", "stop it first; one worker serves one machine") from error
    dispatcher = Dispatcher(database, keyring, zone=settings.time_zone, now=now)
    registry = registry_of(WorkerCollector(worker, dispatcher))
    says = Status(settings.data_dir, lambda: {"worker": worker.ready})
    try:
        with (
            stopped_by_signals(worker.stop),
            status_listener(settings, says, wanted=status) as at,
            alive(settings.data_dir, "worker", at, registry, healthy=lambda: worker.ready),
        ):
            log.info("worker_ready")
            dispatcher.start()
            worker.run()
        log.info("worker_stopped")
    finally:
        dispatcher.stop()
        database.close()
    return 0
