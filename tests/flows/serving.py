"""Real processes on loopback, one by one or all by `pesisir serve`, and a router's side of UDP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from app.db.engine import Database
from app.node.running import read_running
from radius.codes import Code
from radius.signatures import SharedSecret, prepared, sign_accounting_request, verify_reply
from tests.conftest import SECRET_KEY
from tests.node.journals import until

START_SECONDS = 60.0
_NAMES: list[socket.socket] = []
RADIUS, WORKER, HTTP, SUPERVISOR, ALL = "radius-0", "worker", "http", "supervisor", "all"


@cache
def _own_ports() -> Iterator[int]:
    """Return a share of the ports below those that the kernel gives to clients, round and round.

    None of these takes one while its server is dead; and no other process of tests has the same share, because each
    holds the name of its own until it ends.
    """
    for first in range(12_000, 22_000, 100):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0pesisir-tests-{first}")
        except OSError:
            name.close()
        else:
            _NAMES.append(name)
            return cycle(range(first, first + 100))
    raise AssertionError("a hundred processes of tests run on this machine")


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_udp_ports(count: int) -> list[int]:
    """Return ports that nothing else takes while their server is dead."""
    return list(islice((port for port in _own_ports() if _is_free(socket.SOCK_DGRAM, port)), count))


def free_tcp_port() -> int:
    """Return a port for a listener, likewise."""
    return next(port for port in _own_ports() if _is_free(socket.SOCK_STREAM, port))


@dataclass
class Installation:
    """One data directory and what runs on it. Ports stay the same when a process starts again."""

    database: Database
    data_dir: Path
    more: Mapping[str, str] = field(default_factory=dict)
    auth_port: int = 0
    acct_port: int = 0

    def __post_init__(self) -> None:
        self.auth_port, self.acct_port = free_udp_ports(2)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PESISIR_")}
        return {
            **kept,
            "PESISIR_DATA_DIR": str(self.data_dir),
            "PESISIR_DATABASE_URL": self.database.engine.url.set(
                drivername=self.database.engine.dialect.name
            ).render_as_string(hide_password=False),
            "PESISIR_SECRET_KEY": SECRET_KEY.hex(),
            "PESISIR_RADIUS_AUTH_LISTEN": f"127.0.0.1:{self.auth_port}",
            "PESISIR_RADIUS_ACCT_LISTEN": f"127.0.0.1:{self.acct_port}",
            "PESISIR_HTTP_LISTEN": "127.0.0.1:0",
            "PESISIR_ADMIN_LISTEN": "127.0.0.1:0",
            "PESISIR_STATUS_LISTEN": "127.0.0.1:0",
            **self.more,
        }

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one process; its talk goes to a file beside the data."""
        log = self.data_dir.parent / f"{'-'.join(arguments)}.log"
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "app.main", *arguments], env=self.environment, stdout=out, stderr=out
            )

    def wait_ready(self, process: subprocess.Popen[bytes], name: str) -> dict[str, object]:
        """Wait until this very process says that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            said = read_running(self.data_dir).get(name, {})
            if said.get("pid") == process.pid:
                return said
            assert process.poll() is None, self.talk()
            assert time.monotonic() < deadline, self.talk()
            time.sleep(0.02)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run one process while the block runs, and end it gracefully."""
        process = self.start(*arguments)
        try:
            self.wait_ready(process, "-".join(argument for argument in arguments if not argument.startswith("--")))
            yield process
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextmanager
    def waiting(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run one process while the block runs, whether it ever gets ready or not."""
        process = self.start(*arguments)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def talk(self) -> str:
        """Return what the processes have said."""
        return "\n".join(path.read_text() for path in sorted(self.data_dir.parent.glob("*.log")))


class Serving:
    """`pesisir serve`, started again whenever it was killed itself."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "serve"]
        with (self.installation.data_dir.parent / "serve.log").open("ab") as out:
            self._process = subprocess.Popen(command, env=self.installation.environment, stdout=out, stderr=out)

    def pid(self, name: str) -> int | None:
        said = read_running(self.installation.data_dir).get(name, {}).get("pid")
        return said if isinstance(said, int) else None

    def wait_ready(self, *names: str) -> None:
        until(lambda: all(self.pid(name) is not None for name in names), seconds=60)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to one process; what is not running just now does not hear it."""
        pid = self.pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, victim: str) -> None:
        """Kill one process, or the supervisor, or each of them."""
        for name in (RADIUS, WORKER, HTTP):
            if victim in (ALL, name):
                self.signal(name, signal.SIGKILL)
        if victim in (SUPERVISOR, ALL):
            self._process.kill()
            self._process.wait()
            self.start()

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self._process.terminate()
        return self._process.wait(60)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def serving(installation: Installation) -> Iterator[Serving]:
    installation.data_dir.mkdir(exist_ok=True)
    made = Serving(installation)
    try:
        made.wait_ready(RADIUS, WORKER, HTTP)
        yield made
    finally:
        made.end()


Waiting = dict[int, tuple[SharedSecret, bytes]]
"""By identifier: the secret of a packet that is not acknowledged yet, and the packet."""


class Router:
    """Sends Accounting-Requests until each is acknowledged, as a router does: the same octets again."""

    def __init__(self, acct_port: int) -> None:
        self._server = ("127.0.0.1", acct_port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.resent = 0

    def close(self) -> None:
        self._socket.close()

    def send(self, bodies: Sequence[tuple[bytes, bytes]], *, patience: float = 120.0) -> None:
        """Send (secret, attributes) of at most 256 packets, and come back when all are acknowledged."""
        waiting: Waiting = {}
        for identifier, (secret, body) in enumerate(bodies):
            key = prepared(secret)
            packet = sign_accounting_request(key, Code.ACCOUNTING_REQUEST, identifier, body, message=False)
            waiting[identifier] = (key, packet)
        deadline = time.monotonic() + patience
        self._send(waiting)
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} packets are never acknowledged"
            if not self._receive(waiting):
                self.resent += len(waiting)
                self._send(waiting)

    def _send(self, waiting: Waiting) -> None:
        for _, packet in waiting.values():
            with suppress(ConnectionRefusedError):
                self._socket.sendto(packet, self._server)

    def _receive(self, waiting: Waiting) -> bool:
        """Take acknowledgements; False when none came for a while."""
        self._socket.settimeout(0.4)
        try:
            while waiting:
                datagram = self._socket.recv(4096)
                key, packet = waiting.get(datagram[1], (None, b""))
                # An answer to a packet that was sent twice may come when its identifier means another one.
                if key is not None and verify_reply(key, datagram, packet[4:20]):
                    del waiting[datagram[1]]
        except TimeoutError:
            return False
        except ConnectionRefusedError:
            time.sleep(0.05)
        return True
