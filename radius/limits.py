"""How often something may happen for one NAS in a second. No clock here: moments are handed in."""


class Rate:
    """At most `per_second` of one key in each whole second; keys are ids of NASes, so there are not many."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._seconds: dict[str, tuple[int, int]] = {}

    def exceeded(self, key: str, now: float) -> bool:
        """Count one more at monotonic `now`, and tell whether it is one too many."""
        at = int(now)
        second, counted = self._seconds.get(key, (at, 0))
        counted = counted + 1 if second == at else 1
        self._seconds[key] = (at, counted)
        return counted > self._per_second
