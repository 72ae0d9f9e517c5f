"""A1: every silent discard is a line with its reason, at a limited rate; C3.07, A10.04: and a harmless one."""

import contextlib
import io
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from app import log as logs
from app.node.datagram_log import LINES, WINDOW_SECONDS, DatagramLog
from radius import Attributes, Code, DropReason, Service
from radius.net.events import Event
from radius.packet import Packet
from tests.node.city import Time

SOURCE = ("192.0.2.7", 40_000)
NAMES = {"nas-a": "gusung-1", "nas-b": "melahing-1"}


Written = Callable[[], list[str]]


@pytest.fixture
def configure() -> Iterator[Callable[[int], Written]]:
    """Have this process log as a RADIUS process does, and give what was written since the last time; undo it."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level

    def begin(level: int) -> Written:
        stream = io.StringIO()
        with contextlib.redirect_stderr(stream):
            logs.configure("radius-0", level=level)

        def written() -> list[str]:
            text = stream.getvalue()
            stream.seek(0)
            stream.truncate()
            return text.split("\n")[:-1]

        return written

    yield begin
    root.handlers[:] = handlers
    root.setLevel(before)
    structlog.reset_defaults()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def written(configure: Callable[[int], Written]) -> Written:
    return configure(logging.INFO)


@pytest.fixture
def datagrams(written: object, time: Time) -> DatagramLog:
    return DatagramLog(NAMES.__getitem__, monotonic=time.monotonic)


def packet(*pairs: tuple[str, str | bytes], code: Code = Code.ACCESS_REQUEST) -> bytes:
    return Packet(code, 7, bytes(16), Attributes(pairs)).to_bytes()


def event(
    outcome: Code | DropReason, *, nas: str | None = "nas-a", datagram: bytes | None = None, reason: str = ""
) -> Event:
    data = packet(("User-Name", "siti")) if datagram is None else datagram
    return Event(Service.AUTH, SOURCE, nas, data, outcome, None, reason, False, 0.0, 0.0123)


def fields(line: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in line.split(" "))


def test_drop_is_one_line_with_its_reason(datagrams: DatagramLog, written: Written) -> None:
    datagram = packet(("User-Name", "siti"), ("Calling-Station-Id", "02-AA-00-00-00-01:Pesisir"))
    datagrams.hear(event(DropReason.BAD_MESSAGE_AUTHENTICATOR, datagram=datagram))
    (line,) = written()
    said = fields(line)
    del said["timestamp"]
    assert said == {
        "level": "warning",
        "process": "radius-0",
        "event": "radius_dropped",
        "nas": "gusung-1",
        "source": "192.0.2.7:40000",
        "service": "auth",
        "code": "1",
        "id": "7",
        "reason": "bad_message_authenticator",
        "user": "siti",
        "device": "02:aa:00:00:00:01",
        "milliseconds": "12.3",
    }


def test_refusal_is_a_line_and_what_went_well_is_none(datagrams: DatagramLog, written: Written) -> None:
    datagrams.hear(event(Code.ACCESS_ACCEPT, reason="password"))
    datagrams.hear(event(Code.ACCOUNTING_RESPONSE))
    datagrams.hear(event(Code.ACCESS_REJECT, reason="quota_exhausted"))
    datagrams.hear(event(Code.ACCESS_REJECT, reason="")._replace(repeated=True))
    (line,) = written()
    assert (fields(line)["event"], fields(line)["reason"]) == ("radius_rejected", "quota_exhausted")


def test_lines_of_one_kind_are_few_in_a_minute_and_the_rest_is_counted(
    datagrams: DatagramLog, time: Time, written: Written
) -> None:
    for _ in range(LINES + 37):
        datagrams.hear(event(DropReason.BAD_MESSAGE_AUTHENTICATOR))
    datagrams.hear(event(DropReason.BAD_MESSAGE_AUTHENTICATOR, nas="nas-b"))
    datagrams.hear(event(DropReason.MALFORMED))
    assert len(written()) == LINES + 2
    datagrams.flush()
    assert written() == []
    time.pass_by(WINDOW_SECONDS)
    datagrams.flush()
    (line,) = written()
    said = fields(line)
    assert (said["event"], said["nas"], said["reason"]) == (
        "radius_lines_suppressed",
        "gusung-1",
        "bad_message_authenticator",
    )
    assert said["count"] == "37"
    datagrams.hear(event(DropReason.BAD_MESSAGE_AUTHENTICATOR))
    assert len(written()) == 1


def test_what_was_suppressed_is_said_at_the_end(datagrams: DatagramLog, written: Written) -> None:
    for _ in range(LINES + 1):
        datagrams.hear(event(DropReason.MALFORMED))
    written()
    datagrams.flush(ending=True)
    assert [fields(line)["count"] for line in written()] == ["1"]


def test_a1_19_strangers_share_their_lines_and_nothing_of_them_is_read(
    datagrams: DatagramLog, written: Written
) -> None:
    for port in range(100):
        datagrams.hear(event(DropReason.UNKNOWN_NAS, nas=None)._replace(source=("198.51.100.9", port)))
    lines = written()
    assert len(lines) == LINES
    assert {(fields(line)["nas"], fields(line)["user"]) for line in lines} == {("-", "")}


@pytest.mark.parametrize(
    "name", ["a\nlevel=error event=forged", "\x1b[2J\x9b31m", "\u202egnuf\u2028x", "\r\rx", "\ud7ff"]
)
def test_c3_07_nothing_that_is_sent_begins_a_line_or_moves_the_cursor(
    datagrams: DatagramLog, written: Written, name: str
) -> None:
    datagrams.hear(event(DropReason.MALFORMED, datagram=packet(("User-Name", name), ("Calling-Station-Id", name))))
    (line,) = written()
    assert not {character for character in line if ord(character) < 32 or 127 <= ord(character) < 160}
    assert not {"\u202e", "\u2028"} & set(line)


def test_a10_04_neither_passwords_nor_the_secret_half_of_a_ticket_are_written(
    datagrams: DatagramLog, written: Written
) -> None:
    ticket = "aaaabbbbccccdddd~faaaaaaabcdefgh7a"
    datagram = packet(("User-Name", ticket), ("User-Password", b"hidden-password!"), ("State", b"a-state"))
    datagrams.hear(event(Code.ACCESS_REJECT, reason="ticket_used", datagram=datagram))
    (line,) = written()
    assert fields(line)["user"] == "aaaabbbbccccdddd~***"
    assert "hidden" not in line
    assert "a-state" not in line


def test_datagram_that_is_no_packet_is_a_line_all_the_same(datagrams: DatagramLog, written: Written) -> None:
    datagrams.hear(event(DropReason.TOO_SHORT, datagram=b""))
    (line,) = written()
    assert (fields(line)["code"], fields(line)["user"]) == ("0", "")


def test_debug_writes_every_datagram(configure: Callable[[int], Written], time: Time) -> None:
    written = configure(logging.DEBUG)
    datagrams = DatagramLog(NAMES.__getitem__, monotonic=time.monotonic)
    assert datagrams.everything
    for _ in range(LINES + 1):
        datagrams.hear(event(Code.ACCESS_ACCEPT, reason="password"))
    assert [fields(line)["event"] for line in written()] == ["radius_answered"] * (LINES + 1)


def test_warning_leaves_out_refusals(configure: Callable[[int], Written], time: Time) -> None:
    written = configure(logging.WARNING)
    datagrams = DatagramLog(NAMES.__getitem__, monotonic=time.monotonic)
    datagrams.hear(event(Code.ACCESS_REJECT, reason="suspended"))
    datagrams.hear(event(DropReason.MALFORMED))
    assert [fields(line)["event"] for line in written()] == ["radius_dropped"]


def test_a10_04_libraries_say_no_more_at_debug(configure: Callable[[int], Written]) -> None:
    """SQLAlchemy would write the parameters of every statement, secrets among them."""
    written = configure(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine.Engine").debug("INSERT")
    logging.getLogger("node").info("a line of ours")
    assert [fields(line)["event"] for line in written()] == ['"a']
