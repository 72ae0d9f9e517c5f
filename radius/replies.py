"""The octets of replies: what an answer of the application becomes on the wire, before it is signed. No I/O here."""

from functools import lru_cache
from typing import Final, assert_never

from radius.authorization import Authorization
from radius.codes import Code
from radius.errors import EncodeError
from radius.messages import Accept, Challenge, Reject
from radius.packet import Packet
from radius.vendors.profile import Profile

_USER_NAME: Final = 1
_REPLY_MESSAGE: Final = 18
_STATE: Final = 24
_CLASS: Final = 25
_PROXY_STATE: Final = 33
_EAP_MESSAGE: Final = 79
_MAX_TEXT: Final = 253
_EAP_FAILURE: Final = 4  # RFC 3748 section 4.2


def reply_to(packet: Packet, answer: Accept | Reject | Challenge, profile: Profile) -> tuple[Code, bytes]:
    """Return code and attributes of the reply to an Access-Request; raise EncodeError where a value does not fit."""
    match answer:
        case Accept():
            code, body = Code.ACCESS_ACCEPT, _accept_body(profile, answer)
        case Reject():
            code, body = Code.ACCESS_REJECT, _reject_body(packet, answer)
        case Challenge():
            code, body = Code.ACCESS_CHALLENGE, _attribute(_STATE, answer.state) + _reply_message(answer.reply_message)
        case _:
            assert_never(answer)
    return code, body + proxy_states(packet)


def _accept_body(profile: Profile, answer: Accept) -> bytes:
    body = _limits(profile, answer.authorization) + _attribute(_CLASS, answer.class_value)
    if answer.user_name is not None and profile.accounts_by_accept_name:
        body += _attribute(_USER_NAME, answer.user_name.encode())
    return body + _reply_message(answer.reply_message)


def _reject_body(packet: Packet, answer: Reject) -> bytes:
    """Return what a Reject may carry; to EAP it is a Failure, never beside Reply-Message (RFC 3579 section 2.6.5)."""
    eap = packet.attributes.every(_EAP_MESSAGE)
    if not eap:
        return _reply_message(answer.reply_message)
    request = b"".join(eap)
    identifier = request[1] if len(request) > 1 else 0
    return _attribute(_EAP_MESSAGE, bytes((_EAP_FAILURE, identifier, 0, 4)))


@lru_cache(maxsize=4096)
def _limits(profile: Profile, authorization: Authorization) -> bytes:
    """Return the encoded limits; many sessions of a plan begin with the same ones."""
    return profile.attributes(authorization).to_bytes()


def _reply_message(text: str | None) -> bytes:
    """Return the text as Reply-Message, cut into several between characters where it is longer than one holds."""
    if not text:
        return b""
    octets = text.encode()
    body = b""
    while len(octets) > _MAX_TEXT:
        cut = _MAX_TEXT
        while octets[cut] & 0xC0 == 0x80:  # the middle of a character
            cut -= 1
        body += _attribute(_REPLY_MESSAGE, octets[:cut])
        octets = octets[cut:]
    return body + _attribute(_REPLY_MESSAGE, octets)


def proxy_states(packet: Packet) -> bytes:
    """Return every Proxy-State unchanged, in order (RFC 2865 section 5.33)."""
    if packet.attributes.first(_PROXY_STATE) is None:
        return b""
    return b"".join([_attribute(_PROXY_STATE, state) for state in packet.attributes.every(_PROXY_STATE)])


def _attribute(number: int, value: bytes) -> bytes:
    if not 0 < len(value) <= _MAX_TEXT:
        raise EncodeError(f"attribute {number}: {len(value)} octets")
    return bytes((number, len(value) + 2)) + value
