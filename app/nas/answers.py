"""What a NAS would be told with an Access-Accept, in words: the attributes of its family, secrets left out."""

from app.domain.granted import Limits
from app.domain.nases import Nas
from app.nas.authorization import authorization_of
from radius.attributes import Attributes
from radius.vendors import profile_for


def accept_attributes(nas: Nas, granted: Limits) -> Attributes:
    """Return the attributes that hold a session within what it is granted, as this NAS's family is told them.

    What every Accept has besides, and no two alike, is not among them: Class, and what proves the server.
    """
    return profile_for(nas.family.value).attributes(authorization_of(granted))
