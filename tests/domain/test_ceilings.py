"""Rate ceilings: the lowest that holds, and never more than the plan gives."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import Grant, decide_access
from app.domain.ceilings import Ceiling, CeilingSource, holding, rates_under
from app.domain.local_time import WITA, local_day
from app.domain.spending import Usage
from tests.factories import MAC, NOON, make_account, make_plan

SECOND = timedelta(seconds=1)
RATES = st.none() | st.integers(1_000, 2**32 - 1)


def ceiling(down_bps: int | None, up_bps: int | None = None, *, mac: str = MAC, ends_in: timedelta = SECOND) -> Ceiling:
    return Ceiling("user", mac, CeilingSource.PERSON, down_bps, up_bps, NOON + ends_in, "rapat", "admin")


@pytest.mark.parametrize(
    ("held", "left"),
    [
        pytest.param([], (4_000_000, 2_000_000), id="none"),
        pytest.param([ceiling(512_000, 256_000)], (512_000, 256_000), id="both directions"),
        pytest.param([ceiling(512_000)], (512_000, 2_000_000), id="one direction"),
        pytest.param([ceiling(9_000_000, 9_000_000)], (4_000_000, 2_000_000), id="above the plan"),
        pytest.param([ceiling(512_000), ceiling(256_000, 1_000_000)], (256_000, 1_000_000), id="the lowest of two"),
        pytest.param([ceiling(512_000, mac="")], (512_000, 2_000_000), id="every device"),
        pytest.param([ceiling(512_000, mac="02:aa:00:00:00:02")], (4_000_000, 2_000_000), id="another device"),
        pytest.param([ceiling(512_000, ends_in=timedelta())], (4_000_000, 2_000_000), id="ends this instant"),
    ],
)
def test_what_is_left_of_four_and_two_megabits(held: list[Ceiling], left: tuple[int, int]) -> None:
    assert rates_under(4_000_000, 2_000_000, held, mac=MAC, now=NOON) == left


def test_a_ceiling_holds_down_who_has_no_limit() -> None:
    assert rates_under(None, None, [ceiling(512_000)], mac=MAC, now=NOON) == (512_000, None)


@given(RATES, RATES, st.lists(st.tuples(RATES, RATES)))
def test_nobody_gets_more_by_a_ceiling(
    down: int | None, up: int | None, held: list[tuple[int | None, int | None]]
) -> None:
    left = rates_under(down, up, [ceiling(*one) for one in held], mac=MAC, now=NOON)
    for before, after, asked in ((down, left[0], [d for d, _ in held]), (up, left[1], [u for _, u in held])):
        bounds = [bps for bps in (before, *asked) if bps is not None]
        assert after == (min(bounds) if bounds else None)


def test_who_logs_in_again_gets_the_same_ceiling() -> None:
    account = make_account(plan=make_plan(down_bps=4_000_000, up_bps=2_000_000))
    decision = decide_access(
        account,
        Usage(local_day(NOON, WITA)),
        device=MAC,
        online_devices=(),
        now=NOON,
        zone=WITA,
        ceilings=[ceiling(512_000)],
    )
    assert isinstance(decision, Grant)
    assert (decision.down_bps, decision.up_bps) == (512_000, 2_000_000)


def test_who_is_held_down_has_no_burst_in_that_direction() -> None:
    plan = replace(make_plan(), down_burst_bps=8_000_000, up_burst_bps=8_000_000)
    decision = decide_access(
        make_account(plan=plan),
        Usage(NOON.date()),
        device=MAC,
        online_devices=(),
        now=NOON,
        zone=WITA,
        ceilings=[ceiling(512_000)],
    )
    assert isinstance(decision, Grant)
    assert (decision.down_bps, decision.down_burst_bps) == (512_000, None)
    assert (decision.up_bps, decision.up_burst_bps) == (2_000_000, 8_000_000)


def test_the_lowest_that_lowers_anything_is_named() -> None:
    high, low, up = ceiling(3_000_000), ceiling(512_000), ceiling(None, 256_000)
    held = [ceiling(9_000_000), high, up, low, ceiling(1_000, mac="02:aa:00:00:00:99"), ceiling(1_000, ends_in=-SECOND)]
    assert holding(4_000_000, 2_000_000, held, mac=MAC, now=NOON) == low
    assert holding(4_000_000, 2_000_000, [high, up], mac=MAC, now=NOON) == high
    assert holding(None, None, [up], mac=MAC, now=NOON) == up
    assert holding(512_000, 256_000, held, mac=MAC, now=NOON) is None
