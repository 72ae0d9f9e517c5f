"""Packet: strict about the octets before anything else looks at them (RFC 2865 sections 3 and 5). No I/O here."""

from dataclasses import dataclass
from typing import Final, Self

from radius.attributes import MAY_BE_EMPTY, Attributes
from radius.errors import DecodeError, DropReason, EncodeError

HEADER_LENGTH: Final = 20
MAX_LENGTH: Final = 4096  # RFC 2866 section 3 says 4095 for accounting; one octet of lenience harms nobody
MAX_ATTRIBUTES: Final = 200  # FreeRADIUS' `max_attributes`; far beyond what any router sends

_MESSAGE_AUTHENTICATOR: Final = 80
_NEVER_EMPTY: Final = frozenset({0, _MESSAGE_AUTHENTICATOR})  # and there is no attribute 0
_NONE: Final[frozenset[int]] = frozenset()


@dataclass(slots=True)
class Packet:
    """One RADIUS packet. Of a parsed one `raw` is what came, without padding, and `signature_at` the place in it.

    `signature_at` is the offset of the 16 octets of Message-Authenticator, 0 where there is none. `repeated` has the
    number of every attribute that occurs more than once.
    """

    code: int
    identifier: int
    authenticator: bytes
    attributes: Attributes
    raw: bytes = b""
    signature_at: int = 0
    repeated: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, datagram: bytes, *, max_attributes: int = MAX_ATTRIBUTES) -> Self:
        """Read one datagram; what follows Length is padding. Raises DecodeError with the reason to drop it."""
        if len(datagram) < HEADER_LENGTH:
            raise DecodeError(DropReason.TOO_SHORT, f"{len(datagram)} octets")
        length = (datagram[2] << 8) + datagram[3]
        if length < HEADER_LENGTH:
            raise DecodeError(DropReason.TOO_SHORT, f"Length {length}")
        if length > len(datagram) or length > MAX_LENGTH:
            raise DecodeError(DropReason.BAD_LENGTH, f"Length {length}, {len(datagram)} octets")
        raw = datagram[:length]

        # The one walk over the attributes, once per datagram of every kind: kept flat because it is the hot loop.
        first: dict[int, bytes] = {}
        more: list[tuple[int, bytes]] = []
        signature_at = 0
        empty = 0
        at = HEADER_LENGTH
        last = length - 1
        while at < last:
            number = raw[at]
            size = raw[at + 1]
            if size > 2 or (size == 2 and number in MAY_BE_EMPTY):
                if number in first:
                    more.append((number, raw[at + 2 : at + size]))
                else:
                    first[number] = raw[at + 2 : at + size]
                    if number == _MESSAGE_AUTHENTICATOR:
                        signature_at = at + 2
            elif size == 2 and number not in _NEVER_EMPTY:
                empty += 1
            else:
                raise DecodeError(DropReason.MALFORMED, f"attribute {number} of {size} octets")
            at += size
        if 0 in first:
            raise DecodeError(DropReason.MALFORMED, "attribute 0")
        if at != length:
            raise DecodeError(DropReason.MALFORMED, f"the last attribute ends at {at} of {length}")
        count = len(first) + len(more) + empty
        if count > max_attributes:
            raise DecodeError(DropReason.TOO_MANY_ATTRIBUTES, str(count))
        repeated = frozenset([number for number, _ in more]) if more else _NONE
        if signature_at and (len(first[_MESSAGE_AUTHENTICATOR]) != 16 or _MESSAGE_AUTHENTICATOR in repeated):
            raise DecodeError(DropReason.MALFORMED, "Message-Authenticator")
        attributes = Attributes.from_wire(raw[HEADER_LENGTH:], first, more)
        return cls(raw[0], raw[1], raw[4:20], attributes, raw, signature_at, repeated)

    def to_bytes(self) -> bytes:
        """Return the packet as it travels, built from its fields; EncodeError beyond 4096 octets."""
        body = self.attributes.to_bytes()
        return header(self.code, self.identifier, len(body)) + self.authenticator + body


def header(code: int, identifier: int, body_length: int) -> bytes:
    """Return the first four octets of a packet with so many octets of attributes."""
    length = HEADER_LENGTH + body_length
    if length > MAX_LENGTH:
        raise EncodeError(f"{length} octets")
    return bytes((code, identifier, length >> 8, length & 0xFF))
