"""OPNsense's captive portal: times only. Source: its portal's code; neither rates nor octets can be limited."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import INTERIM, SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_timers


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    return reply


# Its counters are 32 bits wide and nothing says when they begin again: a decrease is read as a wrap.
PROFILE = Profile(
    family="opnsense",
    encode=_encode,
    reports_gigawords=False,
    limits=Limits(timers=(SESSION_TIMEOUT, INTERIM)),
    coa=Coa(CoaKind.API),
)
