"""MikroTik RouterOS hotspot and PPP (private enterprise number 14988). Source: RADIUS client page of its manual."""

from functools import lru_cache

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import TWO_WORDS, WORD, Coa, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_filter, add_timers, add_wide_limit


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    rate = _rate_limit(
        authorization.up_bps,
        authorization.down_bps,
        authorization.up_burst_bps,
        authorization.down_burst_bps,
        authorization.burst_seconds,
    )
    if rate is not None:
        reply.add("Mikrotik-Rate-Limit", rate)
    # Recv is what the router receives from the phone, so the user's up; Xmit is the user's down.
    add_wide_limit(reply, "Mikrotik-Recv-Limit", "Mikrotik-Recv-Limit-Gigawords", authorization.up_octets)
    add_wide_limit(reply, "Mikrotik-Xmit-Limit", "Mikrotik-Xmit-Limit-Gigawords", authorization.down_octets)
    add_wide_limit(reply, "Mikrotik-Total-Limit", "Mikrotik-Total-Limit-Gigawords", authorization.total_octets)
    if authorization.address_list is not None:
        reply.add("Mikrotik-Address-List", authorization.address_list)
    add_filter(reply, authorization)
    return reply


@lru_cache(maxsize=1024)
def _rate_limit(
    up_bps: int | None,
    down_bps: int | None,
    up_burst_bps: int | None,
    down_burst_bps: int | None,
    burst_seconds: int | None,
) -> str | None:
    """Return `rx/tx [burst [threshold [time]]]`: rx comes from the phone and stands first; plain digits are bit/s.

    One number alone would mean both directions, so a direction without a limit gets the largest rate. The threshold
    has to be there for the time to be read; at the rate itself, a burst begins as soon as the average falls below it.
    """
    if up_bps is None and down_bps is None:
        return None
    up = min(up_bps or WORD, WORD)
    down = min(down_bps or WORD, WORD)
    rate = f"{up}/{down}"
    if up_burst_bps is None and down_burst_bps is None:
        return rate
    up_burst = min(max(up_burst_bps or up, up), WORD)
    down_burst = min(max(down_burst_bps or down, down), WORD)
    if burst_seconds is None:
        return f"{rate} {up_burst}/{down_burst}"
    return f"{rate} {up_burst}/{down_burst} {rate} {burst_seconds}/{burst_seconds}"


# No Total-Limit, no high word and no interim in a CoA: a quota for both directions is held by cut and resume.
PROFILE = Profile(
    family="mikrotik",
    encode=_encode,
    takes_session_keys=True,
    reports_gigawords=True,
    limits=Limits(
        rate=Told(("Mikrotik-Rate-Limit",), Unit.BITS),
        octets=Told(("Mikrotik-Recv-Limit", "Mikrotik-Xmit-Limit", "Mikrotik-Total-Limit"), Unit.OCTETS, TWO_WORDS),
        role="Filter-Id",
    ),
    coa=Coa(
        CoaKind.IDENTITY_PAIR,
        attributes=(
            "Session-Timeout",
            "Idle-Timeout",
            "Mikrotik-Rate-Limit",
            "Mikrotik-Recv-Limit",
            "Mikrotik-Xmit-Limit",
            "Filter-Id",
        ),
        identity=("User-Name", "Framed-IP-Address", "Acct-Session-Id", "NAS-IP-Address"),
        needed=("User-Name", "Framed-IP-Address"),
    ),
)
