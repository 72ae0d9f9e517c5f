"""recvmmsg and sendmmsg through ctypes: many datagrams per system call (recvmmsg(2), sendmmsg(2)).

RECVMMSG takes (descriptor, address of the first MMsgHdr, count, flags, address of a timeout or None), SENDMMSG the
same without the timeout; each returns how many datagrams, or -1 with `ctypes.get_errno()`. None where there is none.
"""

import ctypes
from typing import Final


class IoVec(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class MsgHdr(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class MMsgHdr(ctypes.Structure):
    """struct mmsghdr: `len` is how many octets came or went."""

    _fields_ = (("hdr", MsgHdr), ("len", ctypes.c_uint))


def _call(name: str, *, waits: bool) -> "ctypes._FuncPointer | None":
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is not None:
        arguments = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
        function.argtypes = [*arguments, ctypes.c_void_p] if waits else arguments
        function.restype = ctypes.c_int
    return function


RECVMMSG: Final = _call("recvmmsg", waits=True)
SENDMMSG: Final = _call("sendmmsg", waits=False)
