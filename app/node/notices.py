"""What a node has noticed of NASes: said once in the log, remembered while it is shown, kept in the database."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from app.db import hints
from app.db.engine import Database
from app.db.errors import AWAY
from app.db.hints import Notice
from app.domain.hints import SHOWN_FOR, HintKind

KEEP_SECONDS: Final = 30.0

log = structlog.get_logger("node")

_Key = tuple[str, HintKind]


@dataclass(frozen=True, slots=True)
class Noticed:
    """One thing that was noticed of a NAS; `at` is monotonic."""

    kind: HintKind
    detail: str = ""
    at: float = 0.0


class NoticeBoard:
    """The loop and a thread put notices up, the follower's thread keeps them, others read. `name_of` names a NAS."""

    def __init__(self, name_of: Callable[[str], str], *, monotonic: Callable[[], float]) -> None:
        self._name_of, self._monotonic = name_of, monotonic
        self._lock = threading.Lock()
        self._noticed: dict[_Key, Noticed] = {}
        self._unkept: dict[_Key, Notice] = {}
        self._ended: set[_Key] = set()
        self._keep_at = monotonic() + KEEP_SECONDS

    def notice(self, nas_id: str, kind: HintKind, detail: str = "", times: int = 1) -> None:
        """Put up what was seen `times` more."""
        key, now = (nas_id, kind), self._monotonic()
        with self._lock:
            before, self._noticed[key] = self._noticed.get(key), Noticed(kind, detail, now)
            unkept = self._unkept.get(key)
            self._unkept[key] = Notice(nas_id, kind, detail, times + (0 if unkept is None else unkept.times))
            self._ended.discard(key)
        if before is None or not _is_shown(before, now):
            log.warning("nas_hint", nas=self._name_of(nas_id), hint=kind.value, detail=detail, next="pesisir doctor")

    def end(self, nas_id: str, kind: HintKind) -> None:
        """Take a notice back, of this node and of others."""
        key = (nas_id, kind)
        with self._lock:
            self._noticed.pop(key, None)
            self._unkept.pop(key, None)
            self._ended.add(key)

    def of(self, nas_id: str) -> list[Noticed]:
        """Return what is to be said of a NAS now."""
        now = self._monotonic()
        with self._lock:
            found = [noticed for (whose, _), noticed in self._noticed.items() if whose == nas_id]
        return [noticed for noticed in found if _is_shown(noticed, now)]

    def keep(self, database: Database, now: datetime) -> None:
        """Store what is new, twice a minute; while the database is away it stays new."""
        if self._monotonic() < self._keep_at:
            return
        self._keep_at = self._monotonic() + KEEP_SECONDS
        with self._lock:
            notices, self._unkept = self._unkept, {}
            ended, self._ended = self._ended, set()
        if not notices and not ended:
            return
        try:
            with database.write() as connection:
                for nas_id, kind in ended:
                    hints.forget(connection, nas_id, kind)
                hints.add(connection, notices.values(), now=now)
        except AWAY:
            self._take_back(notices, ended)

    def _take_back(self, notices: dict[_Key, Notice], ended: set[_Key]) -> None:
        with self._lock:
            for key, notice in notices.items():
                newer = self._unkept.get(key)
                if newer is None and key not in self._ended:
                    self._unkept[key] = notice
                elif newer is not None:
                    self._unkept[key] = newer._replace(times=newer.times + notice.times)
            self._ended |= ended - self._unkept.keys()


def _is_shown(noticed: Noticed, now: float) -> bool:
    return now - noticed.at <= SHOWN_FOR[noticed.kind].total_seconds()
