"""The city's time: the only module that knows when a local day or a period begins and ends."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.quotas import Period

WITA: Final = ZoneInfo("Asia/Makassar")
_DAY: Final = timedelta(days=1)


@lru_cache(maxsize=1024)  # a batch of requests shares its moment
def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the local calendar day of a moment."""
    return at.astimezone(zone).date()


@lru_cache(maxsize=1024)  # every report asks for one of a few
def day_begins_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a local clock shows a minute of a day; 1440 is the next day's first."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 the zone is set next
    return wall.replace(tzinfo=zone).astimezone(UTC)


def period_begins_on(period: Period, day: date, billing_day: int) -> date | None:
    """Return the first day of the period that contains `day`; None for a total.

    A billing day of 29 to 31 is the month's last day where there is none.
    """
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - _DAY * day.weekday()
        case Period.MONTH:
            return day.replace(day=1)
        case Period.BILLING:
            begin = _billed_on(day, billing_day)
            return begin if begin <= day else _billed_on(day.replace(day=1) - _DAY, billing_day)
        case Period.TOTAL:
            return None


def next_period_begins_on(period: Period, day: date, billing_day: int) -> date | None:
    """Return the first day after the period that contains `day`; None for a total."""
    match period:
        case Period.DAY:
            return day + _DAY
        case Period.WEEK:
            return day + _DAY * (7 - day.weekday())
        case Period.MONTH:
            return _next_month(day)
        case Period.BILLING:
            begin = _billed_on(day, billing_day)
            return begin if begin > day else _billed_on(_next_month(day), billing_day)
        case Period.TOTAL:
            return None


def period_ends_at(period: Period, at: datetime, zone: ZoneInfo, billing_day: int) -> datetime | None:
    """Return the moment at which the period that contains `at` ends; None for a total."""
    return _period_ends_at(period, local_day(at, zone), billing_day, zone)


@lru_cache(maxsize=1024)  # every decision asks for one of a few
def _period_ends_at(period: Period, day: date, billing_day: int, zone: ZoneInfo) -> datetime | None:
    end = next_period_begins_on(period, day, billing_day)
    return None if end is None else day_begins_at(end, zone)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _billed_on(day: date, billing_day: int) -> date:
    """Return the billing day in the month of `day`."""
    return day.replace(day=min(billing_day, monthrange(day.year, day.month)[1]))
