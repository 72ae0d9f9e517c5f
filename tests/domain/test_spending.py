"""What an account has used of its periods."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quotas import Measure, Period, Tally
from app.domain.spending import Usage, Used, nothing_used
from tests.factories import usage_from_days

GB = 1_000_000_000
EVERY = tuple(Tally(period, measure) for period in Period for measure in Measure)
USED = st.lists(
    st.tuples(
        st.dates(date(2026, 9, 25), date(2026, 11, 24)),
        st.builds(Used, st.integers(0, GB), st.integers(0, GB), st.integers(0, 86_400)),
    ),
    max_size=30,
)


@given(used=USED, billing_day=st.integers(1, 31), later=st.integers(0, 40), data=st.data())
def test_usage_is_the_same_in_any_order_and_from_days(
    used: list[tuple[date, Used]], billing_day: int, later: int, data: st.DataObject
) -> None:
    today = date(2026, 11, 24) + timedelta(days=later)
    days: dict[date, Used] = {}
    for day, one in used:
        before = days.get(day, Used())
        days[day] = Used(*(left + right for left, right in zip(before, one, strict=True)))
    usage = nothing_used(date(2026, 9, 25), EVERY)
    for day, one in data.draw(st.permutations(used)):
        usage = usage.plus(day, one, billing_day)
        usage = usage.as_of(max(usage.day, day), billing_day)
    assert usage.as_of(today, billing_day) == usage_from_days(days, today, EVERY, billing_day)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 23), (1, 2, 3, 4, 5)),
        (date(2026, 11, 24), (1, 2, 3, 4, 5)),
        (date(2026, 11, 25), (0, 2, 3, 4, 5)),
        (date(2026, 11, 29), (0, 2, 3, 4, 5)),
        (date(2026, 11, 30), (0, 0, 3, 0, 5)),
        (date(2026, 12, 1), (0, 0, 0, 0, 5)),
        (date(2027, 11, 24), (0, 0, 0, 0, 5)),
    ],
    ids=[
        "a clock that went back",
        "same day",
        "next day",
        "Sunday",
        "Monday, billed on the 30th",
        "next month",
        "a year",
    ],
)
def test_usage_as_of(day: date, expected: tuple[int, ...]) -> None:
    tallies = tuple(Tally(period, Measure.BOTH) for period in Period)
    assert Usage(date(2026, 11, 24), tallies, (1, 2, 3, 4, 5)).as_of(day, 30).counts == expected


def test_each_measure_counts_its_own() -> None:
    used = Used(up_octets=1, down_octets=20, seconds=300)
    assert [used.of(measure) for measure in Measure] == [21, 20, 1, 300]


def test_what_is_not_counted_is_not_nothing() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        nothing_used(date(2026, 11, 24), ()).used(Tally(Period.DAY, Measure.BOTH))
