"""What a NAS would be told of a session, in words: attributes of its family, or what openNDS asks for; no secrets."""

from collections.abc import Sequence
from typing import Final

from app.domain.access import Grant
from app.domain.granted import Limits
from app.domain.nases import Family, Nas
from app.nas import opennds
from app.nas.authorization import authorization_of
from radius.attributes import Attributes
from radius.vendors import profile_for

_RATES: Final = ("down_bps", "up_bps")
_OCTETS: Final = ("octets", "down_octets", "up_octets")
_BY_ATTRIBUTE: Final = ("down_burst_bps", "up_burst_bps", "vlan", "address_list")


_NEVER_TOLD: Final = {Family.OPENNDS: ("idle_seconds",)}


def told(nas: Nas, grant: Grant, granted: Limits) -> Sequence[tuple[str, str]]:
    """Return what holds a session within what it is granted, as (name, value): attributes, or openNDS's own limits.

    openNDS asks before it lets a phone in, and is told what the account may have, not a device's slice of it.
    """
    if nas.family is Family.OPENNDS:
        return opennds.limits_in_words(grant)
    return list(accept_attributes(nas, granted))


def accept_attributes(nas: Nas, granted: Limits) -> Attributes:
    """Return the attributes that hold a session within what it is granted, as this NAS's family is told them.

    What every Accept has besides, and no two alike, is not among them: Class, and what proves the server.
    """
    return profile_for(nas.family.value).attributes(authorization_of(granted))


def not_held(nas: Nas, granted: Limits) -> Sequence[str]:
    """Return which of the limits this NAS does not hold a session to, since its family knows none of the kind.

    Octets are not among them: a quota is held without the NAS too (`cuts_at_octets`).
    """
    limits, sent = profile_for(nas.family.value).limits, accept_attributes(nas, granted)
    unknown = [*(_RATES if limits.rate is None else ()), *_NEVER_TOLD.get(nas.family, ())]
    unknown += [] if nas.can_garden else ["filter_id"]
    untold = [field for field in _BY_ATTRIBUTE if accept_attributes(nas, granted._replace(**{field: None})) == sent]
    return [field for field in (*unknown, *untold) if getattr(granted, field) is not None]


def holds_octets(nas: Nas, granted: Limits) -> bool:
    """Tell whether octets are granted, and the NAS itself ends a session at them."""
    return cuts_at_octets(nas, granted) and any(getattr(granted, field) is not None for field in _OCTETS)


def cuts_at_octets(nas: Nas, granted: Limits) -> bool:
    """Tell whether the NAS itself ends a session at what it is granted; True where no octets are."""
    octets = profile_for(nas.family.value).limits.octets
    return octets is not None or all(getattr(granted, field) is None for field in _OCTETS)


def can_be_ended(nas: Nas) -> bool:
    """Tell whether a session at this NAS can be ended from here."""
    return profile_for(nas.family.value).coa.kind.takes_disconnect
