"""Any other router: the attributes of the RFCs, and WISPr rates, which most hotspots have learnt to read."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import Coa, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_filter, add_timers, add_vlan, add_wispr_rates


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_wispr_rates(reply, authorization)
    add_vlan(reply, authorization)
    add_filter(reply, authorization)
    return reply


PROFILE = Profile(
    family="generic",
    encode=_encode,
    takes_session_keys=True,
    tried="radclient 3.2.1, libpam-radius-auth 2.0.0",
    limits=Limits(rate=Told(("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up"), Unit.BITS), role="Filter-Id"),
    coa=Coa(
        CoaKind.DISCONNECT_ONLY, identity=("User-Name", "Acct-Session-Id", "NAS-IP-Address", "NAS-Identifier")
    ),  # RFC 5176 section 3
)
