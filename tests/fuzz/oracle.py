"""What every answer must be, in the words of the RFCs: written with hashlib alone, so that no mistake is shared."""

import hmac
from hashlib import md5
from typing import Final

_PROXY_STATE: Final = 33
_MESSAGE_AUTHENTICATOR: Final = 80
_ACCESS_REQUEST, _ACCOUNTING_REQUEST, _STATUS_SERVER = 1, 4, 12
_ALLOWED: Final = {_ACCESS_REQUEST: {2, 3, 11}, _ACCOUNTING_REQUEST: {5}, _STATUS_SERVER: {2, 5}}


class WrongAnswerError(AssertionError):
    """An answer that no router would take, or should."""


def check_answer(request: bytes, reply: bytes, secrets: tuple[bytes, ...]) -> int:
    """Return the code of a reply that is right in form and signed with one of the secrets; raise WrongAnswerError."""
    _demand(20 <= len(reply) <= 4096, "longer than a packet may be, or shorter")
    _demand(int.from_bytes(reply[2:4]) == len(reply), "Length is not that of the datagram")
    _demand(reply[1] == request[1], "another Identifier")
    _demand(reply[0] in _ALLOWED.get(request[0], set()), f"code {reply[0]} for code {request[0]}")
    _demand(any(_signed(request, reply, secret) for secret in secrets), "not signed by this server")
    attributes = attributes_of(reply)
    asked = attributes_of(request[: int.from_bytes(request[2:4])])
    echoed = [value for number, value in attributes if number == _PROXY_STATE]
    states = [value for number, value in asked if number == _PROXY_STATE and value]  # an empty one is none (5.33)
    _demand(echoed == states, "Proxy-State is not repeated")
    if reply[0] == 5 and request[0] == _ACCOUNTING_REQUEST:
        _demand(len(attributes) == len(echoed), "an Accounting-Response carries more than Proxy-State")
    return reply[0]


def attributes_of(packet: bytes) -> list[tuple[int, bytes]]:
    """Return number and value of each attribute; raise WrongAnswerError if they do not fill the packet."""
    found = []
    at = 20
    while at < len(packet):
        size = packet[at + 1] if at + 1 < len(packet) else 0
        _demand(size >= 2 and at + size <= len(packet), "attributes do not end with the packet")
        found.append((packet[at], packet[at + 2 : at + size]))
        at += size
    return found


def _signed(request: bytes, reply: bytes, secret: bytes) -> bool:
    """RFC 2865 section 3, RFC 2866 section 3: the Response Authenticator; RFC 3579 section 3.2: its companion."""
    authenticator = request[4:20]
    expected = md5(reply[:4] + authenticator + reply[20:] + secret).digest()
    if reply[4:20] != expected:
        return False
    at = 20
    while at < len(reply):
        if reply[at] == _MESSAGE_AUTHENTICATOR:
            cleared = reply[:4] + authenticator + reply[20 : at + 2] + bytes(16) + reply[at + 18 :]
            return hmac.digest(secret, cleared, "md5") == reply[at + 2 : at + 18]
        at += max(reply[at + 1], 2)
    return reply[0] == 5  # Accounting-Response alone goes without (every Access answer is signed: CVE-2024-3596)


def _demand(right: bool, what: str) -> None:
    if not right:
        raise WrongAnswerError(what)
