"""Quotas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quotas import CUT, Action, Misstep, Period, Quota, Then, misstep

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
    assert misstep(reversed(steps)) == (Misstep(idle[0]) if idle else None)


def test_only_steps_of_one_sum_are_compared() -> None:
    slow, fast = (Then(Action.THROTTLE, bps, bps) for bps in (1, 2))
    assert misstep([Quota(Period.DAY, 1, then=slow), Quota(Period.WEEK, 2, then=fast)]) is None


SLOW, GARDEN = Then(Action.THROTTLE, 1, 1), Then(Action.GARDEN)


@pytest.mark.parametrize(
    ("thens", "unsaid", "wrong"),
    [
        pytest.param((SLOW, None), CUT, None, id="the last cuts, unsaid"),
        pytest.param((GARDEN, SLOW), CUT, None, id="slower in the garden"),
        pytest.param((None, SLOW), None, None, id="nobody knows what the first does"),
        pytest.param((CUT, SLOW), None, (2, 1), id="beyond a cut"),
        pytest.param((None, SLOW), CUT, (2, 1), id="beyond a cut that is not said"),
        pytest.param((SLOW, CUT, None), SLOW, (3, 2), id="the cut is the second"),
        pytest.param((None, None), None, (2, None), id="twice whatever it is"),
        pytest.param((GARDEN, GARDEN), CUT, (2, None), id="the garden twice"),
        pytest.param((SLOW, None), SLOW, (2, None), id="no slower, unsaid"),
    ],
)
def test_step_must_do_more_than_those_before_it(
    thens: tuple[Then | None, ...], unsaid: Then | None, wrong: tuple[int, int | None] | None
) -> None:
    steps = [Quota(Period.DAY, place, then=then) for place, then in enumerate(thens, 1)]
    found = misstep(steps, {} if unsaid is None else {DAY.tally: unsaid})
    assert (found and (found.quota.amount, found.cut and found.cut.amount)) == wrong
