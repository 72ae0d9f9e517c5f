"""Many UDP datagrams per system call: recvmmsg and sendmmsg through ctypes, or recvmsg and sendmsg one by one.

A socket that is bound to a wildcard learns of each datagram which of our addresses it was sent to, and answers from
there (RFC 2865 section 3): IP_PKTINFO, IPV6_RECVPKTINFO, ip(7), ipv6(7). Both kinds of endpoint behave alike.
"""

import ctypes
import errno
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, NamedTuple, Protocol

from radius.net.batch_calls import RECVMMSG, SENDMMSG, IoVec, MMsgHdr, MsgHdr

SLOT_OCTETS: Final = 4097  # one more than the largest packet
CONTROL_OCTETS: Final = 128  # room for the time and the packet information
NAME_OCTETS: Final = 28  # struct sockaddr_in6
RECEIVE_BUFFER_OCTETS: Final = 4 << 20
SEND_WAIT_SECONDS: Final = 0.05
NAMES_KEPT: Final = 16384
YOUNG_SECONDS: Final = 1.0

# Not in Python's socket module; the numbers of Linux (include/uapi/asm-generic/socket.h, include/uapi/linux/in.h).
_IP_PKTINFO: Final = 8
_SO_TIMESTAMPNS: Final = 35

_CONTROL_HEADER: Final = struct.Struct("@Lii")  # struct cmsghdr; size_t is an unsigned long on Linux
_ALIGNMENT: Final = struct.calcsize("@L")
_TIME: Final = struct.Struct("@ll")  # struct timespec
_PKTINFO4: Final = struct.Struct("@i4s4s")  # interface, the address to answer from, the address in the header
_LONGEST_WAIT_SECONDS: Final = 600.0  # nothing waits for that long in a buffer of the kernel: a clock was set
_PKTINFO6: Final = struct.Struct("@16sI")


def waited_seconds(arrived_at: float | None, now: float) -> float:
    """Return how long a datagram waited, by the wall clock; 0 where that was set meanwhile, or says nothing."""
    if arrived_at is None:
        return 0.0
    age = now - arrived_at
    return age if 0.0 < age < _LONGEST_WAIT_SECONDS else 0.0


class Datagram(NamedTuple):
    """One datagram as it came. `name` and `local` are kept for the answer: they say from where and to where.

    `local` is our own address where the socket has several, else empty. `age_seconds` is how long the datagram waited
    in the kernel at the most.
    """

    data: bytes
    source: tuple[str, int]
    name: bytes
    local: bytes
    age_seconds: float


class Endpoint(Protocol):
    """A bound UDP socket."""

    address: tuple[str, int]

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""

    def receive(self) -> list[Datagram]:
        """Return what is there, up to the batch size; never waits."""

    def send(self, answers: Sequence[tuple[bytes, Datagram]]) -> int:
        """Send each answer to where its datagram came from, and count those that left."""

    def close(self) -> None:
        """Close the socket."""


@dataclass(frozen=True, slots=True)
class _Control:
    """What the kernel says beside a datagram."""

    local: bytes = b""
    arrived_at: float | None = None


def open_endpoint(
    host: str,
    port: int,
    *,
    batch: int = 64,
    reuse_port: bool = False,
    receive_buffer: int = RECEIVE_BUFFER_OCTETS,
    plain: bool = False,
) -> "BatchEndpoint | PlainEndpoint":
    """Bind a UDP socket. `plain` uses no ctypes; so does a system without recvmmsg."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        _prepare(bound, host, reuse_port=reuse_port, receive_buffer=receive_buffer)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    if plain or RECVMMSG is None:
        return PlainEndpoint(bound, batch)
    return BatchEndpoint(bound, batch)


def _prepare(bound: socket.socket, host: str, *, reuse_port: bool, receive_buffer: int) -> None:
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)  # the system may cap it: net.core.rmem_max
    if reuse_port:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if RECVMMSG is not None:
        bound.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    if bound.family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # an IPv4 router is known by its IPv4 address
    if not _is_wildcard(host):
        return
    if bound.family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    elif RECVMMSG is not None:
        bound.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)


def _is_wildcard(host: str) -> bool:
    return ip_address(host.partition("%")[0]).is_unspecified


# What stands beside a datagram


def _read_control(control: bytes) -> _Control:
    """Walk over the control messages of one datagram (cmsg(3))."""
    local = b""
    arrived_at = None
    at = 0
    while at + _CONTROL_HEADER.size <= len(control):
        length, level, kind = _CONTROL_HEADER.unpack_from(control, at)
        if length < _CONTROL_HEADER.size:
            break
        data = control[at + _CONTROL_HEADER.size : at + length]
        match level, kind:
            case socket.SOL_SOCKET, _ if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIME.unpack(data)
                arrived_at = seconds + nanoseconds / 1e9
            case socket.IPPROTO_IP, _ if kind == _IP_PKTINFO:
                local = _PKTINFO4.unpack(data)[1]
            case socket.IPPROTO_IPV6, socket.IPV6_PKTINFO:
                local = data
            case _:
                pass
        at += (length + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT
    return _Control(local, arrived_at)


def _answer_from(local: bytes) -> tuple[int, int, bytes]:
    """Return the control message that makes an answer leave from `local`, as (level, type, data)."""
    if len(local) == 4:
        return (socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO4.pack(0, local, bytes(4)))
    return (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, local)


def _packed(message: tuple[int, int, bytes]) -> bytes:
    level, kind, data = message
    whole = _CONTROL_HEADER.pack(_CONTROL_HEADER.size + len(data), level, kind) + data
    return whole.ljust((len(whole) + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT, b"\0")


def _source(name: bytes) -> tuple[str, int]:
    """Return address and port of a struct sockaddr_in or sockaddr_in6."""
    (port,) = struct.unpack_from("!H", name, 2)
    if len(name) == 16:
        return (socket.inet_ntop(socket.AF_INET, name[4:8]), port)
    return (socket.inet_ntop(socket.AF_INET6, name[8:24]), port)


class PlainEndpoint:
    """One system call per datagram."""

    def __init__(self, bound: socket.socket, batch: int) -> None:
        self.address: tuple[str, int] = bound.getsockname()[:2]
        self._socket = bound
        self._batch = batch

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._socket.fileno()

    def receive(self) -> list[Datagram]:
        """Return what is there, up to the batch size; never waits."""
        found: list[Datagram] = []
        while len(found) < self._batch:
            try:
                data, ancillary, _, peer = self._socket.recvmsg(SLOT_OCTETS, CONTROL_OCTETS)
            except BlockingIOError:
                break
            except ConnectionError:  # an answer of ours met a closed port
                continue
            control = _read_control(b"".join(_packed(message) for message in ancillary))
            age = waited_seconds(control.arrived_at, time.time())
            scope = f"%{peer[3]}" if len(peer) == 4 and peer[3] else ""
            found.append(Datagram(data, (peer[0], peer[1]), (peer[0] + scope).encode(), control.local, age))
        return found

    def send(self, answers: Sequence[tuple[bytes, Datagram]]) -> int:
        """Send each answer to where its datagram came from, and count those that left."""
        sent = 0
        for data, to in answers:
            control = [_answer_from(to.local)] if to.local else []
            try:
                self._socket.sendmsg([data], control, 0, (to.name.decode(), to.source[1]))
            except OSError:  # as if lost on the way: the router asks again, and the reply is remembered
                continue
            sent += 1
        return sent

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


# The batch calls


class _Slots:
    """Room for a batch of datagrams, laid out once for the kernel; lengths are read and written through views.

    Element access through ctypes costs several times what an index into a memoryview does.
    """

    def __init__(self, count: int) -> None:
        self.headers = (MMsgHdr * count)()
        self.data = bytearray(count * SLOT_OCTETS)
        self.names = bytearray(count * NAME_OCTETS)
        self.controls = bytearray(count * CONTROL_OCTETS)
        self._vectors = (IoVec * count)()
        data, names, controls = (_address(room) for room in (self.data, self.names, self.controls))
        vectors = ctypes.addressof(self._vectors)
        for at in range(count):
            self._vectors[at].base = data + at * SLOT_OCTETS
            self._vectors[at].length = SLOT_OCTETS
            header = self.headers[at].hdr
            header.name = names + at * NAME_OCTETS
            header.namelen = NAME_OCTETS
            header.iov = vectors + at * ctypes.sizeof(IoVec)
            header.iovlen = 1
            header.control = controls + at * CONTROL_OCTETS
            header.controllen = CONTROL_OCTETS
        octets = memoryview(self.headers).cast("B")
        self.words = octets.cast("I")
        self.sizes = octets.cast("L")
        self.vector_sizes = memoryview(self._vectors).cast("B").cast("L")


def _address(room: bytearray) -> int:
    return ctypes.addressof((ctypes.c_char * len(room)).from_buffer(room))


_WORDS: Final = ctypes.sizeof(MMsgHdr) // 4  # from one header to the next, in 32-bit words
_SIZES: Final = ctypes.sizeof(MMsgHdr) // ctypes.sizeof(ctypes.c_size_t)  # and in words of size_t
_NAME_LENGTH: Final = MsgHdr.namelen.offset // 4
_LENGTH: Final = MMsgHdr.len.offset // 4
_CONTROL_LENGTH: Final = MsgHdr.controllen.offset // ctypes.sizeof(ctypes.c_size_t)
_VECTOR_SIZES: Final = ctypes.sizeof(IoVec) // ctypes.sizeof(ctypes.c_size_t)
_VECTOR_LENGTH: Final = IoVec.length.offset // ctypes.sizeof(ctypes.c_size_t)


class BatchEndpoint:
    """One system call per batch."""

    def __init__(self, bound: socket.socket, batch: int) -> None:
        self.address: tuple[str, int] = bound.getsockname()[:2]
        self._socket = bound
        self._descriptor = bound.fileno()
        self._batch = batch
        self._wildcard = _is_wildcard(self.address[0])
        self._in = _Slots(batch)
        self._out = _Slots(batch)
        self._used = 0
        self._sources: dict[bytes, tuple[str, int]] = {}

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._descriptor

    def receive(self) -> list[Datagram]:
        """Return what is there, up to the batch size; never waits."""
        assert RECVMMSG is not None
        slots = self._in
        for at in range(self._used):
            slots.words[at * _WORDS + _NAME_LENGTH] = NAME_OCTETS
            slots.sizes[at * _SIZES + _CONTROL_LENGTH] = CONTROL_OCTETS
        count = RECVMMSG(self._descriptor, ctypes.addressof(slots.headers), self._batch, socket.MSG_DONTWAIT, None)
        self._used = max(count, 0)
        if count <= 0:
            # EAGAIN: nothing there. ECONNREFUSED and the like: an answer of ours met a closed port.
            return []
        age = self._age(0)
        found = []
        words, data = slots.words, slots.data
        for at in range(count):
            start = at * SLOT_OCTETS
            begin = at * NAME_OCTETS
            name = bytes(slots.names[begin : begin + words[at * _WORDS + _NAME_LENGTH]])
            source = self._sources.get(name)
            if source is None:
                source = self._remember(name)
            local = self._control(at).local if self._wildcard else b""
            if age > YOUNG_SECONDS:
                age = self._age(at)
            found.append(Datagram(bytes(data[start : start + words[at * _WORDS + _LENGTH]]), source, name, local, age))
        return found

    def send(self, answers: Sequence[tuple[bytes, Datagram]]) -> int:
        """Send each answer to where its datagram came from, and count those that left."""
        return sum(self._send(answers[at : at + self._batch]) for at in range(0, len(answers), self._batch))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, answers: Sequence[tuple[bytes, Datagram]]) -> int:
        assert SENDMMSG is not None
        slots = self._out
        for at, (data, to) in enumerate(answers):
            slots.data[at * SLOT_OCTETS : at * SLOT_OCTETS + len(data)] = data
            slots.vector_sizes[at * _VECTOR_SIZES + _VECTOR_LENGTH] = len(data)
            slots.names[at * NAME_OCTETS : at * NAME_OCTETS + len(to.name)] = to.name
            slots.words[at * _WORDS + _NAME_LENGTH] = len(to.name)
            control = _packed(_answer_from(to.local)) if to.local else b""
            slots.controls[at * CONTROL_OCTETS : at * CONTROL_OCTETS + len(control)] = control
            slots.sizes[at * _SIZES + _CONTROL_LENGTH] = len(control)
        start = ctypes.addressof(slots.headers)
        done = sent = 0
        while done < len(answers):
            count = SENDMMSG(
                self._descriptor, start + done * ctypes.sizeof(MMsgHdr), len(answers) - done, socket.MSG_DONTWAIT
            )
            if count > 0:
                done += count
                sent += count
            elif ctypes.get_errno() != errno.EAGAIN or not self._writable():
                done += 1  # as if lost on the way: the router asks again, and the reply is remembered
        return sent

    def _writable(self) -> bool:
        return bool(select.select((), (self._descriptor,), (), SEND_WAIT_SECONDS)[1])

    def _control(self, at: int) -> _Control:
        start = at * CONTROL_OCTETS
        return _read_control(bytes(self._in.controls[start : start + self._in.sizes[at * _SIZES + _CONTROL_LENGTH]]))

    def _age(self, at: int) -> float:
        """Return how long one datagram waited."""
        return waited_seconds(self._control(at).arrived_at, time.time())

    def _remember(self, name: bytes) -> tuple[str, int]:
        if len(self._sources) >= NAMES_KEPT:
            self._sources.clear()
        source = self._sources[name] = _source(name)
        return source
