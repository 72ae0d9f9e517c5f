"""Quotas as admins write them: `day 500MB`, `week down 3GB`, `day 2h`; a period, perhaps a direction, and how much."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.quotas import Measure, Period, Quota, Tally
from app.domain.units import UnitError, format_amount, format_duration, parse_amount, parse_duration

_EXPECTED: Final = "a quota such as 'day 500MB', 'week down 3GB', 'billing 20GB' or 'day 2h'"
_NONE: Final = "none"
_TIMES: Final = ("s", "m", "h", "d")


class Written(NamedTuple):
    """What was written of one tally; without a quota it is to be taken away."""

    tally: Tally
    quota: Quota | None


def parse_quota(text: str) -> Written:
    """Read a quota; `none` in place of the amount takes it away. Raise UnitError."""
    words = text.lower().split()
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
    return Written(tally, Quota(period, parse_duration(amount) if timed else parse_amount(amount), measure))


def format_quota(quota: Quota) -> str:
    """Write a quota as `parse_quota` reads it back."""
    if quota.measure is Measure.TIME:
        return f"{quota.period.value} {format_duration(quota.amount)}"
    direction = "" if quota.measure is Measure.BOTH else f" {quota.measure.value}"
    return f"{quota.period.value}{direction} {format_amount(quota.amount)}"


def format_quotas(quotas: Sequence[Quota]) -> str:
    """Write several quotas in one line."""
    return ", ".join(map(format_quota, quotas))
