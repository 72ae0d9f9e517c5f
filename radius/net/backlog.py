"""Datagrams that an overloaded server has read and not worked on yet: what matters most first, what matters least lost.

Under a load that it can carry nothing waits here: only once datagrams have waited for long in the kernel, which drops
whatever comes when its buffer is full, are they taken out of it and sorted. No I/O, no clock here.
"""

from collections import deque
from enum import IntEnum
from typing import Final, Generic, TypeVar

from radius.codes import Code, StatusType

D = TypeVar("D")

_STATE: Final = 24
_ACCT_STATUS_TYPE: Final = 40
_INTERIM: Final = int(StatusType.INTERIM_UPDATE).to_bytes(4)
_HEADER: Final = 20


class Worth(IntEnum):
    """In which order datagrams are worked on; the last is lost first (RFC 5080 section 2.2.3).

    An Access-Request with State goes on with a conversation in which both sides have put work. An Interim-Update that
    is lost is made good by the next one, and the router keeps what was not acknowledged.
    """

    CONVERSATION = 0
    OTHER = 1  # Start, Stop, restarts, Status-Server, and what makes no sense
    LOGIN = 2  # an Access-Request without State
    INTERIM = 3


def worth(datagram: bytes) -> Worth:
    """Return what a datagram is worth, by a look at it before anything in it is verified."""
    code = datagram[0] if datagram else 0
    if code == Code.ACCESS_REQUEST:
        return Worth.LOGIN if _first(datagram, _STATE) is None else Worth.CONVERSATION
    if code == Code.ACCOUNTING_REQUEST and _first(datagram, _ACCT_STATUS_TYPE) == _INTERIM:
        return Worth.INTERIM
    return Worth.OTHER


def _first(datagram: bytes, number: int) -> bytes | None:
    """Return the first value of an attribute; None where the walk does not come to one."""
    at = _HEADER
    while at + 2 <= len(datagram):
        size = datagram[at + 1]
        if size < 2:
            return None
        if datagram[at] == number:
            return datagram[at + 2 : at + size]
        at += size
    return None


class Backlog(Generic[D]):
    """At most `most` items, by worth; among equals the oldest comes first, and is lost first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: dict[Worth, deque[D]] = {worth: deque() for worth in Worth}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, item: D, worth: Worth) -> D | None:
        """Keep an item; return the one that is lost for it, if there is no room: it may be itself."""
        self._items[worth].append(item)
        self._count += 1
        return self._lose() if self._count > self._most else None

    def take(self, most: int) -> list[D]:
        """Take out the items that matter most."""
        taken: list[D] = []
        for items in self._items.values():
            while items and len(taken) < most:
                taken.append(items.popleft())
        self._count -= len(taken)
        return taken

    def _lose(self) -> D:
        self._count -= 1
        return next(items for worth in reversed(Worth) if (items := self._items[worth])).popleft()
