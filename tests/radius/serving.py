"""A server in a thread on loopback, and how to ask it; waits are for conditions, with a bound."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from radius import Accept, Authorization, Code, Demand, Service, Timing
from radius.net import datagrams
from radius.net.client import Answered, Silence
from radius.net.events import Event
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from tests.radius.support import CLASS, FakeBackend, make_nas

HASTE = Timing(first_seconds=2, longest_seconds=2, attempts=3, give_up_seconds=6)  # so long no answer takes
ONCE = Timing(first_seconds=1, longest_seconds=1, attempts=1, give_up_seconds=1)
ACCEPT = Accept(Authorization(session_timeout_seconds=60), CLASS)

KINDS = [pytest.param(False, id="batch"), pytest.param(True, id="plain")]
HOSTS = [
    pytest.param("127.0.0.1", "127.0.0.1", id="IPv4"),
    pytest.param("::1", "::1", id="IPv6"),
    pytest.param("0.0.0.0", "127.0.0.5", id="IPv4 wildcard"),
    pytest.param("::", "::1", id="IPv6 wildcard"),
]


def make_backend() -> FakeBackend:
    backend = FakeBackend()
    for address in ("127.0.0.1", "::1"):
        backend.add(address, make_nas(address, require=Demand.NO))
    return backend


class Running:
    """A server in a thread, and where to ask it."""

    def __init__(self, server: UdpServer, host: str) -> None:
        self.server = server
        self.auth, self.acct = ((host, port) for _, port in server.addresses)
        self.thread = threading.Thread(target=server.run)

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


@contextmanager
def serving(
    backend: FakeBackend,
    host: str = "127.0.0.1",
    *,
    asked: str | None = None,
    plain: bool = False,
    observer: Callable[[Event], None] | None = None,
    everything: bool = True,
    patience_seconds: float = 10.0,
    most_waiting: int = 100,
) -> Iterator[Running]:
    listens = [Listen(Service.AUTH, host, 0), Listen(Service.ACCT, host, 0)]
    server = UdpServer(
        backend,
        listens,
        plain=plain,
        observer=observer,
        everything=everything,
        patience_seconds=patience_seconds,
        most_waiting=most_waiting,
    )
    running = Running(server, asked or host)
    running.thread.start()
    try:
        yield running
    finally:
        running.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    bound = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < bound, "waited in vain"
        time.sleep(0.005)


def read_late(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make all that waits in the kernel older. (It may stamp the first datagram only when that is read.)"""
    monkeypatch.setattr(datagrams, "time", SimpleNamespace(time=lambda: time.time() + seconds))


def code_of(result: Answered | Silence) -> Code:
    assert isinstance(result, Answered), result
    return result.reply.code
