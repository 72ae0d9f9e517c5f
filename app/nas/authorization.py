"""From what a session is granted to what the RADIUS library is told: the one place, for Accepts and for changes."""

from functools import lru_cache

from app.domain.granted import Limits
from radius.authorization import Authorization


@lru_cache(maxsize=1024)
def authorization_of(limits: Limits) -> Authorization:
    """Return the limits in the library's words."""
    return Authorization(
        down_bps=limits.down_bps,
        up_bps=limits.up_bps,
        down_octets=limits.down_octets,
        up_octets=limits.up_octets,
        total_octets=limits.octets,
        session_timeout_seconds=limits.session_seconds,
        idle_timeout_seconds=limits.idle_seconds,
        interim_seconds=limits.interim_seconds,
        down_burst_bps=limits.down_burst_bps,
        up_burst_bps=limits.up_burst_bps,
        burst_seconds=limits.burst_seconds,
        vlan=limits.vlan,
        filter_id=limits.filter_id,
        address_list=limits.address_list,
    )
