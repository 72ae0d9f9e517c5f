"""What sessions count: by the database, by this node's own reports, and on which local day. No I/O, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.local_time import day_begins_at, local_day
from app.domain.reports import SessionReport

_DAY: Final = timedelta(days=1)

Key = tuple[str, str, str, str, str]
"""A session: NAS id, scope, Acct-Session-Id, MAC, acceptance id ("" if none)."""


class Place(NamedTuple):
    """Where in our own journal something stands: segment number and the offset behind it."""

    segment: int
    offset: int


NOWHERE: Final = Place(0, 0)


@dataclass(slots=True)
class Octets:
    """One session: what the database holds of it, what our own reports say, and where the last of these stands.

    Moments are seconds since 1970: `since` and `until` are when it began and when its last data had moved, `merged_at`
    is the last report that the database holds, `at` the last own one. `day` is the local day of that, and `day_up` and
    `day_down` what own reports count until it began. Own reports move it on; what the database says makes a new one of
    it, so that a copy of the references is of one moment of the database.
    """

    account_id: str
    since: int = 0
    merged_up: int = 0
    merged_down: int = 0
    merged_at: int = 0
    up: int = 0
    down: int = 0
    until: int = 0
    at: int = 0
    day: int = 0
    day_up: int = 0
    day_down: int = 0
    place: Place = NOWHERE

    def move_on(self, report: SessionReport, days: "LocalDays") -> None:
        """Count what a report says; what it adds is spread evenly over the time since the one before, as usage is."""
        at = int(report.event_at.timestamp())
        up_before, down_before = max(self.up, self.merged_up), max(self.down, self.merged_down)
        up_more, down_more = max(0, report.up_octets - up_before), max(0, report.down_octets - down_before)
        today = days.of(at)
        if today.ordinal > self.day:
            before = self.at or self.since
            if before < today.begins:
                part, whole = today.begins - before, at - before
                self.day_up = up_before + up_more * part // whole
                self.day_down = down_before + down_more * part // whole
            self.day = today.ordinal
        if up_more or down_more or not (report.has_octets or report.up_octets or report.down_octets):
            self.until = max(self.until, at)
        self.up, self.down = max(self.up, report.up_octets), max(self.down, report.down_octets)
        self.at = max(self.at, at)


class LocalDay(NamedTuple):
    """A local day: its ordinal, and the seconds since 1970 at which it begins and ends."""

    ordinal: int
    begins: int
    ends: int


class LocalDays:
    """Knows the local day of a second, and keeps the one that was asked for last."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._day = LocalDay(0, 0, 0)

    def of(self, at: int) -> LocalDay:
        """Return the day of a second since 1970."""
        if not self._day.begins <= at < self._day.ends:
            day = local_day(datetime.fromtimestamp(at, UTC), self._zone)
            begins, ends = day_begins_at(day, self._zone), day_begins_at(day + _DAY, self._zone)
            self._day = LocalDay(day.toordinal(), int(begins.timestamp()), int(ends.timestamp()))
        return self._day


def always_charged(_since: int, _until: int) -> float:
    """Say that all of any time counts for quotas."""
    return 1.0
