"""TP-Link Omada: session time and WISPr rates; its own attributes have no documented unit and are not sent."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_timers, add_vlan, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_wispr_rates(reply, authorization)
    add_vlan(reply, authorization)
    return reply


# The WISPr rates are said to be read; nothing that we have read says so, and therefore `limits` does not either.
PROFILE = Profile(family="omada", encode=_encode, limits=Limits(timers=(SESSION_TIMEOUT,)), coa=Coa(CoaKind.API))
