"""Replies already given, so that a request that comes twice is answered twice and worked on once.

RFC 5080 section 2.2.2. A reply is learned only when it is formed, which is after the application's sync: a repeated
packet whose first copy could not be stored is not acknowledged from here. No I/O, no clock here.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

LIFE_SECONDS: Final = 10.0  # a router's patience; RFC 5080 asks for 5 to 30 s
MOST_PER_CLIENT: Final = 16384  # 256 identifiers on each of 64 ports
MOST_CLIENTS: Final = 16384

Key = tuple[tuple[str, int], Hashable, int, int]  # source address and port, local socket, code, Identifier


class _Entry:
    __slots__ = ("authenticator", "expires", "reply")

    def __init__(self, authenticator: bytes, expires: float) -> None:
        self.authenticator = authenticator
        self.expires = expires
        self.reply: bytes | None = None


class ReplyCache:
    """What each client asked lately, bounded per client and in all; the oldest gives way.

    A key that comes back with another Request Authenticator is a new request and replaces the old entry.
    """

    __slots__ = ("_clients", "_life", "_most_clients", "_most_per_client")

    def __init__(
        self,
        *,
        life_seconds: float = LIFE_SECONDS,
        most_per_client: int = MOST_PER_CLIENT,
        most_clients: int = MOST_CLIENTS,
    ) -> None:
        self._life = life_seconds
        self._most_per_client = most_per_client
        self._most_clients = most_clients
        # Ordered dictionaries: the front of a plain one, once emptied, is walked over again by every look at its front.
        self._clients: OrderedDict[str, OrderedDict[Key, _Entry]] = OrderedDict()

    def begin(self, key: Key, authenticator: bytes, now: float) -> bytes | bool:
        """Return the earlier reply; True if the request is new, and in work from now on; False if it is in work.

        A hit keeps the entry for twice its life: that router is losing our replies.
        """
        entries = self._clients.get(key[0][0])
        if entries is None:
            entries = self._new_client(key[0][0])
        entry = entries.pop(key, None)
        if entry is not None and entry.expires > now and entry.authenticator == authenticator:
            entries[key] = entry
            if entry.reply is None:
                return False
            entry.expires = now + 2 * self._life
            return entry.reply
        if len(entries) >= self._most_per_client:
            self._make_room(entries, now)
        entries[key] = _Entry(authenticator, now + self._life)
        return True

    def finish(self, key: Key, authenticator: bytes, reply: bytes, now: float) -> None:
        """Remember the reply, unless the request has been replaced or pushed out meanwhile."""
        entries = self._clients.get(key[0][0])
        entry = None if entries is None else entries.get(key)
        if entry is not None and entry.authenticator == authenticator:
            entry.reply = reply
            entry.expires = now + self._life

    def forget(self, key: Key, authenticator: bytes) -> None:
        """Drop a request that gets no reply: its next copy is worked on anew."""
        entries = self._clients.get(key[0][0])
        entry = None if entries is None else entries.get(key)
        if entries and entry is not None and entry.authenticator == authenticator and entry.reply is None:
            del entries[key]

    def sweep(self, now: float) -> None:
        """Drop all that is over; called now and then, for clients that do not come back."""
        for address, entries in list(self._clients.items()):
            self._make_room(entries, now)
            if not entries:
                del self._clients[address]

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._clients.values())

    def _new_client(self, address: str) -> OrderedDict[Key, _Entry]:
        if len(self._clients) >= self._most_clients:
            self._clients.popitem(last=False)
        entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._clients[address] = entries
        return entries

    def _make_room(self, entries: OrderedDict[Key, _Entry], now: float) -> None:
        """Drop from the front, where the oldest stand, what is over, and one more when the client is at its bound."""
        while entries:
            oldest = next(iter(entries))
            if entries[oldest].expires > now and len(entries) < self._most_per_client:
                return
            del entries[oldest]
