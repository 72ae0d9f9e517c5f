import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.node.journal.alarm import DiskAlarm
from app.node.journal.reader import Damage, JournalReader, segment_path
from app.node.journal.segment import HEADER_OCTETS, Position, encode, read_header
from app.node.journal.status import delete_old_segments, journal_status, note_damage
from app.node.journal.writer import Journal, JournalBusyError, Outcome, segment_numbers
from tests.node.journals import NODE, SEGMENT_OCTETS, Disk, journal_in, read_all, until

PATIENCE = 5.0


def store(journal: Journal, *payloads: bytes) -> Outcome:
    outcome, _ = journal.append([(1, payload) for payload in payloads], patience=PATIENCE)
    return outcome


@contextmanager
def largest_file(octets: int) -> Iterator[None]:
    """Let no file grow beyond `octets`: a full disk without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# D02
def test_a_batch_is_one_sync(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk) as journal:
        before = disk.syncs
        assert store(journal, b"one", b"two", b"three") is Outcome.STORED
        assert disk.syncs == before + 1


def test_what_waits_for_a_slow_disk_shares_the_next_sync(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk) as journal:
        before = disk.syncs
        disk.moving.clear()
        first = journal.hand_over([(1, b"one")])
        until(lambda: journal.stalled(time.monotonic(), 0.0))
        others = [journal.hand_over([(1, b"two %d" % n), (1, b"three %d" % n)]) for n in range(5)]
        disk.moving.set()
        for batch in (first, *others):
            assert batch is not None
            assert journal.wait(batch, patience=PATIENCE) is Outcome.STORED
        assert disk.syncs == before + 2
        stretch = JournalReader(tmp_path, None).read(20)
    assert stretch is not None
    assert [entry.end for entry in stretch.entries] == [
        end for batch in (first, *others) if batch is not None for end in batch.ends
    ]


def test_failed_sync_fails_all_that_shared_it(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk) as journal:
        disk.moving.clear()
        first = journal.hand_over([(1, b"one")])
        until(lambda: journal.stalled(time.monotonic(), 0.0))
        others = [journal.hand_over([(1, b"two")]), journal.hand_over([(1, b"three")])]
        disk.failures = 2  # the first batch, and both that wait for it
        disk.moving.set()
        for batch in (first, *others):
            assert batch is not None
            assert journal.wait(batch, patience=PATIENCE) is Outcome.FAILED


def test_what_is_stored_is_read_back_in_order(tmp_path: Path) -> None:
    payloads = [f"record {n}".encode() * (n % 7 + 1) for n in range(300)]
    with journal_in(tmp_path) as journal:
        for payload in payloads:
            assert store(journal, payload) is Outcome.STORED
        assert read_all(tmp_path) == payloads
    assert read_all(tmp_path) == payloads
    assert len(segment_numbers(tmp_path)) > 1


def test_positions_of_a_batch_are_those_that_the_reader_sees(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        _, batch = journal.append([(1, b"one"), (2, b"second")], patience=PATIENCE)
        stretch = JournalReader(tmp_path, None).read(10)
    assert batch is not None
    assert stretch is not None
    assert [entry.end for entry in stretch.entries] == list(batch.ends)
    assert stretch.position.segment == batch.segment


def test_every_start_opens_a_new_segment(tmp_path: Path) -> None:
    for start in range(3):
        with journal_in(tmp_path) as journal:
            assert journal.first_segment == start + 1
            store(journal, b"x")
    assert segment_numbers(tmp_path) == [1, 2, 3]


def test_segment_is_reserved_while_it_is_written_and_trimmed_at_the_end(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        store(journal, b"x")
        assert segment_path(tmp_path, 1).stat().st_size == SEGMENT_OCTETS
    assert segment_path(tmp_path, 1).stat().st_size < 100


def test_header_says_whose_it_is(tmp_path: Path) -> None:
    with journal_in(tmp_path):
        header = read_header(segment_path(tmp_path, 1).read_bytes())
    assert header is not None
    assert (header.node, header.worker, header.number) == (NODE, 0, 1)


def test_failed_sync_fails_the_batch_and_the_next_goes_to_a_new_segment(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk) as journal:
        store(journal, b"before")
        disk.failures = 1
        assert store(journal, b"suspect") is Outcome.FAILED
        assert not journal.healthy
        until(lambda: journal.healthy)  # it tries by itself: nobody may ask while Status-Server is silent
        assert store(journal, b"after") is Outcome.STORED
        assert segment_numbers(tmp_path) == [1, 2]
    assert read_all(tmp_path) == [b"before", b"suspect", b"after"]  # whether `suspect` survives is the disk's affair


def test_while_the_disk_fails_nothing_is_taken(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk) as journal:
        disk.failures = 1000
        assert store(journal, b"one") is Outcome.FAILED
        assert store(journal, b"two") is Outcome.FAILED
        assert journal.counters.refused == 1
        disk.failures = 0
        until(lambda: journal.healthy)
        assert store(journal, b"three") is Outcome.STORED


# D05
def test_full_disk_stops_at_the_segment_and_recovers_by_itself(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        with largest_file(SEGMENT_OCTETS - 1):
            outcomes = [store(journal, bytes(1000)) for _ in range(5)]
            assert outcomes[0] is Outcome.STORED  # this segment is reserved already
            assert outcomes[-1] is Outcome.FAILED
            assert not journal.healthy
        until(lambda: journal.healthy)
        assert store(journal, b"room again") is Outcome.STORED
    assert read_all(tmp_path)[-1] == b"room again"


# D05
def test_starting_on_a_full_disk_starts_unhealthy_and_recovers(tmp_path: Path) -> None:
    with largest_file(SEGMENT_OCTETS - 1), journal_in(tmp_path) as journal:
        assert not journal.healthy
        assert segment_numbers(tmp_path) == []
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        )
        until(lambda: journal.healthy)
        assert store(journal, b"x") is Outcome.STORED


def test_caller_waits_no_longer_than_it_wants(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk) as journal:
        disk.moving.clear()
        outcome, batch = journal.append([(1, b"slow")], patience=0.05)
        assert outcome is Outcome.LATE  # the disk would have kept it waiting for ten seconds
        assert journal.stalled(time.monotonic() + 1, 0.5)
        disk.moving.set()
        assert batch is not None
        assert journal.wait(batch, patience=PATIENCE) is Outcome.STORED
        until(lambda: not journal.stalled(time.monotonic() + 100, 0.5))


@pytest.mark.parametrize(
    ("room", "low"),
    [
        pytest.param(4 * SEGMENT_OCTETS, False, id="four segments"),
        pytest.param(4 * SEGMENT_OCTETS - 1, True, id="one octet less"),
        pytest.param(0, True, id="none"),
    ],
)
# D05
def test_disk_is_low_before_it_is_full(tmp_path: Path, room: int, low: bool) -> None:
    with journal_in(tmp_path, Disk(room=room)) as journal:
        assert journal.space_low is low
        assert journal.healthy
        assert store(journal, b"it still takes what comes") is Outcome.STORED


# D05
def test_disk_that_fills_up_and_fails_is_an_alarm_that_is_said_once(tmp_path: Path) -> None:
    disk = Disk()

    def said() -> list[str]:
        with capture_logs() as lines:
            alarm.look()
            alarm.look()
        return [line["event"] for line in lines]

    with journal_in(tmp_path, disk) as journal:
        alarm = DiskAlarm(journal)
        assert said() == []
        disk.room = SEGMENT_OCTETS
        assert said() == ["disk_nearly_full"]
        disk.failures = 10_000
        assert store(journal, b"lost") is Outcome.FAILED
        assert said() == ["journal_failing"]
        disk.room, disk.failures = 2**40, 0
        until(lambda: journal.healthy)
        assert said() == ["journal_writes_again", "disk_has_room"]


# D15
def test_what_waits_is_bounded(tmp_path: Path) -> None:
    disk = Disk()
    with journal_in(tmp_path, disk, segment_octets=16 * 1024 * 1024) as journal:
        disk.moving.clear()
        taken = sum(journal.hand_over([(1, bytes(60_000))]) is not None for _ in range(100))
        disk.moving.set()
    assert 60 <= taken < 75
    assert len(read_all(tmp_path)) == taken


def test_one_process_writes_a_journal(tmp_path: Path) -> None:
    with journal_in(tmp_path), pytest.raises(JournalBusyError), journal_in(tmp_path):
        pass


def test_reader_follows_a_journal_that_is_being_written(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path, None)
    seen: list[bytes] = []
    with journal_in(tmp_path) as journal:
        for n in range(200):
            store(journal, f"{n}".encode() * 30)
            stretch = reader.read(2)
            assert stretch is not None
            seen += [entry.payload for entry in stretch.entries]
            reader.advance(stretch)
        assert reader.read(2) is None
    assert seen == [f"{n}".encode() * 30 for n in range(200)]
    assert reader.damages == []


def test_reading_goes_on_where_it_stood(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        for n in range(10):
            store(journal, f"{n}".encode())
        first = JournalReader(tmp_path, None).read(4)
        assert first is not None
        assert read_all(tmp_path, first.position) == [f"{n}".encode() for n in range(4, 10)]


def test_a_segment_of_the_same_number_with_another_id_is_read_from_its_beginning(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        store(journal, b"first", b"second")
    assert read_all(tmp_path, Position(1, "00" * 16, 5000)) == [b"first", b"second"]


@pytest.mark.parametrize("octets", range(1, 12))
def test_torn_tail_is_no_damage(tmp_path: Path, octets: int) -> None:
    with journal_in(tmp_path) as journal:
        store(journal, b"whole")
        store(journal, b"torn!")
    path = segment_path(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-octets])
    with journal_in(tmp_path) as journal:
        store(journal, b"later")
    reader = JournalReader(tmp_path, None)
    seen = []
    while (stretch := reader.read(10)) is not None:
        seen += [entry.payload for entry in stretch.entries]
        reader.advance(stretch)
    assert seen == [b"whole", b"later"]
    assert reader.damages == []


# D03
def test_record_beyond_a_bad_one_is_damage_and_the_rest_goes_on(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        store(journal, b"first")
        store(journal, b"second")
        store(journal, b"third")
    path = segment_path(tmp_path, 1)
    path.write_bytes(path.read_bytes().replace(b"second", b"sexond"))
    with journal_in(tmp_path) as journal:
        store(journal, b"later")
    reader = JournalReader(tmp_path, None)
    seen = []
    while (stretch := reader.read(10)) is not None:
        seen += [entry.payload for entry in stretch.entries]
        reader.advance(stretch)
    assert seen == [b"first", b"later"]
    assert [damage.path for damage in reader.damages] == [path]
    assert journal_status(tmp_path.parent, {}).pending == 0


def test_lost_header_over_records_is_damage(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        store(journal, b"first")
    path = segment_path(tmp_path, 1)
    path.write_bytes(bytes(HEADER_OCTETS) + path.read_bytes()[HEADER_OCTETS:])
    with journal_in(tmp_path) as journal:
        store(journal, b"later")
    reader = JournalReader(tmp_path, None)
    stretch = reader.read(10)
    assert stretch is not None
    assert [entry.payload for entry in stretch.entries] == [b"later"]
    assert [damage.path for damage in reader.damages] == [path]


def test_status_counts_what_is_behind_the_positions(tmp_path: Path) -> None:
    folder = tmp_path / "journal" / NODE / "0"
    moment = (1_795_000_000.0).hex().encode()
    with journal_in(folder) as journal:
        for n in range(5):
            store(journal, moment + bytes([n]))
        first = JournalReader(folder, None).read(2)
        assert first is not None
        assert journal_status(tmp_path, {}).pending == 5
        assert journal_status(tmp_path, {(NODE, 0): first.position}).pending == 3


def test_damage_that_was_noted_is_shown_though_the_journal_was_read_past_it(tmp_path: Path) -> None:
    folder = tmp_path / "journal" / NODE / "0"
    with journal_in(folder) as journal:
        store(journal, b"first")
    note_damage(Damage(segment_path(folder, 1), 70, 90))
    with journal_in(folder) as journal:
        store(journal, b"later")
    assert journal_status(tmp_path, {(NODE, 0): Position(3, "", 0)}).damaged == (segment_path(folder, 1),)
    delete_old_segments(folder, Position(2, "", 0), older_than=time.time() + 60)
    assert journal_status(tmp_path, {(NODE, 0): Position(3, "", 0)}).damaged == ()


def test_segments_go_only_once_they_are_merged_and_old(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        for _ in range(12):
            store(journal, bytes([1]) * 1000)
        numbers = segment_numbers(tmp_path)
        assert len(numbers) == 4
        tomorrow = time.time() + 86_400
        position = Position(3, "", 100)
        assert delete_old_segments(tmp_path, None, older_than=tomorrow) == 0
        assert delete_old_segments(tmp_path, position, older_than=time.time() - 60) == 0
        assert delete_old_segments(tmp_path, position, older_than=tomorrow) == 2
        assert segment_numbers(tmp_path) == [3, 4]


KILLED = """
import os, sys, time
from pathlib import Path
from app.node.journal.writer import Journal, Outcome
journal = Journal(Path(sys.argv[1]), node="nodenodenodenode", worker=0, monotonic=time.monotonic, chance=os.urandom,
                  segment_octets=65536)
n = 0
while True:
    outcome, _ = journal.append([(1, b"%s-%d" % (sys.argv[2].encode(), n + i)) for i in range(3)], patience=10)
    assert outcome is Outcome.STORED
    n += 3
    print(n, flush=True)
"""


# D01, D03
def test_killed_at_any_moment_nothing_that_was_stored_is_lost(tmp_path: Path) -> None:
    stored: list[bytes] = []
    for run in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), str(run)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = 0
        for line in process.stdout:
            said = int(line)
            if said >= 90 + 31 * run:
                process.kill()
        process.stdout.close()
        process.wait()
        stored += [f"{run}-{n}".encode() for n in range(said)]
    read = read_all(tmp_path)
    assert set(stored) <= set(read)
    assert len(read) == len(set(read))
    assert len(read) <= len(stored) + 4 * 3


def test_encoded_batch_never_straddles_two_segments(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        store(journal, bytes(3000))
        _, batch = journal.append([(1, bytes(500)), (1, bytes(900))], patience=PATIENCE)
        assert batch is not None
        assert batch.segment == 2
        assert batch.ends[-1] == HEADER_OCTETS + len(encode(b"x", batch.records)[0])
