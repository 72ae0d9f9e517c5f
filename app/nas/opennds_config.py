"""openNDS's configuration for one NAS: 9 on Debian, 9 and 10 on OpenWrt, and the scripts that talk to the portal."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from app.domain.nases import Nas, NasSecrets
from app.nas.addresses import is_ip
from app.nas.handoff import Portal
from app.nas.rendering import render


def config(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return every file; the FAS level follows from the portal's scheme: 2 over http, 3 over https.

    Level 4 of openNDS 10 is read too, but not advised: nothing proves there which phone it is.
    """
    page = portal.page(nas)
    parts = urlsplit(page)
    https = parts.scheme == "https"
    values = {
        "nas": nas,
        "secrets": secrets,
        "page": page,
        "level": "3" if https else "2",
        "host": parts.hostname or "",
        "host_is_ip": is_ip(parts.hostname or ""),
        "port": parts.port or (443 if https else 80),
        "path": parts.path,
        "garden": [host for host in portal.garden if not is_ip(host)],
        "garden_addresses": [host for host in portal.garden if is_ip(host)],
    }
    nine, ten = {**values, "version": "9"}, {**values, "version": "10"}
    return {
        "opennds.conf": render("opennds.conf", nine),
        "openwrt-opennds9.uci": render("opennds.uci", nine),
        "openwrt-opennds10.uci": render("opennds.uci", ten),
        "pesisir-binauth.sh": render("opennds-binauth.sh", values),
    }
