"""Ruckus (private enterprise number 25053): the time, and a role by name. Source: its dictionary.

It has a quota (Max-DL-UL-Quota), whose unit is nowhere stated that we have read: none is sent.
"""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import IDLE_TIMEOUT, SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_role, add_timers, add_vlan


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_role(reply, "Ruckus-User-Groups", authorization)
    add_vlan(reply, authorization)
    return reply


PROFILE = Profile(
    family="ruckus",
    encode=_encode,
    limits=Limits(timers=(SESSION_TIMEOUT, IDLE_TIMEOUT), role="Ruckus-User-Groups"),
    coa=Coa(
        CoaKind.DISCONNECT_ONLY,
        identity=("Calling-Station-Id", "NAS-IP-Address"),
        needed=("Calling-Station-Id",),
    ),
)
