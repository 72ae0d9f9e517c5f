"""What routers have shown about signing their requests: kept, so that a restart need not learn it anew."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from app.db import feed, nases
from app.db.engine import Database
from app.db.feed import FeedKind
from app.node.nases import NasTable
from radius.backend import Demand


class Lesson(NamedTuple):
    """What one NAS has shown; `kept` tells whether the database knows it."""

    nas_id: str
    demand: Demand
    kept: bool


class Learned:
    """What was learnt since the start; the loop adds, the follower's thread keeps it in the database.

    `on_correction` is told what other nodes have learnt, and (None) what is to be learnt anew.
    """

    def __init__(self) -> None:
        self.on_correction: Callable[[str, Demand | None], None] = _nobody_listens
        self._lock = threading.Lock()
        self._lessons: dict[str, Lesson] = {}

    def add(self, nas_id: str, demand: Demand) -> None:
        """Note what a NAS has shown."""
        with self._lock:
            self._lessons[nas_id] = Lesson(nas_id, demand, kept=False)

    def take(self, lessons: Iterable[Lesson]) -> None:
        """Take over what an earlier run has learnt."""
        with self._lock:
            self._lessons.update({one.nas_id: one for one in lessons})

    def lessons(self) -> list[Lesson]:
        """Return everything that was learnt."""
        with self._lock:
            return list(self._lessons.values())

    def keep(self, database: Database, now: datetime) -> None:
        """Store what is new, and tell other nodes of routers that sign; on failure it stays new."""
        fresh = [one for one in self.lessons() if not one.kept]
        if not fresh:
            return
        with database.write() as connection:
            news = [
                nas_id
                for nas_id, demand, _ in fresh
                if nases.learn(connection, nas_id, signs=demand is Demand.YES) and demand is Demand.YES
            ]
            if news:
                feed.append(connection, now=now, items={FeedKind.NAS: news})
        with self._lock:
            for one in fresh:
                if self._lessons.get(one.nas_id) is one:
                    self._lessons[one.nas_id] = one._replace(kept=True)

    def follow(self, before: NasTable, after: NasTable) -> None:
        """Take from what the database says now what an admin has forgotten and what other nodes have seen."""
        for nas_id, one in after.by_id.items():
            was = before.by_id.get(nas_id)
            stored = one.nas.learned_message_authenticator
            earlier = None if was is None else was.nas.learned_message_authenticator
            with self._lock:
                mine = self._lessons.get(nas_id)
                forgotten = stored is None and (earlier is not None or (mine is not None and mine.kept))
                if forgotten:
                    self._lessons.pop(nas_id, None)
            if forgotten:
                self.on_correction(nas_id, None)
            elif stored and not earlier and (mine is None or mine.demand is not Demand.YES):
                self.on_correction(nas_id, Demand.YES)

    def known(self, table: NasTable) -> dict[str, Demand]:
        """Return everything that is known, by NAS id: what the database says, and what was learnt since."""
        stored = {
            nas_id: Demand.YES if one.nas.learned_message_authenticator else Demand.NO
            for nas_id, one in table.by_id.items()
            if one.nas.learned_message_authenticator is not None
        }
        return stored | {one.nas_id: one.demand for one in self.lessons()}


def _nobody_listens(_nas_id: str, _demand: Demand | None) -> None:
    """Do nothing: there is no engine yet."""
