"""Juniper Mist: a policy by name, and the time. Its attributes are those of the RFCs."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_filter, add_timers, add_vlan


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_filter(reply, authorization)
    add_vlan(reply, authorization)
    return reply


PROFILE = Profile(
    family="mist",
    encode=_encode,
    limits=Limits(timers=(SESSION_TIMEOUT,), role="Filter-Id"),
    coa=Coa(
        CoaKind.DISCONNECT_ONLY,
        identity=("Calling-Station-Id", "NAS-IP-Address", "Acct-Session-Id"),
        needed=("Calling-Station-Id",),
    ),
)
