"""Local days and periods."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.local_time import (
    WITA,
    day_begins_at,
    local_day,
    next_period_begins_on,
    period_begins_on,
    period_ends_at,
)
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
        (Period.WEEK, NOON, datetime(2026, 11, 29, 16, tzinfo=UTC)),
        (Period.WEEK, datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2026, 12, 6, 16, tzinfo=UTC)),
        (Period.TOTAL, NOON, None),
    ],
    ids=["day", "month", "last day of the year", "leap year", "week", "a Monday begins one", "total never ends"],
)
def test_period_ends_at_local_midnight(period: Period, at: datetime, ends_at: datetime | None) -> None:
    assert period_ends_at(period, at, WITA, 1) == ends_at


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis wants naive bounds
    zone=st.sampled_from(["Asia/Makassar", "Asia/Jakarta", "UTC", "Europe/Berlin", "Pacific/Auckland"]),
    billing_day=st.integers(1, 31),
)
def test_a_moment_lies_within_its_day_and_its_periods(at: datetime, zone: str, billing_day: int) -> None:
    place = ZoneInfo(zone)
    day = local_day(at, place)
    assert day_begins_at(day, place) <= at < day_begins_at(day + timedelta(days=1), place)
    for period in set(Period) - {Period.TOTAL}:
        begin = period_begins_on(period, day, billing_day)
        end = next_period_begins_on(period, day, billing_day)
        ends_at = period_ends_at(period, at, place, billing_day)
        assert begin is not None
        assert end is not None
        assert ends_at is not None
        assert begin <= day < end
        assert ends_at > at
        assert period_begins_on(period, end, billing_day) == end
        assert period_begins_on(period, end - timedelta(days=1), billing_day) == begin


@pytest.mark.parametrize(
    ("day", "billing_day", "begins", "ends"),
    [
        (date(2026, 11, 24), 24, date(2026, 11, 24), date(2026, 12, 24)),
        (date(2026, 11, 23), 24, date(2026, 10, 24), date(2026, 11, 24)),
        (date(2026, 11, 30), 31, date(2026, 11, 30), date(2026, 12, 31)),
        (date(2026, 11, 29), 31, date(2026, 10, 31), date(2026, 11, 30)),
        (date(2027, 2, 28), 29, date(2027, 2, 28), date(2027, 3, 29)),
        (date(2028, 2, 28), 29, date(2028, 1, 29), date(2028, 2, 29)),
        (date(2027, 3, 1), 30, date(2027, 2, 28), date(2027, 3, 30)),
        (date(2027, 1, 1), 1, date(2027, 1, 1), date(2027, 2, 1)),
    ],
    ids=[
        "it begins on the day", "the day before", "a 31st in November", "before it", "a 29th in February",
        "in a leap year", "after a short February", "the turn of the year",
    ],
)  # fmt: skip
def test_billing_day_that_a_month_has_not_is_its_last(day: date, billing_day: int, begins: date, ends: date) -> None:
    assert period_begins_on(Period.BILLING, day, billing_day) == begins
    assert next_period_begins_on(Period.BILLING, day, billing_day) == ends
