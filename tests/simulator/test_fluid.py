"""The physics of the line: nobody gets more than they ask for, no line carries more than it can, nothing is wasted."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.simulator.evening.fluid import Ask, fill, spread

SITES = ("Gusung", "Melahing", "Kantor")
ROUNDING = 1e-6


@st.composite
def lines(draw: st.DrawFn) -> tuple[float, list[Ask], dict[str, float], float]:
    """A line, what is asked of it, what its sites carry, and a floor that fits."""
    amount = draw(st.floats(1, 1_000))
    asks = [
        Ask(
            draw(st.floats(0, 300)),
            draw(st.sampled_from([1.0, 3.0, 16.0])),
            site := draw(st.sampled_from(SITES)),
            promised=site == "Kantor",
        )
        for _ in range(draw(st.integers(1, 15)))
    ]
    return amount, asks, {site: draw(st.floats(1, 1_000)) for site in SITES}, draw(st.floats(0, amount))


@given(lines())
def test_nobody_gets_more_than_they_ask_and_no_line_carries_more_than_it_can(
    line: tuple[float, list[Ask], dict[str, float], float],
) -> None:
    amount, asks, sites, floor = line
    got, _ = spread(amount, asks, sites, floor)
    assert all(-ROUNDING <= bits <= ask.bits + ROUNDING for bits, ask in zip(got, asks, strict=True))
    assert sum(got) <= amount * (1 + ROUNDING)
    for site, most in sites.items():
        assert sum(bits for bits, ask in zip(got, asks, strict=True) if ask.site == site) <= most * (1 + ROUNDING)


@given(lines())
def test_what_somebody_lacks_nobody_lets_lie(line: tuple[float, list[Ask], dict[str, float], float]) -> None:
    amount, asks, sites, floor = line
    got, _ = spread(amount, asks, sites, floor)
    if sum(got) >= amount * (1 - ROUNDING):
        return
    for site, most in sites.items():
        inside = [(bits, ask) for bits, ask in zip(got, asks, strict=True) if ask.site == site]
        full = sum(bits for bits, _ in inside) >= most * (1 - ROUNDING)
        assert full or all(bits >= ask.bits * (1 - ROUNDING) for bits, ask in inside)


@given(lines())
def test_a_floor_holds_as_far_as_it_is_wanted(line: tuple[float, list[Ask], dict[str, float], float]) -> None:
    amount, asks, sites, floor = line
    got, _ = spread(amount, asks, sites, floor)
    wanted = min(sum(ask.bits for ask in asks if ask.promised), sites["Kantor"])
    assert sum(bits for bits, ask in zip(got, asks, strict=True) if ask.promised) >= min(floor, wanted) * (1 - ROUNDING)


@given(lines())
def test_who_lacks_something_has_as_much_per_weight_as_anybody(
    line: tuple[float, list[Ask], dict[str, float], float],
) -> None:
    amount, asks, _, _ = line
    got, level = fill(amount, asks)
    lacking = [bits / ask.weight for bits, ask in zip(got, asks, strict=True) if bits < ask.bits * (1 - ROUNDING)]
    assert all(abs(one - other) <= ROUNDING * one for one, other in pairwise(lacking))
    assert all(bits / ask.weight <= level * (1 + ROUNDING) for bits, ask in zip(got, asks, strict=True))


@pytest.mark.parametrize(
    ("asks", "sites", "floor", "expected"),
    [
        pytest.param([Ask(90, 1, "A"), Ask(90, 1, "A")], {"A": 100}, 0, [30, 30], id="equal weights"),
        pytest.param([Ask(90, 16, "A"), Ask(90, 4, "A")], {"A": 100}, 0, [48, 12], id="who opens many flows wins"),
        pytest.param([Ask(10, 1, "A"), Ask(90, 1, "A")], {"A": 100}, 0, [10, 50], id="idle is lent"),
        pytest.param([Ask(90, 1, "A"), Ask(90, 1, "B")], {"A": 10, "B": 100}, 0, [10, 50], id="a narrow site"),
        pytest.param(
            [Ask(90, 1, "A", promised=True), Ask(90, 9, "A")], {"A": 100}, 40, [40, 20], id="a floor goes ahead"
        ),
    ],
)
def test_a_step(asks: list[Ask], sites: dict[str, float], floor: float, expected: list[float]) -> None:
    assert spread(60, asks, sites, floor)[0] == pytest.approx(expected)
