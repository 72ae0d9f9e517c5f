"""Juniper MX subscriber access: the time. Its rates are services and policies with names of the router's own.

It has a volume of its services too, whose unit is nowhere stated that we have read: none is sent.
"""

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.vendors.abilities import SESSION_TIMEOUT, Coa, CoaKind, Limits
from radius.vendors.profile import Profile, add_timers


def _encode(authorization: Authorization) -> Attributes:
    reply = Attributes()
    add_timers(reply, authorization)
    return reply


# Its manual says that it takes CoA and Disconnect on port 3799; by what it finds the session we have not read.
PROFILE = Profile(
    family="juniper",
    encode=_encode,
    limits=Limits(timers=(SESSION_TIMEOUT,)),
    coa=Coa(CoaKind.DISCONNECT_ONLY),
)
