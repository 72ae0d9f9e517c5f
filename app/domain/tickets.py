"""The one-time secret that the portal hands a phone for the router, checked by a node without a lookup.

Name: `<account id>~<kind><expiry><nonce><version>`: 1 + 7 + 8 + 1..  characters of base32 behind the `~`, at most
63 octets and without `@`, so that no router splits or cuts it. Password: a keyed hash of the name and of the binding
(the MAC, or the address where a family does not repeat the MAC), with a key derived for that NAS alone, so that a
stolen edge mints nothing elsewhere. It is plain ASCII and works by PAP, CHAP and MS-CHAP alike.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from app.domain.keys import ID_LENGTH, base32, base32_number, is_id, read_base32_number, tag

LIFE_SECONDS: Final = 120
_EXPIRY: Final = 7  # 35 bits of seconds since 1970
_NONCE: Final = 8  # 40 bits
NONCE_OCTETS: Final = _NONCE * 5 // 8
_PASSWORD: Final = 26  # 130 bits


class TicketKind(StrEnum):
    """How the person was checked at the portal."""

    FREE = "f"
    VOUCHER = "v"
    PASSWORD = "p"  # noqa: S105 a kind, no password


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the router gets as user name and password."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class TicketName:
    """What a ticket's name says; nothing of it is proven before the password matches."""

    account_id: str
    kind: TicketKind
    expires_at: datetime
    nonce: str
    account_version: int


def issue(ticket: TicketName, *, key: bytes, binding: str) -> Ticket:
    """Make the ticket for one device at the NAS whose ticket key is `key`."""
    expiry = base32_number(int(ticket.expires_at.timestamp()), _EXPIRY)
    name = f"{ticket.account_id}~{ticket.kind}{expiry}{ticket.nonce}{base32_number(ticket.account_version)}"
    assert len(name) <= 63
    return Ticket(name, password_of(name, key=key, binding=binding))


def new_nonce(chance: bytes) -> str:
    """Turn `NONCE_OCTETS` random octets into a nonce."""
    assert len(chance) == NONCE_OCTETS
    return base32(chance)


def nonce_beside(acceptance_id: str) -> str:
    """Return the nonce of the ticket of the login that drew an acceptance id: its first octets."""
    return new_nonce(bytes.fromhex(acceptance_id)[:NONCE_OCTETS])


def password_of(name: str, *, key: bytes, binding: str) -> str:
    """Return the only password that opens the ticket `name` for `binding`."""
    return base32(tag(key, name.encode(), binding.encode()))[:_PASSWORD]


def read_name(name: str) -> TicketName | None:
    """Read a user name as a ticket; None if it has not the form of one."""
    account_id, tilde, rest = name.partition("~")
    if not tilde or not is_id(account_id) or len(rest) < 1 + _EXPIRY + _NONCE + 1 or len(name) > 63:
        return None
    expiry = read_base32_number(rest[1 : 1 + _EXPIRY])
    version = read_base32_number(rest[1 + _EXPIRY + _NONCE :])
    nonce = rest[1 + _EXPIRY : 1 + _EXPIRY + _NONCE]
    if rest[0] not in _KINDS or expiry is None or version is None or read_base32_number(nonce) is None:
        return None
    return TicketName(account_id, TicketKind(rest[0]), datetime.fromtimestamp(expiry, UTC), nonce, version)


_KINDS: Final = frozenset(kind.value for kind in TicketKind)


def account_id_in(user_name: str) -> str | None:
    """Return the account id that a router's User-Name carries: a ticket's name or a bare id."""
    account_id = user_name.partition("~")[0]
    return account_id if len(account_id) == ID_LENGTH and is_id(account_id) else None
