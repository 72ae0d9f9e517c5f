"""The same client for a program that runs on asyncio: many questions at a time, over as many sockets as they need."""

import asyncio
import os
from typing import Final, cast

from radius.client_engine import CHANCE_OCTETS, ClientEngine, Exchange, NoIdentifierError, Query, Reply, Timing
from radius.net.client import Answered, Silence

MOST_SOCKETS: Final = 64
IDENTIFIERS: Final = 256  # questions at a time on each


class AsyncClient:
    """Questions to one server. `ask` waits for the answer; more than 256 at a time open further sockets."""

    def __init__(
        self,
        server: tuple[str, int],
        secret: bytes,
        *,
        timing: Timing | None = None,
        sign: bool = True,
        require_message_authenticator: bool = False,
        source: str | None = None,
    ) -> None:
        self._server = server
        self._secret = secret
        self._timing = timing
        self._sign = sign
        self._require = require_message_authenticator
        self._source = source
        self._sockets: list[_Socket] = []
        self._opening = asyncio.Lock()
        self._closed = False

    async def ask(self, query: Query) -> Answered | Silence:
        """Send a question, again where needed, and return what came of it; Silence once this is closed."""
        asking = self._with_room()
        if asking is None:
            async with self._opening:  # who waited here finds the socket that the first of them opened
                asking = self._with_room() or await self._open()
        if self._closed:
            asking.close()
            return Silence(0, ())
        return await asking.ask(query)

    def _with_room(self) -> "_Socket | None":
        return next((asking for asking in self._sockets if asking.has_room), None)

    def close(self) -> None:
        """Close the sockets for good; whoever still waits gets Silence."""
        self._closed = True
        for asking in self._sockets:
            asking.close()
        self._sockets.clear()

    async def _open(self) -> "_Socket":
        if len(self._sockets) >= MOST_SOCKETS:
            raise NoIdentifierError
        engine = ClientEngine(
            self._secret,
            timing=self._timing,
            sign=self._sign,
            require_message_authenticator=self._require,
        )
        _, asking = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Socket(engine),
            local_addr=None if self._source is None else (self._source, 0),
            remote_addr=self._server,
        )
        self._sockets.append(asking)
        return asking


class _Socket(asyncio.DatagramProtocol):
    """Moves datagrams and time between an event loop and a ClientEngine."""

    def __init__(self, engine: ClientEngine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, tuple[Exchange, asyncio.Future[Answered | Silence]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def has_room(self) -> bool:
        return self._engine.waiting < IDENTIFIERS

    async def ask(self, query: Query) -> Answered | Silence:
        began = self._engine.ask(query, now=self._loop.time(), chance=os.urandom(CHANCE_OCTETS))
        future: asyncio.Future[Answered | Silence] = self._loop.create_future()
        self._waiting[began.identifier] = (began, future)
        self._send(began)
        self._set_timer()
        try:
            return await future
        finally:
            self._engine.cancel(began)  # nothing, unless the caller was cancelled

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # 3.11's own class does not derive from it

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  # asyncio's name; it is connected
        reply = self._engine.receive(data)
        if isinstance(reply, Reply):
            began = reply.exchange
            self._resolve(began, Answered(reply, self._loop.time() - began.began, began.attempts))

    def error_received(self, exc: Exception) -> None:
        """Take no notice: nobody is there yet, and the next attempt may find it."""

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for began, _ in list(self._waiting.values()):
            self._resolve(began, Silence(began.attempts, tuple(began.dropped)))
        if self._transport is not None:
            self._transport.close()

    def _on_time(self) -> None:
        self._timer = None
        again, over = self._engine.due(self._loop.time())
        for each in again:
            self._send(each)
        for each in over:
            self._resolve(each, Silence(each.attempts, tuple(each.dropped)))
        self._set_timer()

    def _set_timer(self) -> None:
        moment = self._engine.next_at()
        if self._timer is not None and (moment is None or moment < self._timer.when()):
            self._timer.cancel()
            self._timer = None
        if self._timer is None and moment is not None:
            self._timer = self._loop.call_at(moment, self._on_time)

    def _send(self, each: Exchange) -> None:
        if self._transport is not None:
            self._transport.sendto(each.datagram)

    def _resolve(self, began: Exchange, result: Answered | Silence) -> None:
        waiting = self._waiting.get(began.identifier)
        if waiting is not None and waiting[0] is began:
            del self._waiting[began.identifier]
            if not waiting[1].done():
                waiting[1].set_result(result)
