"""Cisco wireless controllers (private enterprise numbers 9 and 14179): the time, and an access list by name.

Source: the dictionary of Airespace. The unit of its data rates is nowhere stated that we have read: none is sent.
"""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import INTERIM, SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_role, add_timers, add_vlan


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_role(reply, "Airespace-ACL-Name", authorization)
    add_vlan(reply, authorization)
    return reply


# Cisco-AVPair carries `subscriber:command=reauthenticate`: it asks again, and takes the list that we then say; it also
# carries the controller's `audit-session-id`.
PROFILE = Profile(
    family="cisco",
    encode=_encode,
    limits=Limits(timers=(SESSION_TIMEOUT, INTERIM), role="Airespace-ACL-Name"),
    coa=Coa(
        CoaKind.ROLE_ONLY,
        attributes=("Cisco-AVPair",),
        identity=("Calling-Station-Id", "Cisco-AVPair"),
        needed=("Calling-Station-Id",),
    ),
)
