"""Whether routers and phones can reach the addresses that the settings name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.config import Address, Settings, is_loopback, is_wildcard, written_address

if TYPE_CHECKING:
    from app.domain.nases import Nas

SET_THEM: Final = (
    "PESISIR_PORTAL_URL is the URL at which phones reach this machine; "
    "PESISIR_HTTP_LISTEN, PESISIR_RADIUS_AUTH_LISTEN and PESISIR_RADIUS_ACCT_LISTEN are where it listens, "
    "such as 0.0.0.0:8080, 0.0.0.0:1812 and 0.0.0.0:1813; behind a proxy name it in PESISIR_TRUSTED_PROXIES"
)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A setting that names an address which is of no use to anybody outside, and that address."""

    variable: str
    value: str

    def __str__(self) -> str:
        """Write it as it would be set."""
        return f"{self.variable} is {self.value}"


def is_elsewhere(nas: "Nas") -> bool:
    """Tell whether the NAS is another machine than this one."""
    return not nas.address.is_loopback


def unreachable(settings: Settings, *, portal: bool = True) -> Iterator[Unreachable]:
    """Yield the settings with which no other machine reaches us; without `portal`, those that RADIUS needs."""
    wildcard = any(is_wildcard(host) for host, _ in settings.radius_auth_listen)
    host = urlsplit(settings.portal_url).hostname or ""
    if (portal or wildcard) and (is_loopback(host) or is_wildcard(host)):
        yield Unreachable("PESISIR_PORTAL_URL", settings.portal_url)
    if portal and not settings.trusted_proxies and _only_here(settings.http_listen):
        yield Unreachable("PESISIR_HTTP_LISTEN", _written(settings.http_listen))
    for variable, listen in (
        ("PESISIR_RADIUS_AUTH_LISTEN", settings.radius_auth_listen),
        ("PESISIR_RADIUS_ACCT_LISTEN", settings.radius_acct_listen),
    ):
        if _only_here(listen):
            yield Unreachable(variable, _written(listen))


def _only_here(listen: tuple[Address, ...]) -> bool:
    return all(is_loopback(host) for host, _ in listen)


def _written(listen: tuple[Address, ...]) -> str:
    return ",".join(map(written_address, listen))
