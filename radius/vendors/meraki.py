"""Cisco Meraki: a group policy by name, and the time. Source: its manual."""

from typing import Final

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import INTERIM, SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_filter, add_timers, add_vlan

_SHORTEST_INTERIM_SECONDS: Final = 300  # a splash page accounts only if it is told an interval, and at best this one


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization, _SHORTEST_INTERIM_SECONDS)
    add_filter(reply, authorization)
    add_vlan(reply, authorization)
    return reply


# Behind a splash page: Disconnect only, and sent to the organisation's address in the cloud.
PROFILE = Profile(
    family="meraki",
    encode=_encode,
    shortest_interim_seconds=_SHORTEST_INTERIM_SECONDS,
    limits=Limits(timers=(SESSION_TIMEOUT, INTERIM), role="Filter-Id"),
    coa=Coa(CoaKind.DISCONNECT_ONLY, identity=("Calling-Station-Id",), needed=("Calling-Station-Id",)),
)
