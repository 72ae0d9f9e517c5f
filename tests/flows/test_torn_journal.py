"""D03: journals spoilt by a power cut or a worn disk: what stands before the damage counts, and what follows.

Each segment here is written by a RADIUS process that is killed, and then spoilt in another way. Each record is the
Stop of a session of its own, so that one row says what became of it.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from app.db.engine import Database
from app.db.tables.sessions import sessions
from app.node.journal.records import RecordType, decode_packet
from app.node.journal.segment import HEADER_OCTETS, Entry, entries, read_header
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from radius.attributes import Attributes
from radius.packet import Packet
from tests.flows.evenings import positions
from tests.flows.logins import SECRET, Logins
from tests.flows.serving import Installation, Router
from tests.node.journals import until

pytestmark = pytest.mark.long

RECORDS: Final = 60  # in each segment
PAGE: Final = 4096

Spoil = Callable[[bytearray, list[Entry]], int]
"""Spoils a segment of which the records are given; returns how many of them still count."""


def begin(entry: Entry) -> int:
    return entry.end - len(entry.payload)


def cut_in_the_last_record(data: bytearray, found: list[Entry]) -> int:
    del data[begin(found[-1]) + 10 :]
    return len(found) - 1


def cut_in_the_header_of_the_last_record(data: bytearray, found: list[Entry]) -> int:
    del data[found[-2].end + 3 :]
    return len(found) - 1


def flip_a_bit_of_the_last_record(data: bytearray, found: list[Entry]) -> int:
    data[begin(found[-1]) + 20] ^= 4
    return len(found) - 1


def lose_the_last_page(data: bytearray, found: list[Entry]) -> int:
    end = found[-1].end // PAGE * PAGE
    data[end:] = bytes(len(data) - end)
    return sum(entry.end <= end for entry in found)


def leave_garbage_behind(data: bytearray, found: list[Entry]) -> int:
    end = found[-1].end
    data[end : end + 3 * PAGE] = random.Random(4).randbytes(3 * PAGE)
    return len(found)


def flip_a_bit_in_the_middle(data: bytearray, found: list[Entry]) -> int:
    data[begin(found[20]) + 20] ^= 4
    return 20


def lose_a_page_in_the_middle(data: bytearray, found: list[Entry]) -> int:
    data[PAGE : 2 * PAGE] = bytes(PAGE)
    return sum(entry.end <= PAGE for entry in found)


def lose_the_first_page(data: bytearray, _found: list[Entry]) -> int:
    data[:PAGE] = bytes(PAGE)
    return 0


TORN: Final = (
    cut_in_the_last_record,
    cut_in_the_header_of_the_last_record,
    flip_a_bit_of_the_last_record,
    lose_the_last_page,
    leave_garbage_behind,
)
"""What looks like a last write that was cut short: no alarm."""

DAMAGED: Final = (flip_a_bit_in_the_middle, lose_a_page_in_the_middle, lose_the_first_page)
"""What no power cut explains, as records stand behind it: an alarm."""


class Town:
    """An office whose router reports sessions that are over; `counted` are those that must be in the database."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path) -> None:
        Logins(database, keyring)
        self.database = database
        self.installation = Installation(database, folder / "var")
        self.counted: dict[str, int] = {}
        self._numbers = count(1)

    @property
    def segments(self) -> list[Path]:
        return sorted((self.installation.data_dir / "journal").glob("*/*/*.segment"))

    def write_a_segment(self) -> Path:
        """Let a RADIUS process acknowledge records, and kill it."""
        process = self.installation.start("radius", "0", "--status")
        self.installation.wait_ready(process, "radius-0")
        self.report()
        process.kill()
        process.wait()
        return self.segments[-1]

    def report(self) -> None:
        """Report sessions, until each is acknowledged."""
        router = Router(self.installation.acct_port)
        bodies = []
        for number in (next(self._numbers) for _ in range(RECORDS)):
            said = Attributes([("Acct-Status-Type", "Stop"), ("NAS-Identifier", "kantor"), ("User-Name", "budi")])
            said.add("Acct-Session-Id", f"8{number:07x}").add("Acct-Output-Octets", 1_000 + number)
            said.add("Calling-Station-Id", f"02:dd:00:00:{number >> 8:02x}:{number & 255:02x}")
            bodies.append((SECRET.encode(), said.add("Connect-Info", "x" * 100).to_bytes()))
            self.counted[f"8{number:07x}"] = 1_000 + number
        router.send(bodies)
        router.close()

    def spoil(self, segment: Path, spoil: Spoil) -> None:
        """Spoil a segment; what it no longer holds need not be counted."""
        data = bytearray(segment.read_bytes())
        header = read_header(bytes(data[:HEADER_OCTETS]))
        assert header is not None
        found = list(entries(header.id, bytes(data), HEADER_OCTETS))
        assert len(found) == RECORDS
        for lost in found[spoil(data, found) :]:
            assert lost.type == RecordType.ACCOUNTING
            packet = Packet.parse(decode_packet(lost.payload).raw)
            del self.counted[packet.attributes.text("Acct-Session-Id") or ""]
        segment.write_bytes(data)

    def merged(self) -> bool:
        return journal_status(self.installation.data_dir, positions(self.database)).pending == 0

    def stored(self) -> dict[str, int]:
        with self.database.read() as connection:
            rows = connection.execute(select(sessions.c.acct_session_id, sessions.c.down_octets)).all()
        found = {row.acct_session_id: row.down_octets for row in rows}
        assert len(found) == len(rows)
        return found

    def say(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app.cli", *arguments]
        return subprocess.run(
            command, env=self.installation.environment, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture
def town(sqlite_database: Database, keyring: Keyring, tmp_path: Path) -> Town:
    return Town(sqlite_database, keyring, tmp_path)


def test_spoilt_segments_cost_what_is_spoilt_and_nothing_else(town: Town) -> None:
    damaged = []
    for spoil in (*TORN, *DAMAGED):
        segment = town.write_a_segment()
        town.spoil(segment, spoil)
        if spoil in DAMAGED:
            damaged.append(segment)
    town.write_a_segment()
    with town.installation.running("worker", "--status"):
        until(town.merged, seconds=60)
        assert town.stored() == town.counted
    assert len(town.counted) > 4 * RECORDS
    said = json.loads(town.say("journal", "status", "--json").stdout)
    assert [Path(path) for path in said["damaged"]] == damaged
    doctor = town.say("doctor")
    assert doctor.returncode == 1
    assert f"records are damaged in {damaged[0]}" in doctor.stdout
    assert town.installation.talk().count("event=journal_damaged") == len(damaged)
    assert "Traceback" not in town.installation.talk()


def test_records_that_were_merged_and_then_lost_by_the_disk_are_neither_lost_nor_doubled(town: Town) -> None:
    with town.installation.running("worker", "--status"):
        for keep in (10, 0):
            segment = town.write_a_segment()
            until(town.merged, seconds=60)
            data = segment.read_bytes()
            header = read_header(data[:HEADER_OCTETS])
            assert header is not None
            ends = [HEADER_OCTETS, *(entry.end for entry in entries(header.id, data, HEADER_OCTETS))]
            segment.write_bytes(data[: ends[keep]])  # the power failed before the disk had written what was read
        town.write_a_segment()
        until(town.merged, seconds=60)
        assert town.stored() == town.counted
    assert "Traceback" not in town.installation.talk()
