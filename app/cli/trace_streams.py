"""What the RADIUS processes of this machine show to `pesisir radius trace`, joined as it comes."""

import json
import selectors
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.cli.failures import Failure
from app.node.trace import Traced, TraceFilter
from app.node.trace_socket import connect

_LOOK_SECONDS: Final = 1.0
_READ_OCTETS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Began:
    """A process shows its datagrams from now on."""

    process: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A process has stopped."""

    process: str


@dataclass(frozen=True, slots=True)
class Lost:
    """So many datagrams came faster than they were read."""

    process: str
    count: int


Message = Began | Ended | Lost | Traced


@dataclass(slots=True)
class _Stream:
    """One connection, and the part of a line that has come."""

    process: str
    connection: socket.socket
    part: bytes = b""

    def read(self) -> list[Message]:
        """Return what has come; raise OSError at the end."""
        data = self.connection.recv(_READ_OCTETS)
        if not data:
            raise ConnectionResetError
        *lines, self.part = (self.part + data).split(b"\n")
        return [self._message(line) for line in lines]

    def _message(self, line: bytes) -> Message:
        content = json.loads(line)
        if "refused" in content:
            raise Failure(f"{self.process} shows nothing", why=content["refused"])
        if "lost" in content:
            return Lost(self.process, content["lost"])
        if "outcome" not in content:
            return Began(self.process)
        shown: Traced = content
        return shown


def follow(data_dir: Path, wanted: TraceFilter) -> Generator[Message, None, None]:
    """Yield what the processes show, those too that start later; raise Failure if there is none at first."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        streams: dict[str, _Stream] = {}
        look_at = time.monotonic()
        first = True
        while True:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK_SECONDS
                for stream in _new_streams(data_dir, wanted, known=set(streams)):
                    stack.callback(stream.connection.close)
                    streams[stream.process] = stream
                    selector.register(stream.connection, selectors.EVENT_READ, stream)
            if first and not streams:
                raise Failure("no RADIUS process runs here", hint="pesisir serve")
            first = False
            for key, _ in selector.select(_LOOK_SECONDS):
                stream = key.data
                try:
                    yield from stream.read()
                except OSError:
                    selector.unregister(stream.connection)
                    stream.connection.close()
                    del streams[stream.process]
                    yield Ended(stream.process)


def _new_streams(data_dir: Path, wanted: TraceFilter, *, known: set[str]) -> Iterator[_Stream]:
    for path in sorted((data_dir / "run").glob("*.trace")):
        if path.stem in known:
            continue
        try:
            connection = connect(path)
            connection.sendall(json.dumps(wanted.to_json()).encode() + b"\n")
        except PermissionError as error:
            raise Failure(
                "the RADIUS server may not be watched by this user",
                why=f"{path} is its owner's alone",
                hint=f"run it as {path.owner()}",
            ) from error
        except OSError:  # what a killed process has left
            continue
        yield _Stream(path.stem, connection)
