"""CoovaChilli (private enterprise number 14559). Source: its attribute list, and packets of version 1.6."""

from typing import Final

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import TIMERS, TWO_WORDS, Coa, CoaBase, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Direction, Profile, add_filter, add_timers, add_wide_limit, add_wispr_rates

_RATES: Final = ("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up")
_OCTETS: Final = ("ChilliSpot-Max-Input-Octets", "ChilliSpot-Max-Output-Octets", "ChilliSpot-Max-Total-Octets")
_GIGAWORDS: Final = (
    "ChilliSpot-Max-Input-Gigawords",
    "ChilliSpot-Max-Output-Gigawords",
    "ChilliSpot-Max-Total-Gigawords",
)


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    # WISPr is exact to the bit; the ChilliSpot rates are kbit/s and win where both are sent, so only one kind is.
    add_wispr_rates(reply, authorization)
    add_wide_limit(reply, _OCTETS[0], _GIGAWORDS[0], authorization.up_octets)
    add_wide_limit(reply, _OCTETS[1], _GIGAWORDS[1], authorization.down_octets)
    add_wide_limit(reply, _OCTETS[2], _GIGAWORDS[2], authorization.total_octets)
    add_filter(reply, authorization)
    return reply


# Without `swapoctets` its Acct-Input-Octets is what the phone downloaded; a packet says so in Acct-View-Point.
# A CoA resets what it does not carry, and is not even answered without the User-Name.
PROFILE = Profile(
    family="coovachilli",
    encode=_encode,
    signs_access_requests=True,
    direction=Direction.CLIENT,
    reports_gigawords=True,
    tried="CoovaChilli 1.8 and 1.9",
    limits=Limits(
        rate=Told(_RATES, Unit.BITS),
        octets=Told(_OCTETS, Unit.OCTETS, TWO_WORDS),
        role="Filter-Id",
        role_by_script=True,
    ),
    coa=Coa(
        CoaKind.FULL_SET,
        attributes=(*TIMERS, *_RATES, *_OCTETS, *_GIGAWORDS),
        base=CoaBase.START,
        identity=("User-Name", "Acct-Session-Id"),
        needed=("User-Name",),
    ),
)
