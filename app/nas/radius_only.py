"""Configurations of the NAS families whose portal is not ours, or that need none."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from app.domain.nases import MAC_IS_PASSWORD, Family, Nas, NasSecrets, WalledGarden
from app.nas.addresses import is_ip
from app.nas.handoff import Portal
from app.nas.rendering import render
from radius.vendors import profile_for


class _Place(NamedTuple):
    """Where in a vendor's own pages the values belong, and what else has to be set there."""

    title: str
    steps: tuple[str, ...] = ()


_PLACES: Final[Mapping[Family, _Place]] = {
    Family.UNIFI: _Place("UniFi: Settings, Profiles, RADIUS"),
    Family.OMADA: _Place("Omada: Settings, Profiles, RADIUS Profile"),
    Family.GENERIC: _Place("RADIUS client"),
    Family.PFSENSE: _Place(
        "pfSense: System, User Manager, Authentication Servers; then Services, Captive Portal",
        (
            "In the captive portal's zone: RADIUS accounting, updates Interim.",
            "Use RADIUS Session-Timeout attributes, pfSense-Max-Total-Octets, and pfSense-Bandwidth-Max-Up and -Down.",
            "Reauthenticate connected users every minute: without it a new rate waits for the next login.",
        ),
    ),
    Family.OPNSENSE: _Place("OPNsense: System, Access, Servers; then Services, Captive Portal, Zones"),
    Family.ACCEL_PPP: _Place(
        "accel-ppp: accel-ppp.conf, [radius] and [shaper]",
        (
            "[radius] dae-server: the address and port of this concentrator, and the shared secret.",
            "[shaper] attr=Filter-Id, and no rate-multiplier: rates come as down/up in kbit/s.",
        ),
    ),
    Family.CAMBIUM: _Place("Cambium: WLAN, AAA Servers (cnMaestro or the access point)"),
    Family.ARUBA: _Place(
        "Aruba: Configuration, Authentication, Auth Servers; RFC 3576 server for CoA",
        ("Make a user role with the rates for each filter that a plan names.",),
    ),
    Family.CISCO: _Place(
        "Cisco wireless controller: Security, AAA, RADIUS",
        ("Make an access list for each filter that a plan names, and switch AAA override on for the WLAN.",),
    ),
    Family.MERAKI: _Place(
        "Meraki: Wireless, Access control, RADIUS servers",
        (
            "Make a group policy for each filter that a plan names, and let Filter-Id name it.",
            "The requests come from the Meraki cloud, not from the access points.",
        ),
    ),
    Family.RUCKUS: _Place(
        "Ruckus: Services and Profiles, Authentication and Accounting",
        ("Make a role for each filter that a plan names, chosen by the user group of that name.",),
    ),
    Family.MIST: _Place(
        "Juniper Mist: WLAN, Authentication Servers",
        ("Make a policy label for each filter that a plan names, matched by Filter-Id.",),
    ),
    Family.FORTINET: _Place(
        "FortiGate: User and Authentication, RADIUS Servers",
        (
            "Make a user group for each filter that a plan names, matched by Fortinet-Group-Name.",
            "Rates and times belong to the firewall policy and to the group's authtimeout.",
        ),
    ),
    Family.JUNIPER: _Place("Juniper MX: access profile, RADIUS server"),
}


def hostapd(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return the RADIUS lines of hostapd.conf."""
    return {"hostapd.conf": render("hostapd.conf", _values(nas, secrets, portal))}


def strongswan(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return eap-radius.conf."""
    return {"eap-radius.conf": render("strongswan.conf", _values(nas, secrets, portal))}


def uspot(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return uspot's settings, and the rule and set that keep the portal and the public services open."""
    parts = urlsplit(portal.url)
    hosts = dict.fromkeys([parts.hostname or "", *portal.garden])
    garden = {
        "garden_names": [host for host in hosts if not is_ip(host)],
        "garden_addresses": [host for host in hosts if is_ip(host)],
        "garden_ports": " ".join(dict.fromkeys(["443", "80", str(parts.port or 443)])),
    }
    return {"uspot.uci": render("uspot.uci", _values(nas, secrets, portal) | garden)}


def page(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return what to enter in the vendor's own pages."""
    place, profile = _PLACES[nas.family], profile_for(nas.family.value)
    values = {
        **_values(nas, secrets, portal),
        "title": place.title + (" (experimental)" if profile.experimental else f" {nas.name}"),
        "steps": place.steps,
        "garden": portal.garden if nas.walled_garden is WalledGarden.BY_HAND else (),
        "interim_seconds": max(portal.interim_seconds, profile.shortest_interim_seconds),
        "takes_disconnect": profile.coa.kind.takes_disconnect,
        "sends_mac": nas.family in MAC_IS_PASSWORD,
    }
    return {"radius.txt": render("radius.txt", values)}


def _values(nas: Nas, secrets: NasSecrets, portal: Portal) -> dict[str, object]:
    return {"nas": nas, "secrets": secrets, "portal": portal, "identifier": nas.identifier or nas.name}
