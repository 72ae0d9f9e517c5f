"""Quotas: what may be used in a period, and an admin's own for one person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple


class Period(StrEnum):
    """What a quota is counted over, in the city's local time; the shortest first.

    A week begins on Monday, a billing period on the account's own billing day.
    """

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    BILLING = "billing"
    TOTAL = "total"


class Measure(StrEnum):
    """What a quota counts: octets of both directions together, of one, or seconds online."""

    BOTH = "both"
    DOWN = "down"
    UP = "up"
    TIME = "time"


class Tally(NamedTuple):
    """One sum that is kept of an account: what is counted, over which period."""

    period: Period
    measure: Measure


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may be used in each period: octets, or seconds online where the measure is time."""

    period: Period
    amount: int
    measure: Measure = Measure.BOTH

    @property
    def tally(self) -> Tally:
        """Return the sum that the quota is held against."""
        return Tally(self.period, self.measure)

    def left(self, used: int) -> int:
        """Return what remains, never below zero."""
        return max(0, self.amount - used)


@dataclass(frozen=True, slots=True)
class QuotaOverride:
    """An admin's own quota for one person: replaces the plan's of the same tally until `until` (None: for good)."""

    quota: Quota
    reason: str
    author: str
    until: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Tell whether the override holds at `now`."""
        return self.until is None or now < self.until


_PERIODS: Final = list(Period)
_MEASURES: Final = list(Measure)


def in_order(quotas: Iterable[Quota]) -> tuple[Quota, ...]:
    """Return quotas in order: the shortest period first, and the smaller amount."""
    return tuple(sorted(quotas, key=lambda quota: (*_place(quota.tally), quota.amount)))


def tallies_of(quotas: Iterable[Quota]) -> tuple[Tally, ...]:
    """Return what must be counted for these quotas, each once and in order."""
    return tuple(sorted({quota.tally for quota in quotas}, key=_place))


def _place(tally: Tally) -> tuple[int, int]:
    return _PERIODS.index(tally.period), _MEASURES.index(tally.measure)
