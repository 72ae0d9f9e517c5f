"""What routers have shown about signing their requests: kept, so that a restart need not learn it anew."""

import threading

from app.db import nases
from app.db.engine import Database
from app.node.nases import NasTable
from radius.backend import Demand


class Learned:
    """What was learnt and is not in the database yet; the loop adds, the follower's thread keeps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: dict[str, Demand] = {}

    def add(self, nas_id: str, demand: Demand) -> None:
        """Note what a NAS has shown."""
        with self._lock:
            self._new[nas_id] = demand

    def keep(self, database: Database) -> None:
        """Store what is new; on failure it stays new."""
        with self._lock:
            fresh = dict(self._new)
        if not fresh:
            return
        with database.write() as connection:
            for nas_id, demand in fresh.items():
                nases.change(connection, nas_id, {"learned_message_authenticator": demand is Demand.YES})
        with self._lock:
            for nas_id, demand in fresh.items():
                if self._new.get(nas_id) is demand:
                    del self._new[nas_id]


def known(table: NasTable) -> dict[str, Demand]:
    """Return what was learnt before, by NAS id."""
    return {
        nas_id: Demand.YES if one.nas.learned_message_authenticator else Demand.NO
        for nas_id, one in table.by_id.items()
        if one.nas.learned_message_authenticator is not None
    }
