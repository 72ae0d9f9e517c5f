"""How sessions end: what their NAS said, what its restart tells, what we estimate."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """How a session ended: what the NAS said (`reported`), or what its restart or our estimate told.

    `known_at` is the moment of that Stop or restart, or of the last report before we gave up waiting (`estimated`).
    """

    reported: bool
    at: datetime
    cause: str
    known_at: datetime
    estimated: bool = False


def join_stops(left: Stop | None, right: Stop | None, last_report_at: datetime) -> Stop | None:
    """A Stop of the NAS stands; what we inferred is undone by a report from after it, and ends at the last report."""
    stops = [stop for stop in (left, right) if stop is not None]
    reported = [stop for stop in stops if stop.reported]
    if reported:
        return max(reported, key=lambda stop: (stop.at, stop.cause))
    standing = [stop for stop in stops if stop.known_at >= last_report_at]
    if not standing:
        return None
    return replace(min(standing, key=_precedence), at=last_report_at)


def _precedence(inferred: Stop) -> tuple[bool, datetime, str]:
    """A restart before an estimate; of two restarts the earlier."""
    return inferred.estimated, inferred.known_at, inferred.cause
