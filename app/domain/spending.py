"""What an account has used of its periods until now; `usage` says how much of it falls on which day."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from app.domain.quotas import Period


class Usage(NamedTuple):
    """Octets, up and down together, that an account has used: today, this month, and ever.

    `day` says which local day "today" was when the sums were made; `as_of` brings them to a later day.
    """

    day: date
    day_octets: int = 0
    month_octets: int = 0
    total_octets: int = 0

    def as_of(self, day: date) -> "Usage":
        """Return the usage as it stands on `day`: a new day or month begins with nothing used."""
        if day <= self.day:
            return self
        same_month = (day.year, day.month) == (self.day.year, self.day.month)
        return Usage(day, 0, self.month_octets if same_month else 0, self.total_octets)

    def plus(self, day: date, octets: int) -> "Usage":
        """Return the usage with `octets` more on `day`; octets of an earlier day count where that day still counts."""
        now = self.as_of(day)
        same_day = day == now.day
        same_month = (day.year, day.month) == (now.day.year, now.day.month)
        return Usage(
            now.day,
            now.day_octets + (octets if same_day else 0),
            now.month_octets + (octets if same_month else 0),
            now.total_octets + octets,
        )

    def octets(self, period: Period) -> int:
        """Return what was used in the current `period`."""
        match period:
            case Period.DAY:
                return self.day_octets
            case Period.MONTH:
                return self.month_octets
            case Period.TOTAL:
                return self.total_octets


def usage_from_days(days: Mapping[date, int], day: date) -> Usage:
    """Sum octets per local day into the usage as it stands on `day`."""
    month = sum(octets for d, octets in days.items() if (d.year, d.month) == (day.year, day.month))
    return Usage(day, days.get(day, 0), month, sum(days.values()))
