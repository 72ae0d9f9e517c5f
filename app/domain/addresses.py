"""What a router says of a session's IPv6 (RFC 3162, 4818, 6911): of each kind the latest word counts."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class AddressKind(StrEnum):
    """The attribute, by the name that it has for people, in JSON and as a column."""

    FRAMED_IPV6_ADDRESS = "framed_ipv6_address"
    FRAMED_IPV6_PREFIX = "framed_ipv6_prefix"
    FRAMED_INTERFACE_ID = "framed_interface_id"
    DELEGATED_IPV6_PREFIX = "delegated_ipv6_prefix"
    NAS_IPV6_ADDRESS = "nas_ipv6_address"


class Address(NamedTuple):
    """One value and when it was said."""

    kind: AddressKind
    at: datetime
    value: str


def addresses_said(at: datetime, values: Iterable[tuple[AddressKind, str]]) -> tuple[Address, ...]:
    """Return what one report says."""
    return tuple(Address(kind, at, value) for kind, value in sorted(values))


def join_addresses(left: tuple[Address, ...], right: tuple[Address, ...]) -> tuple[Address, ...]:
    """Return the latest of each kind."""
    if not left or not right:
        return left or right
    latest: dict[AddressKind, Address] = {}
    for address in (*left, *right):
        latest[address.kind] = max(address, latest.get(address.kind, address))
    return tuple(latest[kind] for kind in sorted(latest))
