"""One profile per router family: Authorization -> Attributes, Attributes -> counters."""

from typing import Final

from radius.vendors import (
    accelppp,
    aruba,
    cambium,
    cisco,
    coovachilli,
    fortinet,
    generic,
    hostapd,
    juniper,
    meraki,
    mikrotik,
    mist,
    omada,
    opennds,
    opnsense,
    pfsense,
    ruckus,
    strongswan,
    unifi,
    uspot,
)
from radius.vendors.profile import Profile

PROFILES: Final[dict[str, Profile]] = {
    module.PROFILE.family: module.PROFILE
    for module in (
        *(mikrotik, coovachilli, opennds, uspot, pfsense, opnsense, accelppp),
        *(cambium, aruba, cisco, meraki, ruckus, mist, fortinet, juniper),
        *(unifi, omada, hostapd, strongswan, generic),
    )
}


def profile_for(family: str) -> Profile:
    """Return the profile of a family; KeyError if there is no such family."""
    return PROFILES[family]
