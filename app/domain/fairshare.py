"""Who gets how much of a line: weighted max-min with floors and ceilings, level by level, in whole bit/s.

Each part of a line has a *level*, what it gets per unit of its weight. Levels rise together; a part stays behind where
its ceiling or its demand ends, and goes ahead where its floor is above the level. So whoever gets less per weight than
another has all it wants or may have, or the other stands on its floor.

**Ties and rounding.** Nothing is rounded away: while anybody wants more, the whole line is given. The last few bit/s,
which do not divide, go one by one to the part whose level would be the lowest after it; of equals, to the one named
first.

**Levels of a hierarchy** (uplink, service classes, sites, sessions) are divided from the top down. Below a part its
weight counts for nothing; the floors below it hold all the way up, also where the part itself was promised less.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from math import lcm
from typing import Final, NamedTuple

UNLIMITED: Final = 2**63 - 1
"""More than any line carries."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that shares: a session, or a class or site with `parts` of its own. `key` is unique in its line.

    `floor_bps` is promised, as far as it is wanted; it is not above `ceiling_bps`. `demand_bps` None: all there is;
    what has parts wants what they want.
    """

    key: Hashable
    weight: int = 1
    floor_bps: int = 0
    ceiling_bps: int | None = None
    demand_bps: int | None = None
    parts: tuple["Part", ...] = ()

    def __post_init__(self) -> None:
        assert self.weight > 0, "a weight is positive"
        assert 0 <= self.floor_bps <= self.most_bps, "a floor lies between nothing and the ceiling"
        assert not self.parts or self.demand_bps is None, "what has parts wants what they want"

    @property
    def most_bps(self) -> int:
        """Return its ceiling, as a number."""
        return UNLIMITED if self.ceiling_bps is None else self.ceiling_bps


class OverbookedError(Exception):
    """More is promised than there is: `promised_bps` within `capacity_bps`; `key` is the part, None the line itself."""

    def __init__(self, key: Hashable | None, promised_bps: int, capacity_bps: int) -> None:
        super().__init__(f"{promised_bps} bit/s are promised of {capacity_bps}")
        self.key = key
        self.promised_bps = promised_bps
        self.capacity_bps = capacity_bps


def promised(capacity_bps: int, parts: Sequence[Part], *, within: Hashable | None = None) -> int:
    """Return what is promised to the parts together, the floors below them included; raise OverbookedError."""
    total = 0
    for part in parts:
        below = promised(part.most_bps, part.parts, within=part.key) if part.parts else 0
        total += max(part.floor_bps, below)
    if total > capacity_bps:
        raise OverbookedError(within, total, capacity_bps)
    return total


def allocate(capacity_bps: int, parts: Sequence[Part]) -> dict[Hashable, int]:
    """Return what every part gets, at every level, in bit/s; raise OverbookedError.

    The sum over the parts of anything never exceeds what it got itself, and is exactly that while they want more.
    """
    promised(capacity_bps, parts)
    given: dict[Hashable, int] = {}
    _spread(capacity_bps, [_bounded(part) for part in parts], given)
    return given


class Terms(NamedTuple):
    """What one part gets at least and at most, and its weight in between."""

    weight: int
    low: int
    high: int


def divide(capacity: int, terms: Sequence[Terms]) -> list[int]:
    """Divide among parts of one level. What they get at least fits into the capacity."""
    if sum(one.high for one in terms) <= capacity:
        return [one.high for one in terms]
    got, free = [0] * len(terms), list(range(len(terms)))
    left, weight = capacity, sum(one.weight for one in terms)
    while free:
        bound = _out_of_bounds(free, terms, left, weight)
        if not bound:
            break
        for number, value in bound.items():
            got[number] = value
            left -= value
            weight -= terms[number].weight
        free = [number for number in free if number not in bound]
    for number in free:
        got[number] = terms[number].weight * left // weight
    return _with_rest(capacity - sum(got), got, terms)


def _out_of_bounds(free: Sequence[int], terms: Sequence[Terms], left: int, weight: int) -> dict[int, int]:
    """Return who stays at its low or high, whatever the level of the others will be; a step towards that level.

    If those below their lows lack more than those above their highs have too much, the level can only fall from here,
    and the former stay where they are; and the other way round. Compared in units of 1/weight, so exactly.
    """
    below: dict[int, int] = {}
    above: dict[int, int] = {}
    lacking = 0
    for number in free:
        one = terms[number]
        share = one.weight * left
        if share < one.low * weight:
            below[number] = one.low
            lacking += one.low * weight - share
        elif share > one.high * weight:
            above[number] = one.high
            lacking -= share - one.high * weight
    if lacking == 0:
        return below | above
    return below if lacking > 0 else above


def _with_rest(rest: int, got: list[int], terms: Sequence[Terms]) -> list[int]:
    """Give what did not divide, bit/s by bit/s, to whose level is the lowest with it; of equals, to the first."""
    if rest == 0:
        return got
    unit = lcm(*(one.weight for one in terms))
    levels = [((got[n] + 1) * (unit // one.weight), n) for n, one in enumerate(terms) if got[n] < one.high]
    heapify(levels)
    for _ in range(rest):
        level, number = levels[0]
        got[number] += 1
        if got[number] < terms[number].high:
            heapreplace(levels, (level + unit // terms[number].weight, number))
        else:
            heappop(levels)
    return got


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A part with what it gets at least and at most, whatever the others want."""

    key: Hashable
    terms: Terms
    parts: Sequence["_Bounded"]


def _bounded(part: Part) -> _Bounded:
    parts = [_bounded(one) for one in part.parts]
    demand = sum(one.terms.high for one in parts) if parts else part.demand_bps
    high = part.most_bps if demand is None else min(part.most_bps, demand)
    low = max(min(part.floor_bps, high), sum(one.terms.low for one in parts))
    return _Bounded(part.key, Terms(part.weight, low, high), parts)


def _spread(capacity: int, parts: Sequence[_Bounded], given: dict[Hashable, int]) -> None:
    for part, bps in zip(parts, divide(capacity, [one.terms for one in parts]), strict=True):
        assert part.key not in given, "keys are unique in a line"
        given[part.key] = bps
        _spread(bps, part.parts, given)
