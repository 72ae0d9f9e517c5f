"""Local days and periods."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.local_time import WITA, day_begins_at, local_day, period_ends_at
from app.domain.quotas import Period
from tests.factories import NOON


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), date(2026, 11, 25)),
    ],
    ids=["a second before midnight", "midnight in Bontang"],
)
def test_local_day_is_the_citys(at: datetime, day: date) -> None:
    assert local_day(at, WITA) == day


@pytest.mark.parametrize(
    ("period", "at", "ends_at"),
    [
        (Period.DAY, NOON, datetime(2026, 11, 24, 16, tzinfo=UTC)),
        (Period.MONTH, NOON, datetime(2026, 11, 30, 16, tzinfo=UTC)),
        (Period.MONTH, datetime(2026, 12, 31, 4, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)),
        (Period.MONTH, datetime(2028, 1, 31, 16, tzinfo=UTC), datetime(2028, 2, 29, 16, tzinfo=UTC)),
        (Period.TOTAL, NOON, None),
    ],
    ids=["day", "month", "last day of the year", "leap year", "total never ends"],
)
def test_period_ends_at_local_midnight(period: Period, at: datetime, ends_at: datetime | None) -> None:
    assert period_ends_at(period, at, WITA) == ends_at


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis wants naive bounds
    zone=st.sampled_from(["Asia/Makassar", "Asia/Jakarta", "UTC", "Europe/Berlin", "Pacific/Auckland"]),
)
def test_a_moment_lies_within_its_day_and_its_periods(at: datetime, zone: str) -> None:
    place = ZoneInfo(zone)
    day = local_day(at, place)
    assert day_begins_at(day, place) <= at < day_begins_at(day + timedelta(days=1), place)
    for period in (Period.DAY, Period.MONTH):
        ends_at = period_ends_at(period, at, place)
        assert ends_at is not None
        assert ends_at > at
