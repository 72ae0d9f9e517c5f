"""openNDS: it speaks no RADIUS itself, so only what a RADIUS client in front of it would read is given."""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.profile import Profile, add_timers


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    return reply


PROFILE = Profile(family="opennds", encode=_encode)
