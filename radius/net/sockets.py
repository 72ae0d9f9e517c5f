"""The sockets of a server: which of them have something to read, what wakes up who waits, how the answers leave.

No clock here, and no word of RADIUS: a socket knows its service and carries octets.
"""

import contextlib
import selectors
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from radius.backend import Service
from radius.net.buffers import ReceiveBuffer, receive_buffer
from radius.net.datagrams import Datagram, Endpoint, open_endpoint


@dataclass(frozen=True, slots=True)
class Listen:
    """A socket to bind: `host` is a literal address, a wildcard among them; port 0 takes any."""

    service: Service
    host: str
    port: int


class Bound:
    """An endpoint, its service, and the answers of this turn that leave by it."""

    __slots__ = ("answers", "endpoint", "number", "service")

    def __init__(self, endpoint: Endpoint, service: Service, number: int) -> None:
        self.endpoint = endpoint
        self.service = service
        self.number = number
        self.answers: list[tuple[bytes, Datagram]] = []


class Sockets:
    """All sockets of a server, bound when this is made; `poke` may be used from any thread or signal handler."""

    def __init__(
        self, listens: Sequence[Listen], *, batch: int, reuse_port: bool, receive_buffer: int, plain: bool
    ) -> None:
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._wake_end, self._sleep_end = socket.socketpair()
        self._wake_end.setblocking(False)
        self._sleep_end.setblocking(False)
        self._selector.register(self._sleep_end, selectors.EVENT_READ)
        self._bound: list[Bound] = []
        try:
            for listen in listens:
                endpoint = open_endpoint(
                    listen.host,
                    listen.port,
                    batch=batch,
                    reuse_port=reuse_port,
                    receive_buffer=receive_buffer,
                    plain=plain,
                )
                self._bound.append(Bound(endpoint, listen.service, len(self._bound)))
                self._selector.register(endpoint, selectors.EVENT_READ, self._bound[-1])
        except OSError:
            self.close()
            raise

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Return where the sockets are bound, in the order of `listens`."""
        return [bound.endpoint.address for bound in self._bound]

    def receive_buffers(self) -> list[tuple[Service, ReceiveBuffer]]:
        """Return how each socket's buffer in the kernel stands, in the order of `listens`; nothing once closed."""
        if self._closed:
            return []
        return [(bound.service, receive_buffer(bound.endpoint.fileno())) for bound in self._bound]

    def wait(self, seconds: float) -> list[Bound]:
        """Return those that have something to read; none when the time is over or somebody has poked."""
        ready = [key.data for key, _ in self._selector.select(seconds) if key.data]
        with contextlib.suppress(BlockingIOError):
            self._sleep_end.recv(4096)
        return ready

    def poke(self) -> None:
        """Let `wait` return."""
        with contextlib.suppress(OSError):  # full: the loop wakes up anyway; closed: it is over
            self._wake_end.send(b"\0")

    def send(self) -> int:
        """Send the answers of this turn, and count those that the kernel did not take."""
        unsent = 0
        for bound in self._bound:
            if bound.answers:
                unsent += len(bound.answers) - bound.endpoint.send(bound.answers)
                bound.answers.clear()
        return unsent

    def close(self) -> None:
        """Close every socket."""
        self._closed = True
        self._selector.close()
        self._wake_end.close()
        self._sleep_end.close()
        for bound in self._bound:
            bound.endpoint.close()
