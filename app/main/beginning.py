"""What a RADIUS process begins with: the database, or what an earlier run has stored while that is away."""

import gc
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog

from app.config import Settings
from app.db.engine import Database, database_file
from app.main.start import DatabaseAwayError, database_now, database_of, node_id, now
from app.node.stored.loading import Stored, load_stored, stored_path
from app.node.stored.sealed import StoredError
from app.services.keyring import Keyring
from app.services.schema import open_ready_database

PATIENCE_SECONDS: Final = 5.0  # with a name server or a database that is half alive, where something is stored

log = structlog.get_logger("main")


class Beginning(NamedTuple):
    """How to open the database, and what to decide by until that succeeds (None: it already has)."""

    open_database: Callable[[], Database]
    stored: Stored | None


def begin(settings: Settings, worker: int, keyring: Keyring, stop: threading.Event) -> Beginning | None:
    """Take the database, or the stored snapshot if that is away, or wait; None if `stop` came first."""
    patient = database_file(settings.database_url) is not None or not stored_path(settings.data_dir, worker).exists()
    try:
        database: Database | None = (
            database_now(settings, keyring) if patient else _within(PATIENCE_SECONDS, settings, keyring)
        )
    except DatabaseAwayError as error:
        log.warning("database_away", error=str(error))
        stored = _stored(settings, worker, keyring)
        if stored is not None:
            return Beginning(lambda: open_ready_database(settings.database_url, keyring), stored)
        database = database_of(settings, keyring, stop)
    return None if database is None else Beginning(lambda: database, None)


def _within(seconds: float, settings: Settings, keyring: Keyring) -> Database:
    """Do as `database_now`, but take a database that does not answer in time for one that is away."""
    answers: queue.SimpleQueue[Database | Exception] = queue.SimpleQueue()
    given_up = threading.Event()

    def attempt() -> None:
        try:
            database = database_now(settings, keyring)
        except Exception as error:  # noqa: BLE001 it is raised again where it is waited for
            answers.put(error)
        else:
            answers.put(database)
            if given_up.is_set():
                database.close()

    threading.Thread(target=attempt, name="database", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        given_up.set()
        raise DatabaseAwayError(f"no answer in {seconds:.0f} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _stored(settings: Settings, worker: int, keyring: Keyring) -> Stored | None:
    """Return what an earlier run has stored; say why if that is not to be had."""
    path, began = stored_path(settings.data_dir, worker), time.monotonic()
    try:
        found = load_stored(path, keyring, node=node_id(settings.data_dir, os.urandom), worker=worker, now=now())
    except FileNotFoundError:
        return None
    except StoredError as error:
        log.error("snapshot_refused", file=str(error.path), problem=error.problem)  # noqa: TRY400 the line says it all
        return None
    gc.freeze()  # nothing of it need be walked through before the first answer
    log.warning(
        "snapshot_from_disk",
        file=str(path),
        as_of=found.dated.as_of.isoformat(timespec="seconds"),
        accounts=len(found.contents.accounts),
        seconds=round(time.monotonic() - began, 3),
    )
    return found
