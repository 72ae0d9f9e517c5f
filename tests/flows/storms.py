"""So many requests a second, half log-ins, half accounting, sent again as a router does, whatever the server does.

Each accounting packet is a Stop of a session of its own: what became of it is one row.
"""

import os
import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from sqlalchemy import func, select

from app.db.engine import Database
from app.db.tables.journals import access_log
from app.db.tables.sessions import sessions
from radius.attributes import Attributes
from radius.client_engine import (
    CHANCE_OCTETS,
    AccessQuery,
    AccountingQuery,
    ClientEngine,
    Exchange,
    Query,
    Reply,
    Timing,
)
from radius.codes import Code
from radius.credentials import PapPassword
from tests.flows.logins import ROUTER_TIMING, SECRET
from tests.flows.serving import Installation

LANES: Final = 64  # sockets towards each port, with 256 identifiers each: enough for a minute of silence
_LOOK_SECONDS: Final = 0.1
ACCOUNTING_TIMING: Final = Timing(first_seconds=1.1, longest_seconds=1.1, attempts=1000, give_up_seconds=1000.0)


class _Lane:
    """One socket of a router towards one port of the server."""

    def __init__(self, port: int, timing: Timing) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port))
        self.engine = ClientEngine(SECRET.encode(), timing=timing)

    def ask(self, query: Query) -> Exchange:
        begun = self.engine.ask(query, now=time.monotonic(), chance=os.urandom(CHANCE_OCTETS))
        self._send(begun)
        return begun

    def send_again(self) -> list[Exchange]:
        """Send what is due; return what is given up."""
        again, over = self.engine.due(time.monotonic())
        for one in again:
            self._send(one)
        return over

    def receive(self) -> list[Reply]:
        replies: list[Reply] = []
        while True:
            try:
                reply = self.engine.receive(self.socket.recv(4096))
            except BlockingIOError:
                return replies
            except ConnectionError:  # nobody is there just now
                continue
            if isinstance(reply, Reply):
                replies.append(reply)

    def _send(self, one: Exchange) -> None:
        try:
            self.socket.send(one.datagram)
        except (BlockingIOError, ConnectionError):  # as if lost on the way
            return


@dataclass
class Storm:
    """Requests at a steady rate; `waits` are the seconds that each log-in took, `unanswered` those given up.

    `acknowledged` are the sessions whose Stop was, with its octets; `accepted` the devices that were let in at once.
    """

    installation: Installation
    a_second: int
    waits: list[float] = field(default_factory=list)
    unanswered: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._auth = deque(_Lane(self.installation.auth_port, ROUTER_TIMING) for _ in range(LANES))
        self._acct = deque(_Lane(self.installation.acct_port, ACCOUNTING_TIMING) for _ in range(LANES))
        self._meant: dict[int, tuple[Exchange, str, int]] = {}  # by identity, which the entry keeps alive: name, octets
        self._sent = 0

    @property
    def settled(self) -> bool:
        """Tell whether nobody waits for longer than an answer takes."""
        return all(time.monotonic() - one.began < 0.5 for one, _, _ in list(self._meant.values()))

    def blow_until(self, stop: Event) -> None:
        """Send until stopped, and then only again, until everything has its answer or is given up."""
        lanes = {lane.socket: lane for lane in (*self._auth, *self._acct)}
        with selectors.DefaultSelector() as selector:
            for one in lanes:
                selector.register(one, selectors.EVENT_READ)
            began, before, look_at = time.monotonic(), self._sent, 0.0
            while not stop.is_set() or self._meant:
                due = 0 if stop.is_set() else before + int((time.monotonic() - began) * self.a_second)
                while self._sent < due:
                    self._send_one()
                for key, _ in selector.select(1 / self.a_second):
                    for reply in lanes[key.fileobj].receive():  # type: ignore[index] # only sockets are registered
                        self._take(reply)
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _LOOK_SECONDS
                    for lane in lanes.values():
                        self._give_up(lane.send_again())

    def close(self) -> None:
        for lane in (*self._auth, *self._acct):
            lane.socket.close()

    def kept(self, database: Database, *, all_recorded: bool = True) -> None:
        """What was acknowledged is in the database, once and to the octet; and the Accepts, where there was a disk."""
        with database.read() as connection:
            rows = connection.execute(
                select(sessions.c.acct_session_id, sessions.c.down_octets, func.count())
                .where(sessions.c.mac.startswith("02:dd"))
                .group_by(sessions.c.acct_session_id, sessions.c.down_octets)
            ).all()
            log = access_log.c
            accepts = connection.execute(select(log.mac).where(log.mac.startswith("02:ee"), log.outcome == "accept"))
            logged = {row.mac for row in accepts}
        stored = {session: octets for session, octets, _ in rows}
        assert len(stored) == len(rows)
        assert all(count == 1 for _, _, count in rows)
        assert self.acknowledged.items() <= stored.items()
        assert self.accepted <= logged or not all_recorded

    def _send_one(self) -> None:
        self._sent += 1
        number = self._sent
        tail = f"{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        said = Attributes([("User-Name", "budi"), ("NAS-Identifier", "kantor"), ("Acct-Session-Id", f"8{number:07x}")])
        lanes = self._auth if number % 2 else self._acct
        lanes.rotate()
        if number % 2:
            mac = f"02:ee:00:{tail}"
            query: Query = AccessQuery(said.add("Calling-Station-Id", mac), PapPassword(b"rahasia-123"))
            meant = (mac, 0)
        else:
            octets = 1_000_000 + number
            said.add("Calling-Station-Id", f"02:dd:00:{tail}").add("Acct-Status-Type", "Stop")
            query = AccountingQuery(said.add("Acct-Output-Octets", octets))
            meant = (f"8{number:07x}", octets)
        exchange = lanes[0].ask(query)
        self._meant[id(exchange)] = (exchange, *meant)

    def _give_up(self, exchanges: list[Exchange]) -> None:
        self.unanswered += len(exchanges)
        for one in exchanges:
            del self._meant[id(one)]

    def _take(self, reply: Reply) -> None:
        _, name, octets = self._meant.pop(id(reply.exchange))
        if reply.code is Code.ACCOUNTING_RESPONSE:
            self.acknowledged[name] = octets
            return
        assert reply.code is Code.ACCESS_ACCEPT
        seconds = time.monotonic() - reply.exchange.began
        self.waits.append(seconds)
        if seconds < 0.1:
            self.accepted.add(name)
