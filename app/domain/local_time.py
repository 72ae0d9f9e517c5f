"""The city's time: the only module that knows when a local day or a period begins and ends."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.quotas import Period

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
