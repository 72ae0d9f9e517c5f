"""A lane is one socket towards one port of the server, with the requests that leave by it, in their order.

Request number n of a lane has Identifier n mod 256 and leaves only once request n - 256 is settled: answered, or given
up for so long that its answer cannot come any more and be taken for another's. Until then it stands back, and those
behind it go before. Requests lie in memory as the kernel takes them, so that a batch is one system call and no thought.

Answers are kept as they came, for later: the loop only notes which Identifiers they carry.
"""

import ctypes
import errno
import socket
from array import array
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from radius.net.batch_calls import RECVMMSG, SENDMMSG, IoVec, MMsgHdr, MsgHdr

BATCH: Final = 64
IDENTIFIERS: Final = 256
LONGEST_PACKET: Final = 4096
_NEAR: Final = 256  # octets of an answer that are kept at once; nearly all have no more
_FAR: Final = LONGEST_PACKET + 1 - _NEAR
_SHORTEST_PACKET: Final = 20
_RECEIVE_BUFFER_OCTETS: Final = 4 << 20
_OPEN, _ANSWERED, _GIVEN_UP = range(3)

_SIZE: Final = ctypes.sizeof(ctypes.c_size_t)
_HEADER: Final = ctypes.sizeof(MMsgHdr)
_VECTOR: Final = ctypes.sizeof(IoVec)
_IOV: Final = MsgHdr.iov.offset // _SIZE
_IOVLEN: Final = MsgHdr.iovlen.offset // _SIZE


# When requests left (or were to leave): the first of them, the seconds from one to the next, its number, how many.
# A plain tuple, as one is made for each batch: a named one costs seven times as much.
Departure = tuple[float, float, int, int]


class Batch(NamedTuple):
    """Answers as they came: when, and of each the request that had its Identifier then, the length, the octets.

    `places` are 256 above the number of the request, as in `Lane`.
    """

    at: float
    places: list[int]
    lengths: list[int]
    near: bytearray
    far: dict[int, bytes]

    def answers(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number of the request, octets) of each; the number is below 0 where none has that Identifier."""
        for row, length in enumerate(self.lengths):
            start = row * _NEAR
            octets = bytes(self.near[start : start + min(length, _NEAR)]) + self.far.get(row, b"")
            yield (-1 if length < _SHORTEST_PACKET else self.places[row] - IDENTIFIERS), octets

    def codes(self) -> Iterator[tuple[int, int]]:
        """Yield (number of the request, code) of each, in a tenth of the time."""
        for place, code, length in zip(self.places, self.near[::_NEAR], self.lengths, strict=True):
            yield (-1 if length < _SHORTEST_PACKET else place - IDENTIFIERS), code


class Inbox:
    """Room for a batch of answers, laid out once for the kernel; one is enough for all lanes."""

    def __init__(self) -> None:
        self.near = bytearray(BATCH * _NEAR)
        self._far = bytearray(BATCH * _FAR)
        self._vectors = (IoVec * (2 * BATCH))()
        self._headers = (MMsgHdr * BATCH)()
        near, far = _address(self.near), _address(self._far)
        for at in range(BATCH):
            self._vectors[2 * at].base, self._vectors[2 * at].length = near + at * _NEAR, _NEAR
            self._vectors[2 * at + 1].base, self._vectors[2 * at + 1].length = far + at * _FAR, _FAR
            self._headers[at].hdr.iov = ctypes.addressof(self._vectors) + 2 * at * _VECTOR
            self._headers[at].hdr.iovlen = 2
        self.address = ctypes.addressof(self._headers)
        self.lengths = memoryview(self._headers).cast("B").cast("I")[MMsgHdr.len.offset // 4 :: _HEADER // 4]

    def far(self, lengths: list[int]) -> dict[int, bytes]:
        """Return what came beyond the first octets, of those answers that are longer."""
        return {
            row: bytes(self._far[row * _FAR : row * _FAR + length - _NEAR])
            for row, length in enumerate(lengths)
            if length > _NEAR
        }


class Lane:
    """See above. `room` is how many requests it can take, `octets` how many octets they have altogether."""

    def __init__(self, server: tuple[str, int], source: str, *, room: int, octets: int) -> None:
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
        try:
            self._socket.bind((source, 0))
            self._socket.connect(server)
        except OSError:
            self._socket.close()
            raise
        self.descriptor = self._socket.fileno()
        self.prepared = 0
        self.unreachable = 0  # how often the kernel said that nobody listens there
        self.batches: list[Batch] = []
        self.departures: list[Departure] = []
        self.marks = array("q")  # what each request means to whoever put it here
        self.expected = bytearray()  # the code of its right answer
        self._settled = bytearray(b"\1" * IDENTIFIERS) + bytearray(room)  # of request n at its place, n + 256
        self._holder = [0] * IDENTIFIERS  # the place of the request that has each Identifier
        self._given_up: set[int] = set()  # places of those that are not waited for and still have theirs
        self._next = 0  # the first request that has had no chance yet
        self._back: dict[int, deque[int]] = {}  # those that stand back, by their Identifier
        self._freed: deque[int] = deque()  # those of them that may leave now
        self._octets = bytearray(octets)
        self._end = 0
        self._starts = array("L")
        self._vectors = array("L", bytes(room * _VECTOR))
        self._headers = array("L", bytes(room * _HEADER))
        step = _HEADER // _SIZE
        vectors = self._vectors.buffer_info()[0]
        self._headers[_IOV::step] = array("L", range(vectors, vectors + room * _VECTOR, _VECTOR))
        self._headers[_IOVLEN::step] = array("L", [1]) * room
        self._address, self._first = _address(self._octets), self._headers.buffer_info()[0]

    @property
    def address(self) -> str:
        """Return the address that this lane sends from."""
        host = self._socket.getsockname()[0]
        assert isinstance(host, str)
        return host

    def close(self) -> None:
        """Close the socket; what was kept stays."""
        self._socket.close()

    def put(self, packet: bytes, *, expected: int, mark: int) -> None:
        """Take the next request; its Identifier must be that of its place."""
        at, start, end = self.prepared, self._end, self._end + len(packet)
        assert end <= len(self._octets), "the kernel has been told where these octets lie: they cannot move"
        self._octets[start:end] = packet
        self._vectors[2 * at] = self._address + start
        self._vectors[2 * at + 1] = len(packet)
        self._starts.append(start)
        self.expected.append(expected)
        self.marks.append(mark)
        self._end, self.prepared = end, at + 1

    def request(self, number: int) -> bytes:
        """Return the octets of a request."""
        start = self._starts[number]
        return bytes(self._octets[start : start + self._vectors[2 * number + 1]])

    @property
    def waiting(self) -> bool:
        """Tell whether there are requests that have not left."""
        return self._next < self.prepared or bool(self._back) or bool(self._freed)

    def send(self, most: int, now: float, step: float = 0.0) -> int:
        """Send up to so many requests and return how many left: Identifiers may be in use, or the socket full."""
        went = 0
        while self._freed and went < most:
            if not self._leave(self._freed[0], 1, now + went * step, step):
                return went
            self._freed.popleft()
            went += 1
        while went < most and self._next < self.prepared and len(self._back) < IDENTIFIERS:
            first = self._next
            count = min(most - went, self.prepared - first)
            blocked = self._settled.find(_OPEN, first, first + count)  # the request before, with the same Identifier
            if blocked == first:
                self._back.setdefault(first & 255, deque()).append(first)
                self._next += 1
                continue
            if blocked > first:
                count = blocked - first
            left = self._leave(first, count, now + went * step, step)
            self._next += left
            went += left
            if left < count:
                break
        return went

    def resend(self, number: int) -> None:
        """Send a request again: the same octets."""
        self._call(number, 1)

    def receive(self, inbox: Inbox, now: float) -> int:
        """Keep what has come, a batch at the most, and return how many requests that has settled."""
        assert RECVMMSG is not None
        count = RECVMMSG(self.descriptor, inbox.address, BATCH, socket.MSG_DONTWAIT, None)
        if count <= 0:
            self.unreachable += ctypes.get_errno() == errno.ECONNREFUSED
            return 0
        lengths = inbox.lengths[:count].tolist()
        near = inbox.near[: count * _NEAR]
        holder = self._holder
        places = [holder[identifier] for identifier in near[1::_NEAR]]
        self.batches.append(Batch(now, places, lengths, near, inbox.far(lengths) if max(lengths) > _NEAR else {}))
        if min(lengths) < _SHORTEST_PACKET:
            places = [place for place, length in zip(places, lengths, strict=True) if length >= _SHORTEST_PACKET]
        settled = self._settled
        fresh = 0
        given_up = self._given_up
        for place in places:
            if not settled[place]:
                settled[place] = _ANSWERED if place not in given_up else _GIVEN_UP
                fresh += place not in given_up
        if self._back:
            for place in places:
                self._free(place & 255)
        return fresh

    def open_among(self, first: int, count: int) -> list[int]:
        """Return which of these requests are without an answer and not given up."""
        found = []
        at = self._settled.find(_OPEN, first + IDENTIFIERS, first + count + IDENTIFIERS)
        while at >= 0:
            if at not in self._given_up:
                found.append(at - IDENTIFIERS)
            at = self._settled.find(_OPEN, at + 1, first + count + IDENTIFIERS)
        return found

    def give_up(self, number: int) -> None:
        """Wait for an answer no longer; the request keeps its Identifier until one comes all the same, or `release`."""
        self._given_up.add(number + IDENTIFIERS)

    def release(self, number: int) -> None:
        """Let others have the Identifier of a request that was given up."""
        if not self._settled[number + IDENTIFIERS]:
            self._settled[number + IDENTIFIERS] = _GIVEN_UP
            self._free(number & 255)

    def was_given_up(self, number: int) -> bool:
        """Tell whether an answer to this request came too late, if at all."""
        return number + IDENTIFIERS in self._given_up

    def _free(self, identifier: int) -> None:
        """Let the next request that stands back for an Identifier leave, if that is free now."""
        back = self._back.get(identifier)
        if back is not None and self._settled[back[0]]:
            self._freed.append(back.popleft())
            if not back:
                del self._back[identifier]

    def _leave(self, first: int, count: int, now: float, step: float) -> int:
        """Send requests one after the other, and note that they have left and have their Identifiers."""
        went = self._call(first, count)
        if went:
            self.departures.append((now, step, first, went))
            for number in range(first, first + went):
                self._holder[number & 255] = number + IDENTIFIERS
        return went

    def _call(self, first: int, count: int) -> int:
        assert SENDMMSG is not None
        done = 0
        while done < count:
            at = self._first + (first + done) * _HEADER
            went = SENDMMSG(self.descriptor, at, count - done, socket.MSG_DONTWAIT)
            if went > 0:
                done += went
            elif ctypes.get_errno() == errno.ECONNREFUSED:
                self.unreachable += 1  # this is told of an earlier datagram, and once
            else:
                break
        return done


def _address(room: bytearray) -> int:
    return ctypes.addressof((ctypes.c_char * len(room)).from_buffer(room))
