"""Weighted max-min with floors and ceilings, in whole bit/s, level by level."""

from collections.abc import Hashable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fairshare import OverbookedError, Part, Terms, allocate, divide, promised

M = 1_000_000


@pytest.mark.parametrize(
    ("capacity", "parts", "expected"),
    [
        pytest.param(60, [Part("a"), Part("b"), Part("c")], [20, 20, 20], id="equals share equally"),
        pytest.param(60, [Part("a", weight=2), Part("b")], [40, 20], id="by weight"),
        pytest.param(60, [Part("a", demand_bps=10), Part("b"), Part("c")], [10, 25, 25], id="what is idle is lent"),
        pytest.param(60, [Part("a", ceiling_bps=10), Part("b")], [10, 50], id="a ceiling ends it"),
        pytest.param(60, [Part("a", floor_bps=40), Part("b"), Part("c")], [40, 10, 10], id="a floor goes ahead"),
        pytest.param(60, [Part("a", floor_bps=10), Part("b"), Part("c")], [20, 20, 20], id="a low floor adds nothing"),
        pytest.param(60, [Part("a", floor_bps=40, demand_bps=5), Part("b")], [5, 55], id="a floor as far as wanted"),
        pytest.param(60, [Part("a", demand_bps=5), Part("b", demand_bps=6)], [5, 6], id="nobody gets more than wanted"),
        pytest.param(10, [Part("a"), Part("b"), Part("c")], [4, 3, 3], id="the odd bit goes to the first"),
        pytest.param(11, [Part("a"), Part("b", weight=10)], [1, 10], id="exact by weight"),
        pytest.param(12, [Part("a"), Part("b", weight=10)], [1, 11], id="the odd bit goes to the lower level after it"),
        pytest.param(0, [Part("a"), Part("b")], [0, 0], id="an empty line"),
        pytest.param(60, [], [], id="nobody"),
        pytest.param(
            60, [Part("a", floor_bps=30), Part("b", ceiling_bps=5), Part("c")], [30, 5, 25], id="floor and ceiling"
        ),
    ],
)
def test_one_level(capacity: int, parts: list[Part], expected: list[int]) -> None:
    assert list(allocate(capacity, parts).values()) == expected


OFFICE = Part("office", floor_bps=10 * M, parts=(Part("office phone", demand_bps=4 * M),))
RESIDENTS = Part(
    "resident",
    weight=3,
    parts=(
        Part("Gusung", ceiling_bps=20 * M, parts=(Part("Ani"), Part("Budi"), Part("Citra", demand_bps=1 * M))),
        Part("Tihi-tihi", parts=(Part("Dewi"),)),
    ),
)
GUESTS = Part("guest", parts=(Part("Edi"),))


def test_levels_are_divided_from_the_top_down() -> None:
    given = allocate(60 * M, [OFFICE, RESIDENTS, GUESTS])
    assert given == {
        "office": 4 * M,
        "office phone": 4 * M,
        "resident": 42 * M,  # three quarters of what the office does not want
        "Gusung": 20 * M,
        "Ani": 9_500_000,
        "Budi": 9_500_000,
        "Citra": 1 * M,
        "Tihi-tihi": 22 * M,
        "Dewi": 22 * M,
        "guest": 14 * M,
        "Edi": 14 * M,
    }


def test_a_floor_below_holds_where_its_class_was_promised_nothing() -> None:
    inner = Part("class", parts=(Part("clinic", floor_bps=40 * M), Part("other")))
    assert allocate(60 * M, [inner, Part("rest", weight=9)])["clinic"] == 40 * M


@pytest.mark.parametrize(
    ("parts", "within"),
    [
        pytest.param([Part("a", floor_bps=31), Part("b", floor_bps=30)], None, id="by the line"),
        pytest.param(
            [Part("a", ceiling_bps=10, parts=(Part("b", floor_bps=6), Part("c", floor_bps=5)))], "a", id="by a class"
        ),
        pytest.param(
            [Part("a", floor_bps=1, parts=(Part("b", floor_bps=61),))], None, id="by the floors below a class"
        ),
        pytest.param([Part("a", floor_bps=61, demand_bps=0)], None, id="also where nobody wants it now"),
    ],
)
def test_more_promises_than_there_is_are_refused(parts: list[Part], within: str | None) -> None:
    with pytest.raises(OverbookedError) as refused:
        allocate(60, parts)
    assert refused.value.key == within
    assert refused.value.promised_bps > refused.value.capacity_bps


def test_promises_up_to_the_whole_line_are_kept() -> None:
    parts = [Part("a", floor_bps=31), Part("b", floor_bps=29)]
    assert promised(60, parts) == 60
    assert allocate(60, parts) == {"a": 31, "b": 29}


@st.composite
def levels(draw: st.DrawFn) -> tuple[int, list[Terms]]:
    """A capacity, and parts whose lows fit into it."""
    terms = [
        Terms(draw(st.integers(1, 20)), draw(st.integers(0, high)), high)
        for high in draw(st.lists(st.integers(0, 200), min_size=1, max_size=12))
    ]
    least = sum(one.low for one in terms)
    return draw(st.integers(least, least + 400)), terms


@given(levels())
def test_nobody_can_be_raised_without_lowering_one_who_has_less_per_weight(level: tuple[int, list[Terms]]) -> None:
    capacity, terms = level
    got = divide(capacity, terms)
    assert all(one.low <= bps <= one.high for one, bps in zip(terms, got, strict=True))
    assert sum(got) == min(capacity, sum(one.high for one in terms))  # nothing is left idle, nothing is given twice
    for poor, poor_bps in zip(terms, got, strict=True):
        for rich, rich_bps in zip(terms, got, strict=True):
            if poor_bps < poor.high and rich_bps > rich.low:
                assert rich_bps * poor.weight <= (poor_bps + 1) * rich.weight


@given(levels())
def test_more_capacity_lowers_nobody(level: tuple[int, list[Terms]]) -> None:
    capacity, terms = level
    before, after = divide(capacity, terms), divide(capacity + 1, terms)
    assert all(more >= less for more, less in zip(after, before, strict=True))


@st.composite
def trees(draw: st.DrawFn) -> tuple[int, tuple[Part, ...]]:
    """A line of classes, sites and sessions; what is promised may be more than it carries."""
    numbers = iter(range(1_000))

    def parts(depth: int) -> tuple[Part, ...]:
        return tuple(part(depth) for _ in range(draw(st.integers(1, 3))))

    def part(depth: int) -> Part:
        ceiling = draw(st.none() | st.integers(0, 100))
        floor = draw(st.integers(0, min(30, 100 if ceiling is None else ceiling)))
        inner = parts(depth - 1) if depth else ()
        demand = None if inner else draw(st.none() | st.integers(0, 100))
        return Part(next(numbers), draw(st.integers(1, 5)), floor, ceiling, demand, inner)

    return draw(st.integers(0, 400)), parts(2)


def every(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from every(part.parts)


def wanted(part: Part) -> int:
    """What a part could use by itself."""
    inner = sum(wanted(one) for one in part.parts) if part.parts else part.demand_bps
    return min(part.most_bps, 10_000 if inner is None else inner)


def overbooked(capacity: int, parts: Sequence[Part]) -> bool:
    """Tell whether somewhere more is promised than there can be."""
    return any(overbooked(part.most_bps, part.parts) for part in parts) or guarantee(parts) > capacity


def guarantee(parts: Sequence[Part]) -> int:
    return sum(max(part.floor_bps, guarantee(part.parts)) for part in parts)


@given(trees())
def test_floors_hold_and_no_level_gets_more_than_the_one_above(tree: tuple[int, tuple[Part, ...]]) -> None:
    capacity, parts = tree
    if overbooked(capacity, parts):
        with pytest.raises(OverbookedError):
            allocate(capacity, parts)
        return
    got = allocate(capacity, parts)
    for part in every(parts):
        assert min(part.floor_bps, wanted(part)) <= got[part.key] <= min(part.most_bps, wanted(part))
        if part.parts:
            assert_all_is_lent(got[part.key], part.parts, got)
    assert_all_is_lent(capacity, parts, got)


def assert_all_is_lent(capacity: int, parts: Sequence[Part], got: dict[Hashable, int]) -> None:
    together = sum(got[part.key] for part in parts)
    assert together == min(capacity, sum(wanted(part) for part in parts))
