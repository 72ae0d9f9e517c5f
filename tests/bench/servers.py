"""Servers for the load generator: our own with a small application behind it, and one that answers as it is told."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from app.bench.judging import Demands
from app.bench.kinds import Kind
from app.bench.loop import Pace
from app.bench.people import Pattern, People
from app.bench.rounds import Plan
from app.bench.writing import Steps
from radius.backend import Service
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from radius.signatures import prepared
from tests.radius.support import SECRET, FakeBackend, make_nas

PASSWORD = "rahasia"
Ports = tuple[int, int]


@contextmanager
def serving(backend: FakeBackend) -> Iterator[Ports]:
    """Run our server for a backend; give its ports for Access- and Accounting-Requests."""
    for address in ("127.0.0.1", "127.0.0.2"):
        backend.add(address, make_nas(address))
    server = UdpServer(backend, [Listen(service, "127.0.0.1", 0) for service in (Service.AUTH, Service.ACCT)])
    thread = threading.Thread(target=server.run)
    thread.start()
    (_, auth), (_, acct) = server.addresses
    try:
        yield auth, acct
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


class Scripted:
    """Answers each datagram with what `answer` returns for it; all that came is in `heard`."""

    def __init__(self, answer: Callable[[bytes], Sequence[bytes]]) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)  # room for all that 256 Identifiers allow
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            while self._thread.is_alive():  # a datagram is lost where the buffer is full
                last.sendto(b"", ("127.0.0.1", self.port))
                self._thread.join(0.1)
        self._socket.close()

    def _run(self) -> None:
        while True:
            request, source = self._socket.recvfrom(4096)
            if not request:
                return
            self.heard.append(request)
            for reply in self._answer(request):
                self._socket.sendto(reply, source)


def plan(
    ports: Ports,
    kind: Kind = Kind.AUTH,
    *,
    requests: int | None = 40,
    people: People | None = None,
    window: int = 16,
    sockets: int = 2,
    resend: float = 5.0,
    attempts: int = 3,
    steps: Steps | None = None,
    rate: float | None = None,
    seconds: float | None = None,
    wrong: float = 0.0,
    log_in: bool = True,
    unsigned: bool = False,
    proxy_state: bool = False,
) -> Plan:
    return Plan(
        kind=kind,
        host="127.0.0.1",
        auth_port=ports[0],
        acct_port=ports[1],
        demands=Demands(prepared(SECRET), unsigned=unsigned, proxy_state=proxy_state),
        people=people or Pattern("user{}", PASSWORD, 0, 50),
        sources=["127.0.0.1"] * sockets,
        pace=Pace(window, rate, resend, attempts),
        seconds=seconds,
        requests=requests,
        steps=steps or Steps(),
        wrong_percent=wrong,
        log_in=log_in,
    )
