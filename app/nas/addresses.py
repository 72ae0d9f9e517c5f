"""Where a phone may be sent: what a redirect names, compared with what is registered for its NAS; no I/O."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from app.nas.handoff import VisitError, VisitProblem

_PRIVATE: Final = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
)
_LONGEST_HOST: Final = 253
_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.:")
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host (lower case, IPv6 without brackets) and its port; None where none was said."""

    host: str
    port: int | None = None

    @property
    def authority(self) -> str:
        """Return it as it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_address(text: str) -> Address | None:
    """Read HOST, HOST:PORT or [V6]:PORT; None if it is anything else."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None or parts.netloc != text or "@" in text or len(host) > _LONGEST_HOST or set(host) - _HOST_CHARACTERS:
        return None
    return None if text.endswith(":") or port == 0 else Address(host, port)


def is_ip(host: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def parse_port(text: str) -> int | None:
    """Read a port number; None if it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5) or not 0 < int(text) <= _HIGHEST_PORT:
        return None
    return int(text)


def check_target(target: Address, registered: str | None, *, proven: bool, parameter: str) -> Address:
    """Return `target` if phones of this NAS may be sent there; raise VisitError.

    A registered host without a port stands for every port of that host, which is the NAS itself. Where nothing is
    registered, an address is believed if the redirect was `proven` (signature, encryption), or if it is a private
    literal, which leads nowhere outside the phone's own network.
    """
    if registered is None:
        if proven or _is_private(target.host):
            return target
        raise VisitError(VisitProblem.NO_LOGIN_ADDRESS, parameter)
    known = parse_address(registered)
    if known is None or known.host != target.host or (known.port is not None and known.port != target.port):
        raise VisitError(VisitProblem.FOREIGN_ADDRESS, parameter)
    return target


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)
