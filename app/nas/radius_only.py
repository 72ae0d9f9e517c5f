"""Configurations of the NAS families whose portal is not ours, or that need none."""

from collections.abc import Mapping

from app.domain.nases import Nas, NasSecrets
from app.nas.handoff import Portal
from app.nas.rendering import render


def hostapd(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return the RADIUS lines of hostapd.conf."""
    return {"hostapd.conf": render("hostapd.conf", _values(nas, secrets, portal))}


def strongswan(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return eap-radius.conf."""
    return {"eap-radius.conf": render("strongswan.conf", _values(nas, secrets, portal))}


def uspot(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return uspot's settings."""
    return {"uspot.uci": render("uspot.uci", _values(nas, secrets, portal))}


def unifi(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return what to enter in a UniFi RADIUS profile."""
    return _page(nas, secrets, portal, "UniFi: Settings, Profiles, RADIUS (experimental)")


def omada(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return what to enter in an Omada RADIUS profile."""
    return _page(nas, secrets, portal, "Omada: Settings, Profiles, RADIUS Profile (experimental)")


def generic(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return what any RADIUS client needs."""
    return _page(nas, secrets, portal, f"RADIUS client {nas.name}")


def _page(nas: Nas, secrets: NasSecrets, portal: Portal, title: str) -> Mapping[str, str]:
    return {"radius.txt": render("radius.txt", {**_values(nas, secrets, portal), "title": title})}


def _values(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, object]:
    return {"nas": nas, "secrets": secrets, "portal": portal, "identifier": nas.identifier or nas.name}
