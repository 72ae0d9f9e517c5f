"""One profile per router family: Authorization -> Attributes, Attributes -> counters."""

from typing import Final

from radius.vendors import coovachilli, generic, hostapd, mikrotik, omada, opennds, strongswan, unifi, uspot
from radius.vendors.profile import Profile

PROFILES: Final[dict[str, Profile]] = {
    module.PROFILE.family: module.PROFILE
    for module in (mikrotik, coovachilli, opennds, hostapd, strongswan, uspot, unifi, omada, generic)
}


def profile_for(family: str) -> Profile:
    """Return the profile of a family; KeyError if there is no such family."""
    return PROFILES[family]
