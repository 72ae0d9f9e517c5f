"""Keys derived from the one secret key, each for one purpose, so that a stolen one opens nothing else."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import Final

Chance = Callable[[int], bytes]
"""Gives so many random octets: `os.urandom`, or a test's own."""

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
ID_LENGTH: Final = 16  # characters of base32: 80 bits


def derive(master: bytes, *purpose: str) -> bytes:
    """Return 32 octets for a purpose such as ("ticket", nas_id)."""
    return hmac.digest(master, "\x1f".join(purpose).encode(), "sha256")


def tag(key: bytes, *parts: bytes) -> bytes:
    """Return a 32-octet keyed hash (RFC 7693, BLAKE2b) over parts whose boundaries cannot be moved."""
    hashed = _keyed(key).copy()
    hashed.update(b"".join([len(part).to_bytes(4, "big") + part for part in parts]))
    return hashed.digest()


@lru_cache(maxsize=16384)
def _keyed(key: bytes) -> hashlib.blake2b:
    """Return the hash with the key taken in: it costs as much as a message, and is copied for each."""
    return hashlib.blake2b(key=key, digest_size=32)


def base32(data: bytes) -> str:
    """Write octets as lower-case base32 without padding."""
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def base32_number(value: int, width: int = 1) -> str:
    """Write a number in base32 digits, at least `width` of them."""
    digits = ""
    while value or len(digits) < width:
        digits = _ALPHABET[value & 31] + digits
        value >>= 5
    return digits


def read_base32_number(digits: str) -> int | None:
    """Read what `base32_number` wrote; None if a character is foreign."""
    value = 0
    for digit in digits:
        index = _ALPHABET.find(digit)
        if index < 0:
            return None
        value = value << 5 | index
    return value


def new_id(chance: bytes) -> str:
    """Turn 10 random octets into an id as shown outside."""
    assert len(chance) == ID_LENGTH * 5 // 8
    return base32(chance)


def draw_id(chance: Chance) -> str:
    """Return a new id."""
    return new_id(chance(ID_LENGTH * 5 // 8))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id."""
    return len(text) == ID_LENGTH and not set(text) - set(_ALPHABET)
