"""pfSense's captive portal (private enterprise number 13644). Source: its attribute list and captiveportal.inc."""

from typing import Final

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import Coa, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_least_octets, add_limit, add_timers

_LEAST_BPS: Final = 1000  # it divides by 1000 for its firewall, where nothing at all would be no limit


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_limit(reply, "pfSense-Bandwidth-Max-Down", _rate(authorization.down_bps))
    add_limit(reply, "pfSense-Bandwidth-Max-Up", _rate(authorization.up_bps))
    add_least_octets(reply, "pfSense-Max-Total-Octets", authorization)
    return reply


def _rate(bps: int | None) -> int | None:
    return None if bps is None else max(bps, _LEAST_BPS)


# It takes no CoA; with "reauthenticate users" it asks about each session every minute, and takes the new rate.
PROFILE = Profile(
    family="pfsense",
    encode=_encode,
    limits=Limits(
        rate=Told(("pfSense-Bandwidth-Max-Down", "pfSense-Bandwidth-Max-Up"), Unit.BITS),
        octets=Told(("pfSense-Max-Total-Octets",), Unit.OCTETS),
    ),
    coa=Coa(
        CoaKind.REAUTH_POLL,
        attributes=("pfSense-Bandwidth-Max-Down", "pfSense-Bandwidth-Max-Up"),
    ),
)
