"""hostapd, 802.1X on Wi-Fi and on wires. It limits neither rate nor octets."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import INTERIM, SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_timers, add_vlan


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_vlan(reply, authorization)
    return reply


# It accounts under the User-Name of the Accept, and under the outer (anonymous) identity when there is none.
# A CoA of the timers is refused (401), and so is a Disconnect that carries anything beyond these names.
PROFILE = Profile(
    family="hostapd",
    encode=_encode,
    signs_access_requests=True,
    accounts_by_accept_name=True,
    tried="hostapd 2.10 on a wire",
    limits=Limits(timers=(SESSION_TIMEOUT, INTERIM)),
    coa=Coa(
        CoaKind.DISCONNECT_ONLY,
        identity=("User-Name", "Acct-Session-Id", "Calling-Station-Id", "NAS-IP-Address", "NAS-Identifier"),
    ),
)
