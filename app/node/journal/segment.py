"""The format of a segment: a header, then records, then zeros. No I/O here.

Header, 64 octets: magic (8), version (2), worker (4), number (8), node id (16), random id (16), checksum (4), zeros.
Record: length of the payload (4), checksum (4), type (1), payload. The checksum covers the segment's random id, so
that nothing left on the disk by another file is ever taken for a record. A segment ends at its first bad record.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

MAGIC: Final = b"PESISIRJ"
VERSION: Final = 1
HEADER_OCTETS: Final = 64
ID_OCTETS: Final = 16
LONGEST_PAYLOAD: Final = 65_535

_HEADER: Final = struct.Struct(">8sHIQ16s16s")
_CHECKSUM: Final = struct.Struct(">I")
_RECORD: Final = struct.Struct(">IIB")
_MOMENT: Final = struct.Struct(">d")
RECORD_HEADER_OCTETS: Final = _RECORD.size
_LOOK_BEYOND_OCTETS: Final = 4 * 1024 * 1024


class Position(NamedTuple):
    """A place in a journal: segment number, that segment's random id (hex), offset of the next record."""

    segment: int
    segment_id: str
    offset: int


class Entry(NamedTuple):
    """One record as read: its type, its payload, and the offset just behind it."""

    type: int
    payload: bytes
    end: int


def moment(entry: Entry) -> float:
    """Return when a record was made, in seconds since 1970: every payload begins with it."""
    return float(_MOMENT.unpack_from(entry.payload)[0]) if len(entry.payload) >= _MOMENT.size else 0.0


@dataclass(frozen=True, slots=True)
class Header:
    """Whose segment it is. `id` is random: it makes a position unmistakable."""

    node: str
    worker: int
    number: int
    id: bytes

    def to_bytes(self) -> bytes:
        """Return the header as it stands at the beginning of the file."""
        body = _HEADER.pack(MAGIC, VERSION, self.worker, self.number, self.node.encode("ascii"), self.id)
        return (body + _CHECKSUM.pack(zlib.crc32(body))).ljust(HEADER_OCTETS, b"\0")


def read_header(data: bytes) -> Header | None:
    """Read a header; None if it is not one of ours, or was never wholly written."""
    if len(data) < HEADER_OCTETS:
        return None
    body = data[: _HEADER.size]
    if _CHECKSUM.unpack_from(data, _HEADER.size)[0] != zlib.crc32(body):
        return None
    magic, version, worker, number, node, segment_id = _HEADER.unpack(body)
    if magic != MAGIC or version != VERSION:
        return None
    return Header(node.rstrip(b"\0").decode("ascii"), worker, number, segment_id)


def encode(segment_id: bytes, records: Sequence[tuple[int, bytes]]) -> tuple[bytes, list[int]]:
    """Return records (type, payload) as they are written, and the end of each, counted from the first octet."""
    seed = zlib.crc32(segment_id)
    parts: list[bytes] = []
    ends: list[int] = []
    end = 0
    for kind, payload in records:
        length = len(payload)
        assert 0 < length <= LONGEST_PAYLOAD
        parts.append(_RECORD.pack(length, _checksum(seed, length, kind, payload), kind))
        parts.append(payload)
        end += RECORD_HEADER_OCTETS + length
        ends.append(end)
    return b"".join(parts), ends


def entries(segment_id: bytes, data: bytes, start: int = 0, base: int = 0) -> Iterator[Entry]:
    """Yield the records of `data` from `start` on until the first bad one; `base` is added to each end."""
    seed = zlib.crc32(segment_id)
    while True:
        entry = _entry_at(seed, data, start, base)
        if entry is None:
            return
        yield entry
        start = entry.end - base


def record_beyond(segment_id: bytes, data: bytes, start: int) -> int | None:
    """Return where a valid record stands beyond a bad one at `start`; None if there is none within 4 MiB.

    One there means that the disk has lost or changed what was written, not merely that the last write was cut short.
    """
    seed = zlib.crc32(segment_id)
    end = min(len(data.rstrip(b"\0")), start + _LOOK_BEYOND_OCTETS)
    for offset in range(start + 1, end - RECORD_HEADER_OCTETS):
        if data[offset] == 0 and data[offset + 1] == 0 and _entry_at(seed, data, offset, 0) is not None:
            return offset
    return None


def _entry_at(seed: int, data: bytes, start: int, base: int) -> Entry | None:
    if start + RECORD_HEADER_OCTETS > len(data):
        return None
    length, checksum, kind = _RECORD.unpack_from(data, start)
    begin = start + RECORD_HEADER_OCTETS
    if not 0 < length <= LONGEST_PAYLOAD or begin + length > len(data):
        return None
    payload = data[begin : begin + length]
    if checksum != _checksum(seed, length, kind, payload):
        return None
    return Entry(kind, payload, base + begin + length)


def _checksum(seed: int, length: int, kind: int, payload: bytes) -> int:
    return zlib.crc32(payload, seed ^ length ^ kind << 24)
