"""Quotas: what may be used in a period, and an admin's own for one person."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Period(StrEnum):
    """What a quota is counted over, in the city's local time; the shortest first.

    A week begins on Monday, a billing period on the account's own billing day.
    """

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    BILLING = "billing"
    TOTAL = "total"


class Measure(StrEnum):
    """What a quota counts: octets of both directions together, of one, or seconds online."""

    BOTH = "both"
    DOWN = "down"
    UP = "up"
    TIME = "time"


class Action(StrEnum):
    """What happens to somebody who has used a quota up."""

    CUT = "cut"
    THROTTLE = "throttle"
    GARDEN = "garden"  # only the public services are left


@dataclass(frozen=True, slots=True)
class Then:
    """What happens when a quota is used up; the rates are those of a throttle, None: as before."""

    action: Action
    down_bps: int | None = None
    up_bps: int | None = None

    def __str__(self) -> str:
        """Write it as `read_then` reads it, and as it is stored: `cut`, `garden`, `1000000/256000`."""
        if self.action is not Action.THROTTLE:
            return self.action.value
        return f"{self.down_bps or ''}/{self.up_bps or ''}"


CUT: Final = Then(Action.CUT)


def read_then(stored: str) -> Then:
    """Read what `str` has written."""
    if "/" not in stored:
        return Then(Action(stored))
    down, _, up = stored.partition("/")
    return Then(Action.THROTTLE, int(down) if down else None, int(up) if up else None)


class Tally(NamedTuple):
    """One sum that is kept of an account: what is counted, over which period."""

    period: Period
    measure: Measure


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may be used in each period: octets, or seconds online where the measure is time.

    A plan may have several of one tally: steps. `then` None: as the plan says of all its quotas.
    """

    period: Period
    amount: int
    measure: Measure = Measure.BOTH
    then: Then | None = None
    tally: Tally = field(init=False, repr=False, compare=False)  # the sum that the quota is held against

    def __post_init__(self) -> None:
        object.__setattr__(self, "tally", Tally(self.period, self.measure))  # once: every decision asks for it

    def left(self, used: int) -> int:
        """Return what remains, never below zero."""
        return max(0, self.amount - used)


@dataclass(frozen=True, slots=True)
class QuotaOverride:
    """An admin's own quota for one person: replaces all of the plan's of its tally until `until` (None: for good)."""

    quota: Quota
    reason: str
    author: str
    until: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Tell whether the override holds at `now`."""
        return self.until is None or now < self.until


_PERIODS: Final = list(Period)
_MEASURES: Final = list(Measure)


def in_order(quotas: Iterable[Quota]) -> tuple[Quota, ...]:
    """Return quotas in order: the shortest period first, and the smaller amount."""
    return tuple(sorted(quotas, key=lambda quota: (*_place(quota.tally), quota.amount)))


def twice(quotas: Iterable[Quota]) -> Quota | None:
    """Return a quota of whose tally there is another of the same amount; None if they are all apart, as steps are."""
    seen: set[tuple[Tally, int]] = set()
    for quota in quotas:
        if (quota.tally, quota.amount) in seen:
            return quota
        seen.add((quota.tally, quota.amount))
    return None


class Misstep(NamedTuple):
    """A quota that is no step down from those before it; `cut` is the one that nobody gets beyond, if that is why."""

    quota: Quota
    cut: Quota | None = None


def misstep(quotas: Iterable[Quota], unsaid: Mapping[Tally, Then] = MappingProxyType({})) -> Misstep | None:
    """Return a quota that does nothing beyond those before it of its tally; None if every one does.

    Of several throttles that are used up the lowest rates hold. `unsaid` is what happens where a quota says nothing;
    of a tally that is not in it, always the same.
    """
    held: dict[Tally, tuple[float, float]] = {}
    seen: dict[tuple[Tally, Then | None], Quota] = {}
    for quota in in_order(quotas):
        then = unsaid.get(quota.tally) if quota.then is None else quota.then
        cut = seen.get((quota.tally, CUT))
        if cut is not None:
            return Misstep(quota, cut)
        if then is None or then.action is not Action.THROTTLE:
            if (quota.tally, then) in seen:
                return Misstep(quota)
            seen[quota.tally, then] = quota
            continue
        down, up = (math.inf if bps is None else bps for bps in (then.down_bps, then.up_bps))
        if quota.tally in held:
            before_down, before_up = held[quota.tally]
            if down >= before_down and up >= before_up:
                return Misstep(quota)
            down, up = min(down, before_down), min(up, before_up)
        held[quota.tally] = (down, up)
    return None


def tallies_of(quotas: Iterable[Quota]) -> tuple[Tally, ...]:
    """Return what must be counted for these quotas, each once and in order."""
    return tuple(sorted({quota.tally for quota in quotas}, key=_place))


def _place(tally: Tally) -> tuple[int, int]:
    return _PERIODS.index(tally.period), _MEASURES.index(tally.measure)
