"""What an account has used of its periods until now; `usage` says how much of it falls on which day."""

from datetime import date
from typing import NamedTuple

from app.domain.local_time import period_begins_on
from app.domain.quotas import Measure, Period, Tally


class Used(NamedTuple):
    """Octets by direction, and seconds online."""

    up_octets: int = 0
    down_octets: int = 0
    seconds: int = 0

    def of(self, measure: Measure) -> int:
        """Return what a quota of this measure counts."""
        match measure:
            case Measure.BOTH:
                return self.up_octets + self.down_octets
            case Measure.DOWN:
                return self.down_octets
            case Measure.UP:
                return self.up_octets
            case Measure.TIME:
                return self.seconds


class Usage(NamedTuple):
    """The sums of an account as they stood on `day`; `as_of` brings them to a later day.

    `counts` are those of `tallies`, which many accounts share. `online_until` is the second since 1970 until which
    time online is in the sums; 0 where none is counted.
    """

    day: date
    tallies: tuple[Tally, ...] = ()
    counts: tuple[int, ...] = ()
    online_until: int = 0

    def used(self, tally: Tally) -> int:
        """Return what was used in the current period; ValueError if that is not counted."""
        return self.counts[self.tallies.index(tally)]

    def as_of(self, day: date, billing_day: int) -> "Usage":
        """Return the usage as it stands on `day`: a period that has begun since begins with nothing used."""
        if day <= self.day:
            return self
        counts = (
            count if _holds(tally.period, self.day, day, billing_day) else 0
            for tally, count in zip(self.tallies, self.counts, strict=True)
        )
        return self._replace(day=day, counts=tuple(counts))

    def plus(self, day: date, used: Used, billing_day: int) -> "Usage":
        """Return the usage with more on `day`; what was used on an earlier day counts where that day still counts."""
        now = self.as_of(day, billing_day)
        counts = (
            count + used.of(tally.measure) if _holds(tally.period, day, now.day, billing_day) else count
            for tally, count in zip(now.tallies, now.counts, strict=True)
        )
        return now._replace(counts=tuple(counts))


def nothing_used(day: date, tallies: tuple[Tally, ...]) -> Usage:
    """Return the usage of an account that has used nothing."""
    return Usage(day, tallies, (0,) * len(tallies))


def _holds(period: Period, earlier: date, day: date, billing_day: int) -> bool:
    """Tell whether an earlier day lies in the period that `day` lies in."""
    begin = period_begins_on(period, day, billing_day)
    return begin is None or begin <= earlier
