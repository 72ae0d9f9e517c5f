"""Any other router: the attributes of the RFCs, and WISPr rates, which most hotspots have learnt to read."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.profile import Profile, add_filter, add_timers, add_vlan, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_wispr_rates(reply, authorization)
    add_vlan(reply, authorization)
    add_filter(reply, authorization)
    return reply


PROFILE = Profile(family="generic", encode=_encode, takes_session_keys=True)
