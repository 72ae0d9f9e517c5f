"""What a RADIUS process begins with: the database, or what an earlier run has stored while that is away."""

import gc
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

from app.config import Settings
from app.db.engine import Database
from app.main.start import DatabaseAwayError, database_now, database_of, node_id, now
from app.node.stored.loading import Stored, load_stored, stored_path
from app.node.stored.sealed import StoredError
from app.services.keyring import Keyring
from app.services.schema import open_ready_database

log = structlog.get_logger("main")


class Beginning(NamedTuple):
    """How to open the database, and what to decide by until that succeeds (None: it already has)."""

    open_database: Callable[[], Database]
    stored: Stored | None


def begin(settings: Settings, worker: int, keyring: Keyring, stop: threading.Event) -> Beginning | None:
    """Take the database, or the stored snapshot if that is away, or wait; None if `stop` came first."""
    try:
        database: Database | None = database_now(settings, keyring)
    except DatabaseAwayError as error:
        log.warning("database_away", error=str(error))
        stored = _stored(settings, worker, keyring)
        if stored is not None:
            return Beginning(lambda: open_ready_database(settings.database_url, keyring), stored)
        database = database_of(settings, keyring, stop)
    return None if database is None else Beginning(lambda: database, None)


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
