"""The RouterOS script for one NAS, with every page of the hotspot folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_interface
from typing import Final
from urllib.parse import urlsplit

from app.domain.nases import Nas, NasSecrets
from app.nas.addresses import is_ip, parse_address
from app.nas.handoff import Portal
from app.nas.rendering import render, routeros

_GATEWAY: Final = "10.5.50.1"
_CLOCKS: Final = ("time.android.com", "time.apple.com", "time.windows.com")

_REDIRECT: Final = (
    '$(if http-status == 302)Hotspot$(endif)\n$(if http-header == "Location")@URL@$(endif)\n'
    "<!doctype html><html><head>"
    '<meta http-equiv="refresh" content="0; url=@URL@"><meta http-equiv="pragma" content="no-cache">'
    '</head><body><p><a href="@URL@">Lanjutkan / Continue</a></p></body></html>\n'
)
_LOGIN: Final = (
    "?page=login&mac=$(mac-esc)&ip=$(ip)&link-login-only=$(link-login-only)&link-orig=$(link-orig-esc)"
    "$(if chap-id)&chap-id=$(chap-id)&chap-challenge=$(chap-challenge)$(endif)$(if error)&error=$(error)$(endif)"
)
_OTHER: Final = "&mac=$(mac-esc)&ip=$(ip)&link-login-only=$(link-login-only)"
_STATUS: Final = f"?page=status{_OTHER}&class=$(radius25)"  # Class, as the Accept had it: which session this is
_API: Final = (
    '{\n"captive": $(if logged-in == \'yes\')false$(else)true$(endif),\n"user-portal-url": "@PAGE@",\n'
    '$(if session-timeout-secs != 0)"seconds-remaining": $(session-timeout-secs),\n$(endif)'
    '$(if remain-bytes-total)"bytes-remaining": $(remain-bytes-total),\n$(endif)"can-extend-session": false\n}\n'
)


@dataclass(frozen=True, slots=True)
class _Host:
    """One host that phones reach before the login."""

    match: str
    ports: str


def config(nas: Nas, secrets: NasSecrets, portal: Portal) -> Mapping[str, str]:
    """Return pesisir.rsc."""
    login = parse_address(nas.login_address or "")
    gateway = login.host if login is not None and _is_ipv4(login.host) else _GATEWAY
    network = ip_interface(f"{gateway}/24").network
    values = {
        "nas": nas,
        "secrets": secrets,
        "portal": portal,
        "identifier": nas.identifier or nas.name,
        "gateway": gateway,
        "network": str(network),
        "pool": f"{network[10]}-{network[-2]}",
        "dns_name": "" if login is None or _is_ipv4(login.host) else login.host,
        "radius_address": _radius_address(portal.radius_host),
        "hosts": list(_hosts(portal)),
        "clocks": _CLOCKS,
        "pages": list(pages(portal.page(nas)).items()),
    }
    return {"pesisir.rsc": render("mikrotik.rsc", values)}


def pages(page: str) -> Mapping[str, str]:
    """Return the files of the hotspot folder; `page` is the URL of the splash page."""
    return {
        "login.html": _REDIRECT.replace("@URL@", page + _LOGIN),
        "redirect.html": _REDIRECT.replace("@URL@", "$(link-redirect)"),
        "rlogin.html": _REDIRECT.replace("@URL@", "$(link-redirect)"),
        "alogin.html": _REDIRECT.replace("@URL@", "$(link-redirect)"),
        "radvert.html": _REDIRECT.replace("@URL@", "$(link-orig)"),
        "status.html": _REDIRECT.replace("@URL@", page + _STATUS),
        "rstatus.html": _REDIRECT.replace("@URL@", page + _STATUS),
        "logout.html": _REDIRECT.replace("@URL@", f"{page}?page=logout{_OTHER}"),
        "error.html": _REDIRECT.replace("@URL@", f"{page}?page=login{_OTHER}&error=$(error)"),
        "api.json": _API.replace("@PAGE@", page),
    }


def _hosts(portal: Portal) -> Iterator[_Host]:
    parts = urlsplit(portal.url)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    yield _Host(_match(parts.hostname or ""), str(port))
    for host in portal.garden:
        yield _Host(_match(host), "80,443")


def _match(host: str) -> str:
    return f"dst-address={host}" if _is_ipv4(host) else f"dst-host={routeros(host)}"


def _radius_address(host: str) -> str:
    """Return the address of /radius, which takes no names before RouterOS has looked them up."""
    return host if is_ip(host) else f"[:resolve {routeros(host)}]"


def _is_ipv4(host: str) -> bool:
    return is_ip(host) and isinstance(ip_address(host), IPv4Address)
