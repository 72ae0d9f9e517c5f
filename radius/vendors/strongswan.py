"""strongSwan, IKEv2 with eap-radius. It limits neither rate nor octets."""

from typing import Final

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import INTERIM, SESSION_TIMEOUT, Coa, CoaBase, CoaKind, Limits
from radius.vendors.profile import Profile, add_filter, add_timers

# Session-Timeout becomes the lifetime of the authentication. Below about 24 minutes, with the default margins, the
# client authenticates again in an endless loop (320 logins in half a minute were seen); Disconnect ends such sessions.
SHORTEST_SESSION_SECONDS: Final = 1500


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    if authorization.session_timeout_seconds is not None:
        seconds = max(authorization.session_timeout_seconds, SHORTEST_SESSION_SECONDS)
        authorization = authorization._replace(session_timeout_seconds=seconds)
    add_timers(reply, authorization)
    add_filter(reply, authorization)
    return reply


# Its daemon passes the Session-Timeout of a CoA on to the client as a lifetime from then on; all that it reads of a
# request is the User-Name, so every tunnel of that name is meant.
PROFILE = Profile(
    family="strongswan",
    encode=_encode,
    signs_access_requests=True,
    takes_session_keys=True,
    reports_gigawords=True,
    tried="strongSwan 5.9.8",
    limits=Limits(timers=(SESSION_TIMEOUT, INTERIM), role="Filter-Id"),
    coa=Coa(
        CoaKind.ALLOW_LIST,
        attributes=(SESSION_TIMEOUT,),
        base=CoaBase.NOW,
        identity=("User-Name",),
        needed=("User-Name",),
    ),
)
