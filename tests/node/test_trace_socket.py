"""The socket at which a RADIUS process shows its datagrams: its owner's alone, and never in the loop's way."""

import contextlib
import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.node.trace import Traced, TraceFilter, traced
from app.node.trace_socket import MOST_READERS, MOST_WAITING, TraceListener, connect, trace_path
from radius import DropReason, Service
from radius.net.events import Event

DROP = Event(Service.AUTH, ("192.0.2.7", 1), None, b"", DropReason.UNKNOWN_NAS, None, "", False, 0.0, 0.0)


def describe(event: Event, wanted: TraceFilter) -> Traced | None:
    return traced(event, wanted, process="radius-0", nas=None, class_key=bytes(32), account_of=lambda _: None)


class Watched:
    """Remembers whether somebody reads."""

    def __init__(self) -> None:
        self.now = False

    def __call__(self, watched: bool) -> None:
        self.now = watched


def wait_until(condition: Callable[[], bool]) -> None:
    bound = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < bound, "waited in vain"
        threading.Event().wait(0.005)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return trace_path(tmp_path, "radius-0")


@pytest.fixture
def listener(path: Path, watched: Watched) -> Iterator[TraceListener]:
    made = TraceListener(path, "radius-0", describe, watched)
    yield made
    made.close()


class Reader:
    """One connection to the socket."""

    def __init__(self, path: Path, wanted: TraceFilter | None = None) -> None:
        self.socket = connect(path)
        self.socket.settimeout(60)
        self.socket.sendall(json.dumps((wanted or TraceFilter()).to_json()).encode() + b"\n")
        self._lines = self.socket.makefile("rb")

    def line(self) -> dict[str, object]:
        content = json.loads(self._lines.readline())
        assert isinstance(content, dict)
        return content

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


@pytest.fixture
def reader(listener: TraceListener, path: Path) -> Iterator[Reader]:
    made = Reader(path)
    assert made.line() == {"process": "radius-0"}
    yield made
    made.close()


def test_socket_is_its_owners_alone(listener: TraceListener, path: Path) -> None:
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_reader_sees_what_comes_after_it(listener: TraceListener, reader: Reader, watched: Watched) -> None:
    assert watched.now
    listener.hear(DROP)
    assert reader.line()["reason"] == "unknown_nas"


def test_nothing_is_watched_before_the_first_reader_and_after_the_last(
    listener: TraceListener, reader: Reader, watched: Watched, path: Path
) -> None:
    second = Reader(path)
    second.line()
    second.close()
    reader.close()
    wait_until(lambda: not watched.now)


def test_reader_that_left_is_noticed_while_nothing_that_it_wants_comes(
    listener: TraceListener, watched: Watched, path: Path
) -> None:
    one = Reader(path, TraceFilter(nas="gusung-1"))
    one.line()
    one.close()

    def over() -> bool:
        listener.hear(DROP)
        return not watched.now

    wait_until(over)


def test_reader_that_does_not_read_loses_datagrams_and_is_told_how_many(
    listener: TraceListener, reader: Reader
) -> None:
    """The loop goes on: what it offers is taken or counted, at once."""
    offered = 0
    began = time.monotonic()
    for _ in range(100 * MOST_WAITING):
        listener.hear(DROP)
        offered += 1
    assert time.monotonic() - began < 20
    shown, lost = 0, 0
    while shown + lost < offered:
        line = reader.line()
        if "lost" in line:
            assert isinstance(line["lost"], int)
            lost += line["lost"]
        else:
            shown += 1
        if shown % MOST_WAITING == 0:  # so that the last of the lost are told, too
            listener.hear(DROP)
            offered += 1
    assert shown + lost == offered
    assert lost > 0


def test_readers_are_limited_in_number(listener: TraceListener, path: Path) -> None:
    readers = [Reader(path) for _ in range(MOST_READERS)]
    for one in readers:
        assert "process" in one.line()
    late = Reader(path)
    assert "refused" in late.line()
    for one in (*readers, late):
        one.close()


@pytest.mark.parametrize("said", [b"{}\n", b"[]\n", b"no JSON\n", b"x" * 5000, b""])
def test_reader_that_does_not_say_what_it_wants_is_sent_away(
    listener: TraceListener, path: Path, watched: Watched, said: bytes
) -> None:
    with connect(path) as stranger:
        stranger.settimeout(60)
        stranger.sendall(said)
        stranger.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # it is not read to its end
            assert stranger.recv(100) == b""
    assert not watched.now


def test_close_sends_readers_away_and_removes_the_socket(path: Path, watched: Watched) -> None:
    listener = TraceListener(path, "radius-0", describe, watched)
    reader = Reader(path)
    reader.line()
    listener.close()
    assert reader.socket.recv(100) == b""
    assert not path.exists()
    reader.close()


def test_socket_of_a_killed_process_gives_way(path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir(mode=0o700)
    monkeypatch.chdir(path.parent)  # whose own path may be longer than an address of a socket
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(path.name)
    listener = TraceListener(path, "radius-0", describe, watched)
    reader = Reader(path)
    assert reader.line() == {"process": "radius-0"}
    reader.close()
    listener.close()


def test_path_may_be_longer_than_an_address_of_a_socket(tmp_path: Path, watched: Watched) -> None:
    path = trace_path(tmp_path / ("d" * 100) / ("e" * 100), "radius-0")
    listener = TraceListener(path, "radius-0", describe, watched)
    reader = Reader(path)
    assert reader.line() == {"process": "radius-0"}
    reader.close()
    listener.close()
