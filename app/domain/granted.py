"""What one session is granted of what its account may have: a slice of the octets, its time, its interval."""

from typing import Final, NamedTuple

from app.domain.access import Grant
from app.domain.hints import ACCOUNTING_WINDOW

LEAST_OCTETS: Final = 1_000_000
"""So much is not divided any more: each device is granted it whole, or it would be cut again and again at the end."""

_SHORTEST_INTERIM: Final = 60
_JITTER: Final = 600  # seconds over which those come back who were held down until one midnight
_WORTH: Final = 2  # times what remains, a slice is worth granting anew
_UNACCOUNTED_SECONDS: Final = int(ACCOUNTING_WINDOW.total_seconds())


class Limits(NamedTuple):
    """What was granted; None: no such limit. `octets` are those of both directions together."""

    down_bps: int | None = None
    up_bps: int | None = None
    octets: int | None = None
    session_seconds: int | None = None
    idle_seconds: int | None = None
    interim_seconds: int | None = None
    down_burst_bps: int | None = None
    up_burst_bps: int | None = None
    burst_seconds: int | None = None
    vlan: int | None = None
    filter_id: str | None = None
    address_list: str | None = None
    down_octets: int | None = None
    up_octets: int | None = None


class Slice(NamedTuple):
    """A device's part of octets: of both directions together, and of each; None: no such limit."""

    octets: int | None
    down_octets: int | None
    up_octets: int | None


def slice_of(grant: Grant, *, others: int) -> Slice:
    """Return the part of one device of what is left, which it shares with so many `others`."""
    return Slice(
        _part(grant.octets_left, others), _part(grant.down_octets_left, others), _part(grant.up_octets_left, others)
    )


def rest_of(held: Limits, *, down_octets: int, up_octets: int) -> Slice:
    """Return what remains to a session that has used so much of what it is held to from its start on."""
    return Slice(
        _minus(held.octets, down_octets + up_octets),
        _minus(held.down_octets, down_octets),
        _minus(held.up_octets, up_octets),
    )


def runs_short(rest: Slice, anew: Slice) -> bool:
    """Tell whether less remains than half of what would be granted now: what it may use is doubled by that at least."""
    return any(
        less is not None and (more is None or less * _WORTH < more) for less, more in zip(rest, anew, strict=True)
    )


def exceeds(rest: Slice, part: Slice) -> bool:
    """Tell whether more remains to a session than its part of what is left."""
    return any(own is not None and (more is None or more > own) for more, own in zip(rest, part, strict=True))


def limits_of(
    grant: Grant,
    *,
    others: int,
    acceptance_id: str,
    interim_seconds: int,
    accounts: bool,
    steps: bool = False,
    unreached: bool = False,
) -> Limits:
    """Return what a session is granted: remaining octets in slices among the open devices (`others` besides its own).

    `interim_seconds` is the site's. The interval has a jitter of +-10 % that follows from the acceptance, so that a
    re-authentication and a change say the same. `steps`: the router cannot be told while somebody is online, and who is
    cut comes back by itself; so it cuts where a throttle begins, and soon after it has ended. `unreached`: nothing can
    change or end an open session there; so it lasts no longer than it is free of charge.
    """
    interim = grant.interim_seconds or interim_seconds
    spread = int(acceptance_id[:4], 16) / 0xFFFF - 0.5
    interim = max(_SHORTEST_INTERIM, round(interim * (1 + spread / 5)))
    seconds = grant.session_seconds
    if steps:
        grant = grant._replace(
            octets_left=_least(grant.octets_left, grant.step_octets),
            down_octets_left=_least(grant.down_octets_left, grant.step_down_octets),
            up_octets_left=_least(grant.up_octets_left, grant.step_up_octets),
        )
        renewed = None if grant.renewed_seconds is None else grant.renewed_seconds + int((spread + 0.5) * _JITTER)
        seconds = _least(_least(seconds, grant.step_seconds), renewed)
    if unreached:
        seconds = _least(seconds, grant.counts_seconds)
    if not accounts:  # A6.21: nothing else ends a session whose octets we never hear of
        seconds = min(seconds or _UNACCOUNTED_SECONDS, _UNACCOUNTED_SECONDS)
    part = slice_of(grant, others=others)
    return Limits(
        grant.down_bps,
        grant.up_bps,
        part.octets,
        seconds,
        grant.idle_seconds,
        interim,
        grant.down_burst_bps,
        grant.up_burst_bps,
        grant.burst_seconds,
        grant.vlan,
        grant.filter_id,
        grant.address_list,
        part.down_octets,
        part.up_octets,
    )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _part(octets: int | None, others: int) -> int | None:
    if octets is None:
        return None
    return max(octets // (1 + others), min(octets, LEAST_OCTETS))


def _minus(octets: int | None, used: int) -> int | None:
    return None if octets is None else max(0, octets - used)
