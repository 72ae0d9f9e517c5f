"""Fortinet FortiGate (private enterprise number 12356): rates and times belong to a group. Source: its manual."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_role, add_timers


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    add_role(reply, "Fortinet-Group-Name", authorization)
    return reply


PROFILE = Profile(
    family="fortinet",
    encode=_encode,
    limits=Limits(timers=(), role="Fortinet-Group-Name"),
    coa=Coa(
        CoaKind.DISCONNECT_ONLY,
        identity=("Acct-Session-Id", "User-Name", "Framed-IP-Address", "NAS-IP-Address"),
        needed=("Acct-Session-Id",),
    ),
)
