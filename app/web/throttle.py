"""How often something may be tried: so many times in so long per key, in bounded memory."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

Limits = Sequence[tuple[str, int]]
"""Keys that one try counts against, each with how many tries it has."""


class Throttle:
    """Remembers the moments of the last tries of each key; the keys unused for longest are forgotten first."""

    def __init__(self, *, window: timedelta, max_keys: int = 20_000) -> None:
        self._window = window
        self._max_keys = max_keys
        self._tries: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._tries)

    def take(self, limits: Limits, now: datetime) -> datetime | None:
        """Count one try against every key; or count nothing, and return when every key has one left again."""
        with self._lock:
            moments = [self._free_at(key, limit, now) for key, limit in limits]
            free_at = max((moment for moment in moments if moment is not None), default=None)
            if free_at is None:
                for key, limit in limits:
                    self._add(key, limit, now)
            return free_at

    def give_back(self, limits: Limits, at: datetime) -> None:
        """Uncount the try that was taken at that moment."""
        with self._lock:
            for key, _limit in limits:
                tries = self._tries.get(key)
                if tries is not None and at in tries:
                    tries.remove(at)
                if not tries:
                    self._tries.pop(key, None)

    def _add(self, key: str, limit: int, now: datetime) -> None:
        tries = self._tries.setdefault(key, deque(maxlen=limit))
        tries.append(now)
        self._tries.move_to_end(key)
        while len(self._tries) > self._max_keys:
            self._tries.popitem(last=False)

    def _free_at(self, key: str, limit: int, now: datetime) -> datetime | None:
        tries = self._tries.get(key)
        if tries is None or len(tries) < limit or tries[0] + self._window <= now:
            return None
        return tries[0] + self._window
