"""Changes to datagrams, from single octets to whole attributes, and signing what came of them. Chance is an argument."""

import random
from typing import Final

from radius.codes import Code
from radius.errors import DecodeError
from radius.packet import Packet
from radius.signatures import ZEROS, SharedSecret, accounting_authenticator, message_authenticator

_HEADER: Final = 20
_LONGEST: Final = 4096
_VENDORS: Final = (9, 311, 12356, 13644, 14122, 14179, 14559, 14823, 14988, 17713, 25053)
_NUMBERS: Final = (1, 2, 3, 4, 8, 11, 24, 25, 26, 27, 31, 32, 33, 40, 44, 46, 55, 60, 79, 80, 89, 97)
_EDGES: Final = (0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1)


def mutate(octets: bytes, chance: random.Random) -> bytes:
    """Insert, delete and overwrite octets; half of the time the Length is made right again."""
    changed = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0:
                changed[at:at] = chance.randbytes(chance.randint(1, 8))
            case 1:
                del changed[at : at + chance.randint(1, 8)]
            case 2:
                changed[at : at + 1] = bytes((chance.choice((0, 1, 2, 3, 26, 79, 80, 253, 255)),))
            case 3:
                changed[2:4] = len(changed).to_bytes(2)
            case _:
                changed[at : at + 1] = chance.randbytes(1)
    if chance.random() < 0.5:  # else most would stop at the length
        changed[2:4] = len(changed).to_bytes(2)
    return bytes(changed)


def rearrange(octets: bytes, chance: random.Random) -> bytes:
    """Add, drop, repeat and spoil whole attributes: what comes out is a packet still."""
    pieces = _pieces(octets)
    for _ in range(chance.randint(1, 4)):
        pieces.insert(chance.randrange(len(pieces) + 1), _attribute(chance))
        if chance.random() < 0.3:
            pieces.append(chance.choice(pieces))
        if chance.random() < 0.3:
            del pieces[chance.randrange(len(pieces))]
    return _packet(octets, pieces)


def revalue(octets: bytes, chance: random.Random) -> bytes:
    """Give attributes that are there another value of the same length: numbers at their edges, text of other letters."""
    pieces = _pieces(octets)
    for _ in range(chance.randint(1, 3)):
        if not pieces:
            break
        place = chance.randrange(len(pieces))
        number, size = pieces[place][0], len(pieces[place]) - 2
        if size == 4 and chance.random() < 0.7:
            value = chance.choice(_EDGES).to_bytes(4)
        elif chance.random() < 0.5:
            value = bytes(chance.choices(b"\0\n\x1b \x7f~@,:%'\"\\\xc3\xa9\xff", k=size))
        else:
            value = chance.randbytes(size)
        pieces[place] = bytes((number, size + 2)) + value
    return _packet(octets, pieces)


def swell(octets: bytes, chance: random.Random) -> bytes:
    """Fill a packet up, to the longest there may be and somewhat beyond."""
    pieces = _pieces(octets)
    until = chance.choice((1000, _LONGEST - 1, _LONGEST, _LONGEST + 1))
    number = chance.choice((18, 26, 33, 79, 25))
    while (room := until - _HEADER - sum(map(len, pieces))) >= 2:
        size = min(room, 255)
        value = chance.choice(_VENDORS).to_bytes(4) + bytes(251) if number == 26 else chance.randbytes(253)
        pieces.append(bytes((number, size)) + value[: size - 2])
    return _packet(octets, pieces)


def sign_again(octets: bytes, secret: SharedSecret) -> bytes:
    """Sign a mutant that still is a packet, so that it gets past the signatures to what is behind them."""
    try:
        packet = Packet.parse(octets)
    except DecodeError:
        return octets
    raw, at = packet.raw, packet.signature_at
    if packet.code == Code.ACCOUNTING_REQUEST:
        if at:
            raw = raw[:at] + message_authenticator(secret, raw, at, ZEROS) + raw[at + 16 :]
        return raw[:4] + accounting_authenticator(secret, raw) + raw[20:]
    return raw[:at] + message_authenticator(secret, raw, at) + raw[at + 16 :] if at else raw


def _attribute(chance: random.Random) -> bytes:
    value = chance.randbytes(chance.choice((0, 1, 3, 4, 5, 16, 17, 18)))
    number = chance.choice((*_NUMBERS, chance.randint(1, 255)))
    if number == 26 and chance.random() < 0.7:
        vendor_type = chance.choice((1, 3, 10, 11, 25, chance.randint(0, 255)))
        value = chance.choice(_VENDORS).to_bytes(4) + bytes((vendor_type, 6)) + value[:4]
    return bytes((number, len(value) + 2)) + value


def _pieces(octets: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    at = _HEADER
    while at < len(octets) and octets[at + 1 : at + 2] > b"\1":
        pieces.append(octets[at : at + octets[at + 1]])
        at += octets[at + 1]
    return pieces


def _packet(octets: bytes, pieces: list[bytes]) -> bytes:
    body = b"".join(pieces)
    return octets[:2] + min(_HEADER + len(body), 2**16 - 1).to_bytes(2) + octets[4:_HEADER] + body
