"""By which method a device proves itself in an Access-Request, and how each is read. No I/O here."""

from collections.abc import Callable
from typing import Final

from radius.backend import Nas
from radius.credentials import ChapResponse, Credential, MsChapV2Response, PapPassword, name_in_domain
from radius.errors import DropReason
from radius.mschap import CHALLENGE_LENGTH
from radius.packet import Packet
from radius.signatures import SharedSecret, prepared, reveal_password

_USER_NAME: Final = 1
_USER_PASSWORD: Final = 2
_CHAP_PASSWORD: Final = 3
_VENDOR_SPECIFIC: Final = 26
_CHAP_CHALLENGE: Final = 60
_ARAP_PASSWORD: Final = 70
_EAP_MESSAGE: Final = 79
_MICROSOFT: Final = b"\x00\x00\x01\x37"
_MS_CHAP_RESPONSES: Final = frozenset({_MICROSOFT + b"\x01", _MICROSOFT + b"\x19"})
_MS_CHAP2_LENGTH: Final = 50  # RFC 2548 section 2.3.2
_NOT_BESIDE_PAP: Final = (_CHAP_PASSWORD, _VENDOR_SPECIFIC, _ARAP_PASSWORD, _EAP_MESSAGE)


def method_of(packet: Packet) -> int | DropReason:
    """Return the attribute by which the device proves itself, 0 if by none.

    More than one way is never taken (RFC 2865 section 4.1, RFC 3579 section 3.3).
    """
    numbers = packet.attributes.numbers()
    if _USER_PASSWORD in numbers and numbers.isdisjoint(_NOT_BESIDE_PAP):
        return _USER_PASSWORD  # nearly all there is
    found = [number for number in READERS if number in numbers]
    if _VENDOR_SPECIFIC in found and not _has_ms_chap(packet):
        found.remove(_VENDOR_SPECIFIC)
    if len(found) > 1:
        return DropReason.MIXED_CREDENTIALS
    if found:
        return found[0]
    return 0 if packet.signature_at else DropReason.NO_CREDENTIAL


def _has_ms_chap(packet: Packet) -> bool:
    attributes = packet.attributes
    microsoft = [value[:5] for value in attributes.every(_VENDOR_SPECIFIC) if value[:4] == _MICROSOFT]
    if not microsoft:
        return False
    # A response may stand behind others in one Vendor-Specific, or may be of a shape that cannot be taken apart.
    whole = not _MS_CHAP_RESPONSES.isdisjoint(microsoft)
    return whole or "MS-CHAP-Response" in attributes or "MS-CHAP2-Response" in attributes


def _pap(packet: Packet, secret: SharedSecret) -> PapPassword | None:
    password = reveal_password(secret, packet.authenticator, packet.attributes.first(_USER_PASSWORD) or b"")
    return None if password is None else PapPassword(password)


def _chap(packet: Packet, _: SharedSecret) -> ChapResponse | None:
    """Read CHAP-Password; without CHAP-Challenge the Request Authenticator is the challenge (RFC 2865 section 2.2)."""
    response = packet.attributes.first(_CHAP_PASSWORD) or b""
    challenge = packet.attributes.first(_CHAP_CHALLENGE) or packet.authenticator
    return ChapResponse(response[0], response[1:], challenge) if len(response) == 17 else None


def _ms_chap(packet: Packet, _: SharedSecret) -> MsChapV2Response | None:
    """Read MS-CHAP2-Response (RFC 2548 section 2.3.2), which comes with one challenge; version 1 is not spoken.

    Flags and Reserved must be zero, so a response where they are not is none that we know how to check.
    """
    attributes = packet.attributes
    responses, challenges = attributes.all_octets("MS-CHAP2-Response"), attributes.all_octets("MS-CHAP-Challenge")
    if len(responses) != 1 or len(challenges) != 1 or "MS-CHAP-Response" in attributes:
        return None
    response, challenge = responses[0], challenges[0]
    if len(response) != _MS_CHAP2_LENGTH or len(challenge) != CHALLENGE_LENGTH:
        return None
    if response[1] or any(response[18:26]):
        return None
    user_name = name_in_domain(attributes.first(_USER_NAME) or b"")
    return MsChapV2Response(response[0], response[26:], challenge, response[2:18], user_name)


def _not_spoken(_: Packet, __: SharedSecret) -> None:
    return None


# How to read each credential; None from one of these is a Reject of ours.
READERS: Final[dict[int, Callable[[Packet, SharedSecret], Credential | None]]] = {
    _USER_PASSWORD: _pap,
    _CHAP_PASSWORD: _chap,
    _EAP_MESSAGE: _not_spoken,
    _ARAP_PASSWORD: _not_spoken,
    _VENDOR_SPECIFIC: _ms_chap,
}


def plausible_secret(packet: Packet, likely: SharedSecret, nas: Nas) -> SharedSecret:
    """Choose the secret of an unsigned PAP request during a rotation: that under which the password is text.

    Noise from a wrong secret is UTF-8 without control characters about once in ten million for 16 octets. For CHAP
    nothing depends on the secret, so `likely` is all there is.
    """
    hidden = packet.attributes.first(_USER_PASSWORD) or b""
    for secret in (likely, *(prepared(octets) for octets in nas.secrets)):
        password = reveal_password(secret, packet.authenticator, hidden)
        text = None if password is None else as_text(password)
        if text is not None and text.isprintable():
            return secret
    return likely


def as_text(octets: bytes) -> str | None:
    """Return octets as UTF-8 text; None if they are not."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None
