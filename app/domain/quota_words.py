"""Quotas as admins write them: `day 500MB`, `week down 3GB`, `day 2h then 1M`: a period, perhaps a direction, how much.

What follows `then` is what happens when it is used up: `cut`, `garden`, or a rate, `1M` or DOWN/UP such as `1M/256k`.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.quotas import Action, Measure, Period, Quota, Tally, Then
from app.domain.units import (
    UnitError,
    format_amount,
    format_duration,
    format_rate,
    parse_amount,
    parse_duration,
    parse_rate,
)

_EXPECTED: Final = "a quota such as 'day 500MB', 'week down 3GB', 'billing 20GB then 1M' or 'day 2h'"
_THEN_EXPECTED: Final = "what happens then: cut, garden, or a rate such as 1M or 1M/256k"
_SEPARATOR: Final = "then"
_NONE: Final = "none"
_MEGA: Final = re.compile(r"[0-9]M\s*$")
_TIMES: Final = ("s", "m", "h", "d")


class Written(NamedTuple):
    """What was written of one tally; without a quota it is to be taken away."""

    tally: Tally
    quota: Quota | None


def parse_quota(text: str) -> Written:
    """Read a quota; `none` in place of the amount takes it away. Raise UnitError."""
    if _MEGA.search(text.partition(_SEPARATOR)[0]):
        raise UnitError(text, f"{_EXPECTED}: 30M may be 30MB or 30m")
    words = text.lower().split()
    then: Then | None = None
    if _SEPARATOR in words:
        at = words.index(_SEPARATOR)
        then, words = parse_then(" ".join(words[at + 1 :])), words[:at]
    if len(words) not in (2, 3) or words[0] not in set(Period):
        raise UnitError(text, _EXPECTED)
    period, amount = Period(words[0]), words[-1]
    timed = amount.endswith(_TIMES)
    try:
        measure = Measure(words[1]) if len(words) == 3 else Measure.TIME if timed else Measure.BOTH
    except ValueError as error:
        raise UnitError(text, _EXPECTED) from error
    tally = Tally(period, measure)
    if amount == _NONE:
        return Written(tally, None)
    if (measure is Measure.TIME) is not timed or not amount.endswith((*_TIMES, "b")):
        raise UnitError(text, _EXPECTED)
    return Written(tally, Quota(period, parse_duration(amount) if timed else parse_amount(amount), measure, then))


def format_quota(quota: Quota) -> str:
    """Write a quota as `parse_quota` reads it back."""
    then = "" if quota.then is None else f" {_SEPARATOR} {format_then(quota.then)}"
    if quota.measure is Measure.TIME:
        return f"{quota.period.value} {format_duration(quota.amount)}{then}"
    direction = "" if quota.measure is Measure.BOTH else f" {quota.measure.value}"
    return f"{quota.period.value}{direction} {format_amount(quota.amount)}{then}"


def format_quotas(quotas: Sequence[Quota]) -> str:
    """Write several quotas in one line."""
    return ", ".join(map(format_quota, quotas))


def parse_then(text: str) -> Then:
    """Read what happens when a quota is used up; one rate alone is that of both directions. Raise UnitError."""
    word = text.strip().lower()
    if word in (Action.CUT, Action.GARDEN):
        return Then(Action(word))
    down, slash, up = word.partition("/")
    try:
        return Then(Action.THROTTLE, parse_rate(down), parse_rate(up if slash else down))
    except UnitError as error:
        raise UnitError(text, _THEN_EXPECTED) from error


def format_then(then: Then) -> str:
    """Write what happens as `parse_then` reads it back."""
    if then.action is not Action.THROTTLE:
        return then.action.value
    down, up = ("" if bps is None else format_rate(bps) for bps in (then.down_bps, then.up_bps))
    return down if down == up else f"{down}/{up}"
