"""The Class that goes with every Accept and comes back in accounting: proof that we let this session in.

Layout (RFC 2865 section 5.25 leaves it to us): version 1, account id (16 octets), nonce (8), tag (16): 41 octets.
The tag covers the NAS, so that a leaked router secret charges nobody who went online elsewhere.
"""

import hmac
from typing import Final, NamedTuple

from app.domain.keys import ID_LENGTH, base32, tag

NONCE_OCTETS: Final = 8
_VERSION: Final = b"\x01"
_SIGNED: Final = 1 + ID_LENGTH + NONCE_OCTETS
_LENGTH: Final = _SIGNED + 16


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
    body = _VERSION + acceptance.account_id.encode() + bytes.fromhex(acceptance.id)
    return body + tag(key, body, nas_id.encode())[:16]


def read_class(value: bytes, *, key: bytes, nas_id: str) -> Acceptance | None:
    """Read a Class that this NAS sends back; None if we did not issue it to this NAS."""
    if len(value) != _LENGTH or value[:1] != _VERSION:
        return None
    body, signature = value[:_SIGNED], value[_SIGNED:]
    if not hmac.compare_digest(signature, tag(key, body, nas_id.encode())[:16]):
        return None
    return Acceptance(body[1 + ID_LENGTH :].hex(), body[1 : 1 + ID_LENGTH].decode())


def chargeable_identity(account_id: str, *, key: bytes, site_id: str) -> bytes:
    """Return what a network may know a person by (RFC 4372): the same at one site, and at no other.

    It says nothing to whoever has no key, so that networks cannot tell each other whom they have seen.
    """
    return base32(tag(key, account_id.encode(), site_id.encode())[:15]).encode()
