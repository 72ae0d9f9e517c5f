"""How a value of each type is written and read: the types of RFC 8044, and what people are shown. No I/O here.

A reader returns None where the octets are no value of its type (RFC 6929 section 2.8).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final

from radius.dictionary import Definition, Kind
from radius.errors import EncodeError

Value = str | bytes | int | IPv4Address | IPv6Address | IPv6Network | datetime

_LARGEST_TAG: Final = 0x1F  # RFC 2868 section 3.1


def encode(definition: Definition, value: Value) -> bytes:
    """Write a value as an attribute has it; raise EncodeError where its type does not fit."""
    try:
        if definition.kind is Kind.INTEGER and type(value) is int and not definition.tagged:
            return value.to_bytes(4)  # nearly all that a reply is made of
        return _ENCODERS[definition.kind](definition, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise EncodeError(f"{definition.name}: {type(value).__name__} does not fit {definition.kind}") from error


def _encode_octets(definition: Definition, value: Value) -> bytes:
    if isinstance(value, str) and definition.kind is Kind.TEXT:
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError


def _encode_integer(definition: Definition, value: Value) -> bytes:
    if isinstance(value, int):
        # A tag of zero means "none"; it takes the first octet (RFC 2868 section 3.1).
        return (b"\0" + value.to_bytes(3)) if definition.tagged else value.to_bytes(4)
    if isinstance(value, str) and value in definition.values:
        return _encode_integer(definition, definition.values[value])
    raise TypeError


def _encode_time(_: Definition, value: Value) -> bytes:
    if isinstance(value, datetime):
        return int(value.timestamp()).to_bytes(4)
    if isinstance(value, int):
        return value.to_bytes(4)
    raise TypeError


def _encode_ipv4(_: Definition, value: Value) -> bytes:
    if isinstance(value, IPv4Address | str):
        return IPv4Address(value).packed
    raise TypeError


def _encode_ipv6(_: Definition, value: Value) -> bytes:
    if isinstance(value, IPv6Address | str):
        return IPv6Address(value).packed
    raise TypeError


def _encode_prefix(_: Definition, value: Value) -> bytes:
    if isinstance(value, IPv6Network | str):
        network = IPv6Network(value)
        return bytes((0, network.prefixlen)) + network.network_address.packed[: (network.prefixlen + 7) // 8]
    raise TypeError


def _encode_interface_id(_: Definition, value: Value) -> bytes:
    if isinstance(value, bytes) and len(value) == 8:
        return value
    raise TypeError


_ENCODERS: Final[dict[Kind, Callable[[Definition, Value], bytes]]] = {
    Kind.TEXT: _encode_octets,
    Kind.OCTETS: _encode_octets,
    Kind.INTEGER: _encode_integer,
    Kind.TIME: _encode_time,
    Kind.IPV4: _encode_ipv4,
    Kind.IPV6: _encode_ipv6,
    Kind.IPV6_PREFIX: _encode_prefix,
    Kind.INTERFACE_ID: _encode_interface_id,
}


def as_octets(raw: bytes) -> bytes:
    """Read anything."""
    return raw


def as_text(raw: bytes) -> str | None:
    """Read UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def as_tagged_text(raw: bytes) -> str | None:
    """Read UTF-8 behind a tag, if there is one (RFC 2868 section 3.3)."""
    return as_text(raw[1:] if raw and raw[0] <= _LARGEST_TAG else raw)


def as_integer(raw: bytes) -> int | None:
    """Read four octets, unsigned."""
    return int.from_bytes(raw) if len(raw) == 4 else None


def as_tagged_integer(raw: bytes) -> int | None:
    """Read the three octets behind a tag (RFC 2868 section 3.1)."""
    return int.from_bytes(raw[1:]) if len(raw) == 4 and raw[0] <= _LARGEST_TAG else None


def as_time(raw: bytes) -> datetime | None:
    """Read unsigned seconds since 1970, so valid until 2106 (RFC 8044 section 3.3)."""
    return datetime.fromtimestamp(int.from_bytes(raw), UTC) if len(raw) == 4 else None


def as_ipv4(raw: bytes) -> IPv4Address | None:
    """Read four octets."""
    return IPv4Address(raw) if len(raw) == 4 else None


def as_ipv6(raw: bytes) -> IPv6Address | None:
    """Read sixteen octets."""
    return IPv6Address(raw) if len(raw) == 16 else None


def as_prefix(raw: bytes) -> IPv6Network | None:
    """Read an IPv6 prefix; short forms are completed and host bits cleared (RFC 3162 section 2.3)."""
    if not 2 <= len(raw) <= 18 or raw[1] > 128 or len(raw) - 2 < (raw[1] + 7) // 8:
        return None
    return IPv6Network((raw[2:].ljust(16, b"\0"), raw[1]), strict=False)


def as_mac(raw: bytes) -> str | None:
    """Read the hardware address that a text begins with."""
    text = as_text(raw)
    return None if text is None else parse_mac(text)


# Twelve hexadecimal digits with one optional separator between any two of them, then the end or what is no digit
# (`MAC:SSID`, RFC 3580 section 3.20; hostapd leaves the SSID empty on a wire).
_MAC = re.compile(r"([0-9A-Fa-f][-:. ]?){11}[0-9A-Fa-f](?![0-9A-Fa-f])")


def parse_mac(text: str) -> str | None:
    """Return the hardware address at the beginning of `text` as `02:aa:00:00:00:01`; None if there is none.

    Any separator, any case, and a network name behind it are accepted; `10.99.10.194[4500]` is no such address.
    """
    found = _MAC.match(text.strip())
    if found is None:
        return None
    digits = re.sub(r"[^0-9a-f]", "", found.group().lower())
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def shown(definition: Definition | None, raw: bytes) -> str:
    """Return a value for people, a secret masked; octets where nothing else is known."""
    if definition is not None and definition.secret:
        return "***"
    value = None if definition is None else _READERS.get(definition.kind, as_octets)(raw)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int) and definition is not None:
        return next((word for word, number in definition.values.items() if number == value), str(value))
    return "0x" + raw.hex() if value is None or isinstance(value, bytes) else str(value)


_READERS: Final[dict[Kind, Callable[[bytes], object]]] = {
    Kind.TEXT: as_text,
    Kind.INTEGER: as_integer,
    Kind.TIME: as_time,
    Kind.IPV4: as_ipv4,
    Kind.IPV6: as_ipv6,
    Kind.IPV6_PREFIX: as_prefix,
}
