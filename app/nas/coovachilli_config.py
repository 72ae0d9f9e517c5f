"""chilli.conf for one NAS."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from app.domain.nases import Nas, NasSecrets
from app.nas.addresses import parse_address
from app.nas.handoff import Portal
from app.nas.rendering import render


def config(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return /etc/chilli.conf."""
    address = parse_address(nas.login_address or "")
    values = {
        "nas": nas,
        "secrets": secrets,
        "portal": portal,
        "identifier": nas.identifier or nas.name,
        "listen": address.host if address else None,
        "port": address.port if address and address.port else 3990,
        "allowed": ",".join(dict.fromkeys([urlsplit(portal.url).hostname or "", *portal.garden])),
    }
    return {"chilli.conf": render("chilli.conf", values)}
