"""Which module speaks with which family: one dict for the portal, one for the configuration."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from app.config import Settings, is_loopback, is_wildcard
from app.domain.nases import Family, Nas, NasSecrets, Site
from app.nas import coovachilli, mikrotik, opennds, radius_only
from app.nas.handoff import Portal, PortalFamily

_PORTALS: Final[Mapping[Family, PortalFamily]] = {
    Family.MIKROTIK: mikrotik,
    Family.COOVACHILLI: coovachilli,
    Family.USPOT: coovachilli,
    Family.OPENNDS: opennds,
}

# Families that are not here have pages of their own to be filled in.
_CONFIGS: Final[Mapping[Family, Callable[[Nas, NasSecrets, Portal], Mapping[str, str]]]] = {
    Family.MIKROTIK: mikrotik.config,
    Family.COOVACHILLI: coovachilli.config,
    Family.OPENNDS: opennds.config,
    Family.HOSTAPD: radius_only.hostapd,
    Family.STRONGSWAN: radius_only.strongswan,
    Family.USPOT: radius_only.uspot,
}


def portal_family(family: Family) -> PortalFamily | None:
    """Return how a family's redirects are read and answered; None if it sends no phone to a splash page of ours."""
    return _PORTALS.get(family)


def config(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return the whole configuration of a NAS as paste-ready files by name."""
    return _CONFIGS.get(nas.family, radius_only.page)(nas, secrets, portal)


def portal_of(settings: Settings, site: Site | None = None, *, garden: tuple[str, ...] = ()) -> Portal:
    """Return where routers find us, from the settings: RADIUS listens where it says, else where the portal is.

    `garden` are the hosts of the public services.
    """
    host, auth_port = settings.radius_auth_listen[0]
    return Portal(
        url=settings.portal_url,
        radius_host=urlsplit(settings.portal_url).hostname or host if is_loopback(host) or is_wildcard(host) else host,
        auth_port=auth_port,
        acct_port=settings.radius_acct_listen[0][1],
        interim_seconds=site.interim_seconds if site is not None else 60,
        time_zone=settings.time_zone.key,
        garden=garden,
    )
