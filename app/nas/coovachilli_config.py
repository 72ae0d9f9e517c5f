"""chilli.conf for one NAS."""

from collections.abc import Mapping
from ipaddress import IPv4Address, ip_interface
from typing import Final
from urllib.parse import urlsplit

from app.domain.nases import Nas, NasSecrets
from app.nas.addresses import parse_address
from app.nas.handoff import Portal
from app.nas.rendering import render

_GATEWAY: Final = "10.1.0.1"


def config(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return /etc/chilli.conf."""
    address = parse_address(nas.login_address or "")
    listen = address.host if address is not None and _is_ipv4(address.host) else _GATEWAY
    values = {
        "nas": nas,
        "secrets": secrets,
        "portal": portal,
        "identifier": nas.identifier or nas.name,
        "listen": listen,
        "network": str(ip_interface(f"{listen}/24").network),
        "port": address.port if address and address.port else 3990,
        "allowed": ",".join(dict.fromkeys([urlsplit(portal.url).hostname or "", *portal.garden])),
    }
    return {"chilli.conf": render("chilli.conf", values)}


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True
