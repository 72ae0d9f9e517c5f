"""When accounting arrives, by a clock that never jumps. No clock and no I/O here.

Many routers send no Event-Timestamp: then the moment of arrival says when a report's session began. Over a wall clock
that is set by an hour the same session would seem to have begun twice, and be counted twice.
"""

from typing import Final

from app.domain.clock import MADE_AT

_SLEW: Final = 0.5  # of each second: an hour is made up for within two, and no session seems to begin anew
_NOTHING_SECONDS: Final = 0.001
_MADE_AT: Final = MADE_AT.timestamp()


class Arrivals:
    """Follows the wall clock by half a second in each second, except away from a time that cannot be right."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the monotonic clock, in seconds
        self._looked = 0.0

    def shift(self, now_at: float, now: float) -> float:
        """Return the seconds to add to the wall clock `now_at` (since 1970), while the monotonic one says `now`."""
        ahead = now_at - now
        if self._ahead is None or self._ahead + self._looked < _MADE_AT:
            self._ahead = ahead
        most = _SLEW * max(0.0, now - self._looked)
        self._ahead += min(max(ahead - self._ahead, -most), most)
        self._looked = max(now, self._looked)
        shift = self._ahead - ahead
        return shift if abs(shift) > _NOTHING_SECONDS else 0.0
