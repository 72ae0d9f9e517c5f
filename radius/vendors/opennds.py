"""openNDS: it speaks no RADIUS itself, so only what a RADIUS client in front of it would read is given."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import SESSION_TIMEOUT, Coa, CoaKind, Limits, Told, Unit
from radius.vendors.profile import Profile, add_timers


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    return reply


# The limits go by FAS and BinAuth, as the portal writes them; there is one amount for each direction, none for both.
PROFILE = Profile(
    family="opennds",
    encode=_encode,
    tried="openNDS 9.10",
    limits=Limits(
        rate=Told(("uploadrate", "downloadrate"), Unit.KILOBITS),
        octets=Told(("uploadquota", "downloadquota"), Unit.KIBIOCTETS),
        timers=(SESSION_TIMEOUT,),
    ),
    coa=Coa(CoaKind.AGENT),
)
