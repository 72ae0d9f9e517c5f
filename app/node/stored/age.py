"""How old a snapshot from the disk is, whatever the wall clock does. No I/O here.

It is at least as old as it was when it was written and the time since it was read: no step of a clock makes it
younger, so one that is dated in the future ages with the hours that the node runs. How long it lay on the disk only
the wall clock knows. That is asked again and again, since after a power cut it may be right only later, and it is not
believed while it can be seen to be wrong.
"""

from dataclasses import dataclass
from datetime import datetime

from app.domain.clock import believable


@dataclass(frozen=True, slots=True)
class Dated:
    """When a snapshot was read from the database and when it was written to the disk, by the wall clock; its age then.

    The age is by the monotonic clock.
    """

    as_of: datetime
    written_at: datetime
    age_seconds: float


class StoredAge:
    """The age of one snapshot that was read from the disk at the monotonic moment `read_at`."""

    def __init__(self, dated: Dated, *, read_at: float) -> None:
        self._dated, self._read_at = dated, read_at

    def seconds(self, now: datetime, monotonic: float) -> float:
        """Return how old it is at least."""
        since = max(monotonic - self._read_at, self._since_written(now))
        return self._dated.age_seconds + since

    def _since_written(self, now: datetime) -> float:
        dated = self._dated
        if not believable(now):
            return 0.0
        if believable(dated.written_at):
            return (now - dated.written_at).total_seconds()
        return (now - dated.as_of).total_seconds() - dated.age_seconds if believable(dated.as_of) else 0.0
