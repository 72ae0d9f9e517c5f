"""Where a running RADIUS process shows its datagrams: `<data dir>/run/<process>.trace`, a Unix socket of its owner.

Who connects sends a filter as one line of JSON, gets `{"process": ...}`, and then a line per datagram. While nobody is
connected the server makes no events of what went well. A reader that is too slow loses datagrams, and is told how many:
the loop only puts an event into a queue of limited length; taking apart and writing is for the reader's own thread.
"""

import contextlib
import json
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import structlog

from app.node.trace import Traced, TraceFilter
from radius.net.events import Event

MOST_WAITING: Final = 1000  # events of one reader
MOST_READERS: Final = 8
_LONGEST_FILTER: Final = 4096
_FILTER_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.5

log = structlog.get_logger("node")

Describe = Callable[[Event, TraceFilter], Traced | None]


def trace_path(data_dir: Path, process: str) -> Path:
    """Return the socket of a process."""
    return data_dir / "run" / f"{process}.trace"


def connect(path: Path) -> socket.socket:
    """Connect to the socket of a process; raise OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as name:
            connection.connect(name)
    except OSError:
        connection.close()
        raise
    return connection


class TraceListener:
    """Lets readers see events while it is open. `on_watched` is told when there is a reader, and when there is none."""

    def __init__(self, path: Path, process: str, describe: Describe, on_watched: Callable[[bool], None]) -> None:
        self._path, self._process, self._describe, self._on_watched = path, process, describe, on_watched
        self._readers: tuple[_Reader, ...] = ()
        self._lock = threading.Lock()
        self._listener = _listen(path)
        self._thread = threading.Thread(target=self._accept, name="trace", daemon=True)
        self._thread.start()

    def hear(self, event: Event) -> None:
        """Offer an event to every reader; never waits."""
        for reader in self._readers:
            reader.offer(event)

    def close(self) -> None:
        """Let no reader in any more, and send away those that are here."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        for reader in self._readers:
            reader.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(connection,), name="trace reader", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                wanted = _read_filter(connection)
            except (ValueError, TypeError, KeyError):  # it does not say what it wants
                return
            reader = _Reader(connection, wanted, self._describe)
            if not self._enter(reader):
                _send(connection, {"refused": f"{MOST_READERS} others are reading"})
                return
            try:
                _send(connection, {"process": self._process})
                reader.run()
            except OSError:  # it has left
                pass
            except Exception:  # one reader never harms the node
                log.exception("trace_failed")
            finally:
                self._leave(reader)

    def _enter(self, reader: "_Reader") -> bool:
        with self._lock:
            if len(self._readers) >= MOST_READERS:
                return False
            self._readers = (*self._readers, reader)
            self._on_watched(True)
            return True

    def _leave(self, reader: "_Reader") -> None:
        with self._lock:
            self._readers = tuple(other for other in self._readers if other is not reader)
            self._on_watched(bool(self._readers))


class _Reader:
    """One connection and what waits for it."""

    def __init__(self, connection: socket.socket, wanted: TraceFilter, describe: Describe) -> None:
        self._connection, self._wanted, self._describe = connection, wanted, describe
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._lost = 0

    def offer(self, event: Event) -> None:
        """Take an event, or count it as lost."""
        if self._events.qsize() < MOST_WAITING:
            self._events.put(event)
        else:
            self._lost += 1

    def run(self) -> None:
        """Write what is wanted until the other side leaves; raise OSError where it has left in the middle."""
        told = 0
        while True:
            try:
                event = self._events.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if _has_left(self._connection):
                    return
                continue
            line = self._describe(event, self._wanted)
            lost = self._lost
            if lost > told:
                _send(self._connection, {"lost": lost - told})
                told = lost
            if line is not None:
                _send(self._connection, line)
            elif _has_left(self._connection):
                return

    def close(self) -> None:
        """End `run` soon, even while the other side reads nothing."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


def _listen(path: Path) -> socket.socket:
    """Bind the socket, for its owner alone from the first moment on; what a killed process left gives way."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.fchmod(listener.fileno(), 0o600)  # unix(7): the mode of what bind makes, less the umask
    with _short(path) as name:
        listener.bind(name)
    listener.listen(MOST_READERS)
    return listener


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Name a path by way of its folder's descriptor: the address of a socket has 107 octets at most (unix(7))."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _read_filter(connection: socket.socket) -> TraceFilter:
    connection.settimeout(_FILTER_SECONDS)
    line = b""
    while not line.endswith(b"\n") and len(line) < _LONGEST_FILTER:
        more = connection.recv(_LONGEST_FILTER)
        if not more:
            break
        line += more
    connection.settimeout(None)
    content = json.loads(line)
    return TraceFilter(
        nas=str(content["nas"]),
        user=str(content["user"]),
        mac=str(content["mac"]),
        drops=bool(content["drops"]),
    )


def _send(connection: socket.socket, content: object) -> None:
    connection.sendall(json.dumps(content).encode() + b"\n")


def _has_left(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
