"""How full the kernel's receive buffer of a UDP socket is, and how many datagrams it had no room for."""

import socket
import struct
from typing import Final, NamedTuple

_SO_MEMINFO: Final = 55  # include/uapi/asm-generic/socket.h, Linux 4.12; not in Python's socket module
_MEMORY: Final = struct.Struct("@9I")  # SK_MEMINFO_RMEM_ALLOC, _RCVBUF, ..., _DROPS: include/uapi/linux/sock_diag.h


class ReceiveBuffer(NamedTuple):
    """Octets that wait, octets that there is room for (both with the kernel's own overhead), datagrams lost so far."""

    waiting: int
    size: int
    dropped: int


def receive_buffer(descriptor: int) -> ReceiveBuffer:
    """Ask the kernel about one socket; it knows of a loss at once, while SO_RXQ_OVFL comes with a later datagram."""
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_DGRAM) as copy:
        waiting, size, *_, dropped = _MEMORY.unpack(copy.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size))
    return ReceiveBuffer(waiting, size, dropped)
