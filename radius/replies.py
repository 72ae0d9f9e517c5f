"""The octets of replies: what an answer of the application becomes on the wire, before it is signed. No I/O here."""

from functools import lru_cache
from typing import Final, assert_never

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.codes import Code
from radius.credentials import MsChapV2Response, MsChapV2Success
from radius.errors import EncodeError
from radius.messages import Accept, Challenge, Reject
from radius.packet import Packet
from radius.signatures import SharedSecret, hide_key
from radius.vendors.profile import Profile

_USER_NAME: Final = 1
_REPLY_MESSAGE: Final = 18
_STATE: Final = 24
_CLASS: Final = 25
_PROXY_STATE: Final = 33
_EAP_MESSAGE: Final = 79
_CHARGEABLE_USER_IDENTITY: Final = 89
_MAX_TEXT: Final = 253
_MAX_ERROR: Final = 246  # what fits behind the Ident of MS-CHAP-Error into one Vendor-Specific
_EAP_FAILURE: Final = 4  # RFC 3748 section 4.2
_NO_REASON: Final = "Akses ditolak / Access denied"  # M= has to say something where the application says nothing


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
    if answer.chargeable_identity is not None:
        body += _attribute(_CHARGEABLE_USER_IDENTITY, answer.chargeable_identity)
    return body + _reply_message(answer.reply_message)


def _reject_body(packet: Packet, answer: Reject) -> bytes:
    """Return what a Reject may carry; to EAP it is a Failure, never beside Reply-Message (RFC 3579 section 2.6.5)."""
    eap = packet.attributes.every(_EAP_MESSAGE)
    if not eap:
        return _reply_message(answer.reply_message)
    request = b"".join(eap)
    identifier = request[1] if len(request) > 1 else 0
    return _attribute(_EAP_MESSAGE, bytes((_EAP_FAILURE, identifier, 0, 4)))


def ms_chap(
    secret: SharedSecret,
    packet: Packet,
    response: MsChapV2Response,
    answer: Accept | Reject | Challenge,
    profile: Profile,
) -> bytes:
    """Return what the answer to an MS-CHAPv2 request carries besides (RFC 2548 sections 2.1.5, 2.3.3, 2.4).

    Salts and the challenge of an error are a keyed hash of the whole request: new for each, and no chance needed.
    """
    seed = secret.hmac_md5(b"\0MS-CHAPv2" + packet.raw)  # no packet begins so: code 0 is nobody's
    attributes = Attributes()
    match answer:
        case Accept(ms_chap=MsChapV2Success() as success):
            attributes.add("MS-CHAP2-Success", bytes((success.identifier,)) + success.proof)
            if profile.takes_session_keys and _is_tunnel(packet):
                _add_keys(attributes, secret, packet.authenticator, success, seed)
        case Reject():
            said = f"E=691 R=0 C={seed.hex().upper()} V=3 M={answer.reply_message or _NO_REASON}".encode()
            attributes.add("MS-CHAP-Error", bytes((response.identifier,)) + said[: _cut(said, _MAX_ERROR)])
        case _:
            pass  # an Accept without proof, which the device will not believe, or a Challenge: nothing of MS-CHAPv2's
    return attributes.to_bytes()


def _is_tunnel(packet: Packet) -> bool:
    """Tell whether the device comes by PPP or a VPN: in a hotspot nobody encrypts with the keys."""
    attributes = packet.attributes
    return attributes.word("Framed-Protocol") == "PPP" or attributes.word("NAS-Port-Type") == "Virtual"


def _add_keys(
    attributes: Attributes, secret: SharedSecret, authenticator: bytes, success: MsChapV2Success, seed: bytes
) -> None:
    """Add the keys, and the policy without which pppd does not look at them; 40 bits are no encryption any more."""
    salt = int.from_bytes(seed[:2]) | 0x8000
    keys = {"MS-MPPE-Send-Key": success.send_key, "MS-MPPE-Recv-Key": success.receive_key}
    attributes.add("MS-MPPE-Encryption-Policy", "Encryption-Allowed")
    attributes.add("MS-MPPE-Encryption-Types", "RC4-128bit-Allowed")
    for number, (name, key) in enumerate(keys.items()):
        attributes.add(name, hide_key(secret, authenticator, (salt ^ number).to_bytes(2), key))


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
        cut = _cut(octets, _MAX_TEXT)
        body += _attribute(_REPLY_MESSAGE, octets[:cut])
        octets = octets[cut:]
    return body + _attribute(_REPLY_MESSAGE, octets)


def _cut(octets: bytes, most: int) -> int:
    """Return where to cut a text of UTF-8 so that at most so many octets are left, and no character is halved."""
    cut = min(len(octets), most)
    while cut < len(octets) and octets[cut] & 0xC0 == 0x80:  # the middle of a character
        cut -= 1
    return cut


def proxy_states(packet: Packet) -> bytes:
    """Return every Proxy-State unchanged, in order (RFC 2865 section 5.33)."""
    if packet.attributes.first(_PROXY_STATE) is None:
        return b""
    return b"".join([_attribute(_PROXY_STATE, state) for state in packet.attributes.every(_PROXY_STATE)])


def _attribute(number: int, value: bytes) -> bytes:
    if not 0 < len(value) <= _MAX_TEXT:
        raise EncodeError(f"attribute {number}: {len(value)} octets")
    return bytes((number, len(value) + 2)) + value
