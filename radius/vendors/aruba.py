"""Aruba controllers and Instant (private enterprise number 14823): rates are part of a role. Source: its dictionary."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import INTERIM, SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_role, add_timers, add_vlan


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_role(reply, "Aruba-User-Role", authorization)
    add_vlan(reply, authorization)
    return reply


# Newer controllers refuse a request that carries the Acct-Session-Id.
PROFILE = Profile(
    family="aruba",
    encode=_encode,
    limits=Limits(timers=(SESSION_TIMEOUT, INTERIM), role="Aruba-User-Role"),
    coa=Coa(
        CoaKind.ROLE_ONLY,
        attributes=("Aruba-User-Role",),
        identity=("Calling-Station-Id", "NAS-IP-Address"),
        needed=("Calling-Station-Id",),
    ),
)
