"""Requests written octet by octet, right and wrong, where a router's would be: the library is asked for MS-CHAP only."""

import hmac
from collections.abc import Callable
from hashlib import md5
from random import Random
from typing import Final

from radius.credentials import MsChapV2Response
from radius.mschap import nt_hash, nt_response

SECRET: Final = b"a-shared-secret-of-gusung"
MICROSOFT: Final = 311
_MESSAGE_AUTHENTICATOR: Final = 80
_ZEROS: Final = bytes(16)

Part = bytes | Callable[[bytes], bytes]  # an attribute, or how to make it once the Request Authenticator is known


def attribute(number: int, value: bytes) -> bytes:
    """Write one attribute of the standard space."""
    return bytes((number, len(value) + 2)) + value


def text(number: int, value: str) -> bytes:
    """Write one attribute of text."""
    return attribute(number, value.encode())


def vendor(enterprise: int, *pairs: tuple[int, bytes]) -> bytes:
    """Write one Vendor-Specific with all pairs inside."""
    return attribute(26, enterprise.to_bytes(4) + b"".join(attribute(number, value) for number, value in pairs))


def name(user_name: str) -> bytes:
    """Write User-Name."""
    return text(1, user_name)


def pap(password: str | bytes, *, secret: bytes = SECRET) -> Part:
    """Hide a password as RFC 2865 section 5.2 says."""
    clear = password.encode() if isinstance(password, str) else password

    def hide(authenticator: bytes) -> bytes:
        padded = clear + bytes(-len(clear) % 16 if clear else 16)
        hidden, last = b"", authenticator
        for at in range(0, len(padded), 16):
            stream = md5(secret + last).digest()
            last = bytes(one ^ other for one, other in zip(padded[at : at + 16], stream, strict=True))
            hidden += last
        return attribute(2, hidden)

    return hide


def chap(password: str, *, ident: int = 1, challenge: bytes | None = None) -> Part:
    """Answer CHAP as RFC 2865 section 5.3 says; without a challenge to the Request Authenticator."""

    def answer(authenticator: bytes) -> bytes:
        asked = authenticator if challenge is None else challenge
        response = bytes((ident,)) + md5(bytes((ident,)) + password.encode() + asked).digest()
        return attribute(3, response) + (b"" if challenge is None else attribute(60, challenge))

    return answer


def ms_chap(user_name: str, password: str, *, ident: int = 1, chance: Random) -> tuple[bytes, bytes]:
    """Answer MS-CHAPv2; return challenge and response as RFC 2548 sections 2.1.2 and 2.3.2 have them."""
    challenge, peer = chance.randbytes(16), chance.randbytes(16)
    made = MsChapV2Response.answering(challenge, ident, user_name.encode(), password, peer_challenge=peer)
    return challenge, bytes((ident, 0)) + peer + bytes(8) + made.response


def ms_chap_attributes(challenge: bytes, response: bytes) -> bytes:
    """Write both as most routers do."""
    return vendor(MICROSOFT, (11, challenge)) + vendor(MICROSOFT, (25, response))


def ms_chap_1(password: str, *, chance: Random) -> bytes:
    """Answer version 1 of MS-CHAP, by its NT-Response (RFC 2433 section 5, RFC 2548 section 2.1.3)."""
    challenge = chance.randbytes(8)
    response = b"\x01\x01" + bytes(24) + nt_response(challenge, nt_hash(password))
    return vendor(MICROSOFT, (11, challenge), (1, response))


def request(
    *parts: Part,
    chance: Random,
    code: int = 1,
    identifier: int = 7,
    authenticator: bytes | None = None,
    sign: bool = False,
    secret: bytes = SECRET,
) -> bytes:
    """Write an Access-Request or Status-Server; `sign` puts Message-Authenticator first."""
    authenticator = chance.randbytes(16) if authenticator is None else authenticator
    body = b"".join(part if isinstance(part, bytes) else part(authenticator) for part in parts)
    if sign:
        body = attribute(_MESSAGE_AUTHENTICATOR, _ZEROS) + body
    datagram = bytes((code, identifier)) + (20 + len(body)).to_bytes(2) + authenticator + body
    return signed(datagram, 22, secret) if sign else datagram


def signed(datagram: bytes, at: int, secret: bytes = SECRET) -> bytes:
    """Put the right Message-Authenticator at an offset (RFC 3579 section 3.2)."""
    unsigned = datagram[:at] + _ZEROS + datagram[at + 16 :]
    return datagram[:at] + hmac.digest(secret, unsigned, "md5") + datagram[at + 16 :]


def accounting(*parts: bytes, code: int = 4, identifier: int = 7, sign: bool = False, secret: bytes = SECRET) -> bytes:
    """Write an Accounting-Request (RFC 2866 section 3)."""
    body = b"".join(parts)
    if sign:
        body = attribute(_MESSAGE_AUTHENTICATOR, _ZEROS) + body
    head = bytes((code, identifier)) + (20 + len(body)).to_bytes(2)
    if sign:
        body = body[:2] + hmac.digest(secret, head + _ZEROS + body, "md5") + body[18:]
    return head + md5(head + _ZEROS + body + secret).digest() + body


def flipped(octets: bytes, at: int, bits: int = 1) -> bytes:
    """Change one octet."""
    return octets[:at] + bytes((octets[at] ^ bits,)) + octets[at + 1 :]


def with_length(datagram: bytes, length: int) -> bytes:
    """Say another Length."""
    return datagram[:2] + length.to_bytes(2) + datagram[4:]
