"""Quotas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quotas import Action, Period, Quota, Then, not_slower

GB = 1_000_000_000
DAY = Quota(Period.DAY, GB)


@pytest.mark.parametrize(
    ("used", "left"), [(0, GB), (GB - 1, 1), (GB, 0), (GB + 1, 0)], ids=["unused", "one left", "used up", "passed"]
)
def test_left(used: int, left: int) -> None:
    assert DAY.left(used) == left


RATES = st.none() | st.integers(1, 4)
THROTTLES = st.tuples(RATES, RATES).filter(any)


@given(st.lists(THROTTLES, max_size=4))
def test_steps_go_down_where_each_lowers_what_holds(rates: list[tuple[int | None, int | None]]) -> None:
    steps = [Quota(Period.DAY, place, then=Then(Action.THROTTLE, *each)) for place, each in enumerate(rates, 1)]
    lowest = [
        tuple(min((bps for bps in way if bps is not None), default=None) for way in zip(*rates[:count], strict=True))
        for count in range(1, len(rates) + 1)
    ]
    idle = [step for step, before, after in zip(steps[1:], lowest, lowest[1:], strict=False) if before == after]
    assert not_slower(reversed(steps)) == (idle[0] if idle else None)


def test_only_steps_of_one_sum_are_compared() -> None:
    slow, fast = (Then(Action.THROTTLE, bps, bps) for bps in (1, 2))
    assert not_slower([Quota(Period.DAY, 1, then=slow), Quota(Period.WEEK, 2, then=fast)]) is None
