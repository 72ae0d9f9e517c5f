"""accel-ppp, a PPP and IPoE concentrator. Source: shaper.c and its RADIUS module."""

from functools import lru_cache
from typing import Final

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import WORD, Coa, CoaBase, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_timers

_NO_LIMIT: Final = WORD // 1000  # kbit/s


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    rate = _rate(authorization.down_bps, authorization.up_bps)
    if rate is not None:
        reply.add("Filter-Id", rate)  # what its shaper reads unless it is told otherwise; no plan's filter beside it
    return reply


@lru_cache(maxsize=1024)
def _rate(down_bps: int | None, up_bps: int | None) -> str | None:
    """Return `down/up` in kbit/s; one number alone would mean both, so a direction without a limit gets the largest."""
    if down_bps is None and up_bps is None:
        return None
    return f"{_kilobits(down_bps)}/{_kilobits(up_bps)}"


def _kilobits(bps: int | None) -> int:
    """Round down, so that nobody gets more than the plan says; never to nothing, which is no limit."""
    return _NO_LIMIT if bps is None else min(max(bps // 1000, 1), _NO_LIMIT)


# A Session-Timeout in a CoA runs from its arrival on.
PROFILE = Profile(
    family="accel-ppp",
    encode=_encode,
    takes_session_keys=True,
    limits=Limits(rate=Told(("Filter-Id",), Unit.KILOBITS, _NO_LIMIT)),
    coa=Coa(
        CoaKind.ALLOW_LIST,
        attributes=("Session-Timeout", "Filter-Id"),
        base=CoaBase.NOW,
        identity=("Acct-Session-Id", "User-Name", "Framed-IP-Address", "Calling-Station-Id"),
    ),
)
