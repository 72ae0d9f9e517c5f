"""What an account has used of its periods."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quotas import Period
from app.domain.spending import Usage, usage_from_days

GB = 1_000_000_000

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
