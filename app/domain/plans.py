"""Plans, quotas and the effective policy; the only module that knows when a local day or month begins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo


class Period(StrEnum):
    """What a quota is counted over, in the city's local time."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


class Origin(StrEnum):
    """Where a value of an effective policy came from; a later one overrides an earlier."""

    PLAN = "plan"
    SITE = "site"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Quota:
    """Octets, up and down together, that may be used in each period."""

    period: Period
    octets: int

    def octets_left(self, used_octets: int) -> int:
        """Return what remains, never below zero."""
        return max(0, self.octets - used_octets)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an admin gives: rates, quotas, timers, devices, validity. None means "no such limit".

    `validity_seconds` runs from the first use. `interim_seconds` None takes the default of the site.
    """

    id: str
    name: str
    down_bps: int | None = None
    up_bps: int | None = None
    quotas: tuple[Quota, ...] = ()
    device_limit: int | None = None
    session_seconds: int | None = None
    idle_seconds: int | None = None
    interim_seconds: int | None = None
    validity_seconds: int | None = None


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


@dataclass(frozen=True, slots=True)
class EffectiveQuota:
    """One quota of an effective policy, and where it came from."""

    quota: Quota
    origin: Origin
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The effective policy of an account: plan, overlaid by the person's own overrides.

    `changes_at` is the next moment at which it must be computed anew, None if never.
    """

    plan: Plan
    quotas: tuple[EffectiveQuota, ...]
    changes_at: datetime | None = None


def effective_policy(plan: Plan, overrides: Iterable[QuotaOverride], *, now: datetime) -> Policy:
    """Overlay the plan with the overrides that hold at `now`; each value keeps its origin."""
    active = [override for override in overrides if override.active(now)]
    quotas: dict[Period, EffectiveQuota] = {q.period: EffectiveQuota(q, Origin.PLAN) for q in plan.quotas}
    for override in active:
        quotas[override.quota.period] = EffectiveQuota(override.quota, Origin.USER, override.reason)
    ordered = tuple(quotas[period] for period in Period if period in quotas)
    return Policy(plan, ordered, min((o.until for o in active if o.until is not None), default=None))


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


# ---- the local calendar

WITA: Final = ZoneInfo("Asia/Makassar")


@lru_cache(maxsize=1024)  # a batch of requests shares its moment
def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the local calendar day of a moment."""
    return at.astimezone(zone).date()


def day_begins_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def period_ends_at(period: Period, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment at which the period that contains `at` ends; None for a total."""
    day = local_day(at, zone)
    match period:
        case Period.DAY:
            return day_begins_at(day + timedelta(days=1), zone)
        case Period.MONTH:
            return day_begins_at((day.replace(day=1) + timedelta(days=32)).replace(day=1), zone)
        case Period.TOTAL:
            return None
