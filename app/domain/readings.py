"""One report's counters, as a value."""

from datetime import datetime
from typing import NamedTuple


class Reading(NamedTuple):
    """The counters of one report: octets and packets since the session began, by the user's view.

    `seconds` is the session time; None if the router did not tell. Packets are None where it counts none. `counted`
    is False where the report has no octet counter: it says nothing but that it came. `wide` tells that something said
    how often a counter has passed 2**32, `final` that the report was a Stop.
    """

    seconds: int | None
    at: datetime
    up: int
    down: int
    up_packets: int | None = None
    down_packets: int | None = None
    counted: bool = True
    wide: bool = True
    final: bool = False

    def age(self, started_at: datetime) -> int:
        """Return the session time; where the router did not tell, the time since the session's start."""
        if self.seconds is not None:
            return self.seconds
        return int((self.at - started_at).total_seconds())
