"""uspot on OpenWrt. It reads WISPr rates and one quota, ChilliSpot-Max-Total-Octets, 32 bits wide."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.profile import Profile, add_limit, add_timers, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_wispr_rates(reply, authorization)
    add_limit(reply, "ChilliSpot-Max-Total-Octets", _total_octets(authorization))
    return reply


def _total_octets(authorization: Authorization) -> int | None:
    """Return the smallest limit there is: it may cut too early, and the session resumes; never too late."""
    limits = (authorization.total_octets, authorization.down_octets, authorization.up_octets)
    return min((octets for octets in limits if octets is not None), default=None)


PROFILE = Profile(family="uspot", encode=_encode)
