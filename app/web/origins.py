"""Which pages may post to us (CSRF), and which addresses are our own: compared with the settings, never with Host."""

from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}
Origin = tuple[str, str, int]


def read_origin(url: str) -> Origin | None:
    """Return scheme, host and port of a URL or of an Origin header; None if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in _PORTS or not host:
        return None
    return parts.scheme, host, port or _PORTS[parts.scheme]


def is_foreign_post(origin: str | None, referer: str | None, *, own_url: str) -> bool:
    """Tell whether a form post comes from a page that is not ours.

    Old web views send neither header; then the form's sealed token alone has to do. `null` is foreign: our pages send
    Referrer-Policy same-origin, so none of ours causes it.
    """
    said = origin if origin is not None else referer
    return said is not None and read_origin(said) != read_origin(own_url)


def is_own_host(host: str | None, *, own_url: str) -> bool:
    """Tell whether a Host header names us."""
    own = read_origin(own_url)
    return own is not None and read_origin(f"{own[0]}://{host or ''}") == own
