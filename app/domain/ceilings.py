"""Rate ceilings of devices: for a time a device gets less than its plan says, whoever asked for that."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import NamedTuple


class CeilingSource(StrEnum):
    """Who sets ceilings; each has one of its own for a device, and the lowest of them holds."""

    PERSON = "person"
    GOVERNOR = "governor"


class Ceiling(NamedTuple):
    """The most that a device of an account gets until `until`; None: this direction is not held down.

    `mac` "" means every device of the account. `author` and `reason` are for people.
    """

    account_id: str
    mac: str
    source: CeilingSource
    down_bps: int | None
    up_bps: int | None
    until: datetime
    reason: str
    author: str


def rates_under(
    down_bps: int | None, up_bps: int | None, ceilings: Iterable[Ceiling], *, mac: str, now: datetime
) -> tuple[int | None, int | None]:
    """Return what is left of a device's rates, down and up, under the ceilings that hold for it at `now`."""
    for one in ceilings:
        if one.until > now and one.mac in ("", mac):
            down_bps, up_bps = _lower(down_bps, one.down_bps), _lower(up_bps, one.up_bps)
    return down_bps, up_bps


def holding(
    down_bps: int | None, up_bps: int | None, ceilings: Iterable[Ceiling], *, mac: str, now: datetime
) -> Ceiling | None:
    """Return the ceiling that holds a device lowest, down before up; None if none lowers these rates of it."""
    lowered = ((rates_under(down_bps, up_bps, (one,), mac=mac, now=now), one) for one in ceilings)
    found = [(rates, one) for rates, one in lowered if rates != (down_bps, up_bps)]
    return min(found, key=lambda each: [inf if bps is None else bps for bps in each[0]], default=(None, None))[1]


def _lower(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)
