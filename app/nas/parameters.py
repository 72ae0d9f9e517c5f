"""Reading what a phone carries from its router: every value length-capped and typed, or VisitError."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from app.domain.devices import is_device, parse_mac
from app.nas.handoff import VisitError, VisitProblem

LONGEST: Final = 2_048  # octets of one value; the whole of openNDS's `fas` is below it
_LONGEST_MESSAGE: Final = 200
_LAST_CONTROL: Final = 0x1F
_DELETE: Final = 0x7F


def text_of(query: Mapping[str, str], name: str, *, longest: int = LONGEST) -> str:
    """Return a value, "" if it is absent; raise VisitError if it is too long."""
    value = query.get(name, "")
    if len(value) > longest:
        raise VisitError(VisitProblem.MALFORMED, name)
    return value


def mac_of(query: Mapping[str, str], name: str) -> str | None:
    """Return a device's MAC in our spelling, None if it is absent; raise VisitError if it is something else."""
    value = text_of(query, name)
    if not value:
        return None
    mac = parse_mac(value)
    if mac is None or not is_device(mac):
        raise VisitError(VisitProblem.MALFORMED, name)
    return mac


def ip_of(query: Mapping[str, str], name: str) -> str | None:
    """Return an IP address in its usual spelling, None if it is absent; raise VisitError if it is something else."""
    value = text_of(query, name)
    if not value:
        return None
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise VisitError(VisitProblem.MALFORMED, name) from error


def web_address_of(query: Mapping[str, str], name: str) -> str | None:
    """Return an http or https URL to be shown; None if it is absent or anything else, which harms no login."""
    value = query.get(name, "")
    if not 0 < len(value) <= LONGEST or _has_controls(value):
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 reading it is the check
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.hostname else None


def message_of(query: Mapping[str, str], name: str) -> str | None:
    """Return a short text without control characters, None if it is absent or empty."""
    value = "".join(c for c in query.get(name, "")[:_LONGEST_MESSAGE] if not _has_controls(c)).strip()
    return value or None


def _has_controls(text: str) -> bool:
    return any(ord(c) <= _LAST_CONTROL or ord(c) == _DELETE for c in text)
