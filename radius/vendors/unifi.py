"""UniFi: by RADIUS its hotspot reads the session time only, its 802.1X the VLAN as well; rates go by its API."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_timers, add_vlan


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_vlan(reply, authorization)
    return reply


PROFILE = Profile(
    family="unifi",
    encode=_encode,
    limits=Limits(timers=(SESSION_TIMEOUT,)),
    coa=Coa(CoaKind.API, identity=("Calling-Station-Id", "NAS-IP-Address", "Acct-Session-Id")),
)
