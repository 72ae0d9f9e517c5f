"""The Class that goes with every Accept and comes back in accounting: proof that we let this session in.

Layout (RFC 2865 section 5.25 leaves it to us): version 2, account id (16), acceptance id (16) and tag (32) in letters
and digits, so that a router can write it into a page: 65 octets. Version 1, which sessions of before an upgrade still
have, is binary: account id (16), nonce (8), tag (16). The tag covers the NAS, so that a leaked router secret charges
nobody who went online elsewhere.
"""

import hmac
from typing import Final, NamedTuple

from app.domain.keys import ID_LENGTH, base32, tag

NONCE_OCTETS: Final = 8
_VERSION: Final = b"2"
_SIGNED: Final = 1 + ID_LENGTH + 2 * NONCE_OCTETS
_LENGTH: Final = _SIGNED + 32
_BINARY: Final = b"\x01"
_BINARY_SIGNED: Final = 1 + ID_LENGTH + NONCE_OCTETS
_BINARY_LENGTH: Final = _BINARY_SIGNED + 16


class Acceptance(NamedTuple):
    """One Accept of ours. `id` is the same for every re-authentication of an open session."""

    id: str
    account_id: str


def new_acceptance_id(chance: bytes) -> str:
    """Turn `NONCE_OCTETS` random octets into an acceptance id."""
    assert len(chance) == NONCE_OCTETS
    return chance.hex()


def class_value(acceptance: Acceptance, *, key: bytes, nas_id: str) -> bytes:
    """Write an acceptance as Class for one NAS."""
    body = _VERSION + acceptance.account_id.encode() + acceptance.id.encode()
    return body + tag(key, body, nas_id.encode())[:16].hex().encode()


def read_class(value: bytes, *, key: bytes, nas_id: str) -> Acceptance | None:
    """Read a Class that this NAS sends back; None if we did not issue it to this NAS."""
    version = value[:1]
    if version == _VERSION and len(value) == _LENGTH:
        body, signature = value[:_SIGNED], value[_SIGNED:]
        expected = tag(key, body, nas_id.encode())[:16].hex().encode()
    elif version == _BINARY and len(value) == _BINARY_LENGTH:
        body, signature = value[:_BINARY_SIGNED], value[_BINARY_SIGNED:]
        expected = tag(key, body, nas_id.encode())[:16]
    else:
        return None
    if not hmac.compare_digest(signature, expected):
        return None
    account_id, acceptance_id = body[1 : 1 + ID_LENGTH].decode(), body[1 + ID_LENGTH :]
    return Acceptance(acceptance_id.decode() if version == _VERSION else acceptance_id.hex(), account_id)


def chargeable_identity(account_id: str, *, key: bytes, site_id: str) -> bytes:
    """Return what a network may know a person by (RFC 4372): the same at one site, and at no other.

    It says nothing to whoever has no key, so that networks cannot tell each other whom they have seen.
    """
    return base32(tag(key, account_id.encode(), site_id.encode())[:15]).encode()
