"""What shared secrets are used for: authenticators, Message-Authenticator, what is hidden. No I/O, no chance.

RFC 2865 sections 3 and 5.2, RFC 2866 section 3, RFC 3579 section 3.2, RFC 5176 section 2.3. Every comparison is in
constant time.
"""

from functools import lru_cache
from hashlib import md5
from hmac import compare_digest
from typing import Final

from radius.packet import header

AUTHENTICATOR_LENGTH: Final = 16
ZEROS: Final = bytes(AUTHENTICATOR_LENGTH)
_MESSAGE_AUTHENTICATOR_HEADER: Final = bytes((80, 18))
_BLOCK_LENGTH: Final = 64  # of MD5, for HMAC (RFC 2104 section 2)
_LONGEST_PASSWORD: Final = 128  # RFC 2865 section 5.2


class SharedSecret:
    """One shared secret, with its HMAC key schedule prepared: half the time of `hmac.digest` per packet."""

    __slots__ = ("_inner", "_outer", "octets")

    def __init__(self, octets: bytes) -> None:
        if not octets:
            raise ValueError("an empty shared secret protects nothing")
        key = (octets if len(octets) <= _BLOCK_LENGTH else md5(octets).digest()).ljust(_BLOCK_LENGTH, b"\0")
        self.octets = octets
        self._inner = md5(bytes(octet ^ 0x36 for octet in key))
        self._outer = md5(bytes(octet ^ 0x5C for octet in key))

    def __repr__(self) -> str:
        return "SharedSecret(***)"

    def hmac_md5(self, message: bytes) -> bytes:
        """Return HMAC-MD5 of the message (RFC 2104)."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(maxsize=8192)
def prepared(octets: bytes) -> SharedSecret:
    """Return the secret prepared; the same one for the same octets while it is in use."""
    return SharedSecret(octets)


# Requests


def accounting_authenticator(secret: SharedSecret, packet: bytes) -> bytes:
    """Return the Request Authenticator of Accounting-, CoA- and Disconnect-Requests (RFC 2866 section 3)."""
    return md5(packet[:4] + ZEROS + packet[20:] + secret.octets).digest()


def verify_accounting(secret: SharedSecret, packet: bytes) -> bool:
    """Tell whether the Request Authenticator of such a packet was made with this secret."""
    return compare_digest(accounting_authenticator(secret, packet), packet[4:20])


def message_authenticator(secret: SharedSecret, packet: bytes, at: int, authenticator: bytes | None = None) -> bytes:
    """Return what the 16 octets at offset `at` should be (RFC 3579 section 3.2).

    `authenticator` is used in place of the packet's own: the request's for a reply, zeros (`ZEROS`) for Accounting-,
    CoA- and Disconnect-Requests (RFC 5176 section 2.3).
    """
    if authenticator is None:
        return secret.hmac_md5(packet[:at] + ZEROS + packet[at + AUTHENTICATOR_LENGTH :])
    before = packet[:4] + authenticator + packet[20:at]
    return secret.hmac_md5(before + ZEROS + packet[at + AUTHENTICATOR_LENGTH :])


def verify_message(secret: SharedSecret, packet: bytes, at: int, authenticator: bytes | None = None) -> bool:
    """Tell whether the Message-Authenticator at offset `at` was made with this secret."""
    return compare_digest(message_authenticator(secret, packet, at, authenticator), packet[at : at + 16])


def sign_access_request(secret: SharedSecret, code: int, identifier: int, authenticator: bytes, body: bytes) -> bytes:
    """Return an Access-Request or Status-Server with Message-Authenticator before `body`."""
    start = header(code, identifier, len(body) + 18) + authenticator + _MESSAGE_AUTHENTICATOR_HEADER
    return start + secret.hmac_md5(start + ZEROS + body) + body


def sign_accounting_request(secret: SharedSecret, code: int, identifier: int, body: bytes, *, message: bool) -> bytes:
    """Return an Accounting-, CoA- or Disconnect-Request, with Message-Authenticator first where `message` is true."""
    start = header(code, identifier, len(body) + (18 if message else 0))
    if message:
        signature = secret.hmac_md5(start + ZEROS + _MESSAGE_AUTHENTICATOR_HEADER + ZEROS + body)
        body = _MESSAGE_AUTHENTICATOR_HEADER + signature + body
    return start + md5(start + ZEROS + body + secret.octets).digest() + body


# Replies


def sign_reply(secret: SharedSecret, code: int, identifier: int, authenticator: bytes, body: bytes) -> bytes:
    """Return a reply with Message-Authenticator first, where no forger can reach past it (CVE-2024-3596)."""
    start = header(code, identifier, len(body) + 18)
    signature = secret.hmac_md5(start + authenticator + _MESSAGE_AUTHENTICATOR_HEADER + ZEROS + body)
    body = _MESSAGE_AUTHENTICATOR_HEADER + signature + body
    return start + md5(start + authenticator + body + secret.octets).digest() + body


def sign_bare_reply(secret: SharedSecret, code: int, identifier: int, authenticator: bytes, body: bytes) -> bytes:
    """Return a reply without Message-Authenticator: Accounting-Response (RFC 2866 section 4.2)."""
    start = header(code, identifier, len(body))
    return start + md5(start + authenticator + body + secret.octets).digest() + body


def verify_reply(secret: SharedSecret, packet: bytes, authenticator: bytes) -> bool:
    """Tell whether the Response Authenticator fits the request's `authenticator` (RFC 2865 section 3)."""
    expected = md5(packet[:4] + authenticator + packet[20:] + secret.octets).digest()
    return compare_digest(expected, packet[4:20])


# Passwords


def hide_password(secret: SharedSecret, authenticator: bytes, password: bytes) -> bytes:
    """Return User-Password as it travels (RFC 2865 section 5.2); ValueError beyond 128 octets."""
    if len(password) > _LONGEST_PASSWORD:
        raise ValueError(len(password))
    return _hidden(secret, authenticator, password or b"\0")


def hide_key(secret: SharedSecret, authenticator: bytes, salt: bytes, key: bytes) -> bytes:
    """Return a session key as it travels in an Access-Accept, its salt before it (RFC 2548 section 2.4.2).

    The first bit of the two octets of salt must be set, and no two attributes of a packet may share them.
    """
    assert len(salt) == 2
    assert salt[0] & 0x80
    return salt + _hidden(secret, authenticator + salt, bytes((len(key),)) + key)


def reveal_password(secret: SharedSecret, authenticator: bytes, hidden: bytes) -> bytes | None:
    """Return the password without its padding; None if `hidden` is not 16 to 128 octets in steps of 16.

    Only NULs at the end are padding. With a wrong secret the result is noise: nothing in PAP tells.
    """
    if not 16 <= len(hidden) <= _LONGEST_PASSWORD or len(hidden) % 16:
        return None
    stream = md5(secret.octets + authenticator).digest()
    for at in range(16, len(hidden), 16):
        stream += md5(secret.octets + hidden[at - 16 : at]).digest()
    return _xor(stream, hidden).rstrip(b"\0")


def _hidden(secret: SharedSecret, start: bytes, clear: bytes) -> bytes:
    """Hide octets under a stream that begins with `start`, padded with NULs to steps of 16."""
    padded = clear.ljust((len(clear) + 15) // 16 * 16, b"\0")
    hidden = b""
    last = start
    for at in range(0, len(padded), 16):
        last = _xor(md5(secret.octets + last).digest(), padded[at : at + 16])
        hidden += last
    return hidden


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))
