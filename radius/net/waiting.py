"""What waits without holding up what does not: parked requests and delayed Rejects, in two bounded heaps.

No I/O, no clock here: `now` is monotonic seconds.
"""

import heapq
from itertools import count
from typing import Generic, TypeVar

P = TypeVar("P")
D = TypeVar("D")


class Waiting(Generic[P, D]):
    """Items of kind `P` until they are asked about again, answers of kind `D` until they may leave."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parked: list[tuple[float, int, P]] = []
        self._delayed: list[tuple[float, int, D]] = []
        self._order = count()  # breaks ties in the heaps

    def __len__(self) -> int:
        return len(self._parked) + len(self._delayed)

    @property
    def full(self) -> bool:
        """Tell whether nothing more may wait."""
        return len(self) >= self._most

    def park(self, item: P, due_at: float) -> None:
        """Keep an item until `due_at`, or until everything is asked for."""
        heapq.heappush(self._parked, (due_at, next(self._order), item))

    def delay(self, answer: D, due_at: float) -> None:
        """Keep an answer until `due_at`."""
        heapq.heappush(self._delayed, (due_at, next(self._order), answer))

    def parked(self, now: float) -> list[P]:
        """Take out the items that are due; all of them at `math.inf`."""
        return _taken(self._parked, now)

    def delayed(self, now: float) -> list[D]:
        """Take out the answers that are due, in order; all of them at `math.inf`."""
        return _taken(self._delayed, now)

    def seconds_to_next(self, now: float, most: float) -> float:
        """Return how long nothing becomes due; `most` at most."""
        moments = [heap[0][0] - now for heap in (self._parked, self._delayed) if heap]
        return max(0.0, min([most, *moments]))


T = TypeVar("T")


def _taken(heap: list[tuple[float, int, T]], now: float) -> list[T]:
    taken = []
    while heap and heap[0][0] <= now:
        taken.append(heapq.heappop(heap)[2])
    return taken
