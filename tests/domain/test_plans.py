"""Quotas, the effective policy, and the local calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.plans import (
    WITA,
    EffectiveQuota,
    Origin,
    Period,
    Quota,
    QuotaOverride,
    Usage,
    day_begins_at,
    effective_policy,
    local_day,
    period_ends_at,
    usage_from_days,
)
from tests.factories import NOON, make_plan

GB = 1_000_000_000
DAY = Quota(Period.DAY, GB)
MONTH = Quota(Period.MONTH, 10 * GB)


def override(quota: Quota, *, until: datetime | None = None, reason: str = "sekolah") -> QuotaOverride:
    return QuotaOverride(quota, reason, "admin", until)


@pytest.mark.parametrize(
    ("used", "left"), [(0, GB), (GB - 1, 1), (GB, 0), (GB + 1, 0)], ids=["unused", "one left", "used up", "passed"]
)
def test_octets_left(used: int, left: int) -> None:
    assert DAY.octets_left(used) == left


@pytest.mark.parametrize(
    ("quotas", "overrides", "expected"),
    [
        pytest.param((MONTH, DAY), (), [(DAY, Origin.PLAN), (MONTH, Origin.PLAN)], id="plan alone, shortest first"),
        pytest.param(
            (DAY,), (override(Quota(Period.DAY, 1)),), [(Quota(Period.DAY, 1), Origin.USER)], id="same period: replaced"
        ),
        pytest.param((DAY,), (override(MONTH),), [(DAY, Origin.PLAN), (MONTH, Origin.USER)], id="other period: added"),
        pytest.param((), (override(DAY, until=NOON),), [], id="ended this instant"),
    ],
)
def test_effective_policy(
    quotas: tuple[Quota, ...], overrides: tuple[QuotaOverride, ...], expected: list[tuple[Quota, Origin]]
) -> None:
    policy = effective_policy(make_plan(quotas=quotas), overrides, now=NOON)
    assert [(quota.quota, quota.origin) for quota in policy.quotas] == expected


def test_override_says_why() -> None:
    policy = effective_policy(make_plan(), [override(DAY, reason="ujian")], now=NOON)
    assert policy.quotas == (EffectiveQuota(DAY, Origin.USER, "ujian"),)


def test_policy_changes_when_the_first_override_ends() -> None:
    soon, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    overrides = [override(DAY, until=later), override(MONTH, until=soon), override(Quota(Period.TOTAL, 1))]
    assert effective_policy(make_plan(), overrides, now=NOON).changes_at == soon
    assert effective_policy(make_plan(), [], now=NOON).changes_at is None


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


USED = st.lists(st.tuples(st.dates(date(2026, 9, 25), date(2026, 11, 24)), st.integers(0, GB)), max_size=30)


@given(used=USED, data=st.data())
def test_usage_is_the_same_in_any_order_and_from_days(used: list[tuple[date, int]], data: st.DataObject) -> None:
    today = date(2026, 11, 24)
    days: dict[date, int] = {}
    for day, octets in used:
        days[day] = days.get(day, 0) + octets
    usage = Usage(date(2026, 9, 25))
    for day, octets in data.draw(st.permutations(used)):
        usage = usage.plus(day, octets)
    assert usage.as_of(today) == usage_from_days(days, today)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 23), (1, 2, 3)),
        (date(2026, 11, 24), (1, 2, 3)),
        (date(2026, 11, 25), (0, 2, 3)),
        (date(2026, 12, 1), (0, 0, 3)),
        (date(2027, 11, 24), (0, 0, 3)),
    ],
    ids=["a clock that went back", "same day", "next day", "next month", "same month of next year"],
)
def test_usage_as_of(day: date, expected: tuple[int, int, int]) -> None:
    usage = Usage(date(2026, 11, 24), 1, 2, 3).as_of(day)
    assert tuple(usage.octets(period) for period in Period) == expected
