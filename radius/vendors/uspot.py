"""uspot on OpenWrt. It reads WISPr rates and one quota, ChilliSpot-Max-Total-Octets, 32 bits wide."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import TIMERS, Coa, CoaBase, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_least_octets, add_timers, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_wispr_rates(reply, authorization)
    add_least_octets(reply, "ChilliSpot-Max-Total-Octets", authorization)
    return reply


# It refuses a CoA with any other attribute, be it Event-Timestamp or Message-Authenticator.
PROFILE = Profile(
    family="uspot",
    encode=_encode,
    limits=Limits(
        rate=Told(("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up"), Unit.BITS),
        octets=Told(("ChilliSpot-Max-Total-Octets",), Unit.OCTETS),
    ),
    coa=Coa(
        CoaKind.ALLOW_LIST,
        attributes=TIMERS,
        base=CoaBase.START,
        identity=("User-Name", "Acct-Session-Id", "Calling-Station-Id", "Framed-IP-Address"),
        signed=False,
    ),
)
