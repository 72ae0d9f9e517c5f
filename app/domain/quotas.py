"""Quotas: what may be used in a period, and an admin's own for one person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Period(StrEnum):
    """What a quota is counted over, in the city's local time."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Quota:
    """Octets, up and down together, that may be used in each period."""

    period: Period
    octets: int

    def octets_left(self, used_octets: int) -> int:
        """Return what remains, never below zero."""
        return max(0, self.octets - used_octets)


@dataclass(frozen=True, slots=True)
class QuotaOverride:
    """An admin's own quota for one person: replaces the plan's of the same period until `until` (None: for good)."""

    quota: Quota
    reason: str
    author: str
    until: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Tell whether the override holds at `now`."""
        return self.until is None or now < self.until
