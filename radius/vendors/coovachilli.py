"""CoovaChilli (private enterprise number 14559). Source: its attribute list, and packets of version 1.6."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.profile import Direction, Profile, add_filter, add_timers, add_wide_limit, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    # WISPr is exact to the bit; the ChilliSpot rates are kbit/s and win where both are sent, so only one kind is.
    add_wispr_rates(reply, authorization)
    add_wide_limit(reply, "ChilliSpot-Max-Input-Octets", "ChilliSpot-Max-Input-Gigawords", authorization.up_octets)
    add_wide_limit(reply, "ChilliSpot-Max-Output-Octets", "ChilliSpot-Max-Output-Gigawords", authorization.down_octets)
    add_wide_limit(reply, "ChilliSpot-Max-Total-Octets", "ChilliSpot-Max-Total-Gigawords", authorization.total_octets)
    add_filter(reply, authorization)
    return reply


# Without `swapoctets` its Acct-Input-Octets is what the phone downloaded; a packet says so in Acct-View-Point.
PROFILE = Profile(family="coovachilli", encode=_encode, signs_access_requests=True, direction=Direction.CLIENT)
