"""A device is a MAC address, in one spelling: `02:aa:00:00:00:01`."""

import re
from functools import lru_cache
from typing import Final

_SEPARATORS: Final = re.compile(r"[-:. ]")
_USUAL: Final = frozenset({"-----", ":::::"})
_HEX: Final = re.compile(r"[0-9a-fA-F]{12}\Z")
_CALLED: Final = re.compile(r"((?:[0-9a-fA-F]{2}[-:. ]?){5}[0-9a-fA-F]{2})(?::.*)?\Z", re.DOTALL)


def parse_mac(text: str) -> str | None:
    """Return the MAC in our spelling; None if `text` is not 12 hex digits with any usual separators."""
    if not 12 <= len(text) <= 64:  # most user names are told apart from a MAC by this alone
        return None
    digits = _SEPARATORS.sub("", text.strip())
    if _HEX.match(digits) is None:
        return None
    return bytes.fromhex(digits).hex(":")


def reads_as_mac(name: str) -> bool:
    """Tell whether a login name is read as the MAC of a device that comes back by itself: no person can have it.

    Twelve decimal digits are a mobile number, which people do have.
    """
    return not name.isdecimal() and parse_mac(name) is not None


def parse_station_id(text: str) -> str | None:
    """Return the MAC in a Calling- or Called-Station-Id, which may have `:SSID` behind it (RFC 3580 section 3.20).

    None where the family puts something else there: strongSwan sends `10.99.10.194[4500]`.
    """
    if len(text) == 17 and text[2::3] in _USUAL:  # nearly all there are; the rest takes four times as long
        return _plain(text)
    return _odd_station_id(text)


def _plain(text: str) -> str | None:
    try:
        mac = bytes.fromhex(text.replace(text[2], "")).hex(":")
    except ValueError:
        return None
    return mac if len(mac) == len(text) else None  # spaces between digits are passed over


@lru_cache(maxsize=4096)
def _odd_station_id(text: str) -> str | None:
    match = _CALLED.match(text.strip())
    return None if match is None else parse_mac(match[1])


def is_device(mac: str) -> bool:
    """Tell whether a device can have the MAC: it is not nothing, and no group address (IEEE 802-2014 section 8.2.2)."""
    return mac != "00:00:00:00:00:00" and not int(mac[:2], 16) & 0x01
