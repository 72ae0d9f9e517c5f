"""The arithmetic of the summary, and what is read of processes and people."""

from array import array
from pathlib import Path

import pytest

from app.bench.judging import Tally
from app.bench.loop import Stretch
from app.bench.people import Pattern, PeopleError, mac_of, read_people
from app.bench.processes import ProcessError, cpu_seconds, resident_octets
from app.bench.summary import Used, figures, latency, medians, percentile, total


@pytest.mark.parametrize(
    ("count", "percent", "value"),
    [
        pytest.param(1, 50, 1, id="of one"),
        pytest.param(2, 50, 1, id="half of two"),
        pytest.param(100, 99, 99, id="99 of 100"),
        pytest.param(101, 99, 100, id="just above"),
        pytest.param(1000, 90, 900, id="90 of 1,000 by hundred"),
    ],
)
def test_percentile_is_the_smallest_value_that_so_many_do_not_exceed(count: int, percent: int, value: int) -> None:
    assert percentile(range(1, count + 1), percent) == value


def test_latency_of_no_answer_is_unknown() -> None:
    assert latency([]).p99_ms is None
    assert latency([]).max_ms is None


def tally(waits: list[float], moments: list[float], *, sent: int, wrong: int = 0) -> Tally:
    right = len(waits) - wrong
    return Tally(sent, right, wrong, 0, 0, sent - len(waits), array("d", waits), array("d", moments))


def test_rate_counts_what_came_within_the_measured_time_and_latency_all() -> None:
    some = tally([0.001, 0.002, 0.003, 0.9], [10.1, 11.0, 12.0, 12.9], sent=5, wrong=1)
    measured = figures({"auth": some}, Stretch(10.0, 12.0, 12.9), Used(0.3, 0.06, 5_000_000), began_at=0, resent=2)
    assert measured.seconds == 2.0
    assert measured.per_second == 1.5  # three answers in two seconds; the fourth came later
    assert measured.all_answered_seconds == pytest.approx(2.9)
    assert measured.latency.max_ms == pytest.approx(900)
    assert measured.latency.p50_ms == pytest.approx(2)
    assert measured.server_us == pytest.approx(100_000)  # 0.3 s for three answers
    assert measured.server_cores == pytest.approx(0.15)
    assert measured.generator_us == pytest.approx(20_000)
    counts = measured.counts
    assert (counts.sent, counts.answered, counts.right, counts.wrong, counts.lost) == (5, 4, 3, 1, 1)
    assert (counts.resent, counts.faults) == (2, 2)


def test_kinds_are_counted_together_and_timed_apart() -> None:
    access, accounting = tally([0.001], [1.0], sent=1), tally([0.005, 0.007], [1.0, 2.0], sent=2)
    measured = figures(
        {"access": access, "accounting": accounting}, Stretch(0, 2, 2), Used(None, 0, None), began_at=0, resent=0
    )
    assert measured.counts.sent == 3
    assert measured.by_kind["access"].max_ms == pytest.approx(1)
    assert measured.by_kind["accounting"].p50_ms == pytest.approx(5)
    assert measured.server_us is None


def test_rounds_are_shown_by_their_medians_and_counted_in_all() -> None:
    rounds = [
        figures(
            {"auth": tally([wait], [0.5], sent=1)}, Stretch(0, seconds, 1), Used(None, 0, None), began_at=0, resent=1
        )
        for wait, seconds in ((0.001, 1), (0.009, 0.5), (0.002, 4))
    ]
    assert medians(rounds)["per_second"] == 1.0
    assert medians(rounds)["p50_ms"] == pytest.approx(2)
    assert medians(rounds)["server_us"] is None
    assert (total(rounds).sent, total(rounds).resent) == (3, 3)


def test_cpu_and_memory_of_processes_are_read_whatever_their_name_is(tmp_path: Path) -> None:
    for pid, name in ((7, "plain"), (8, "a) S 1 (b")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(f"{pid} ({name}) S 1 1 1 0 -1 0 9 9 9 9 150 50 3 3 20 0 4 0 1 1")
        (tmp_path / str(pid) / "statm").write_text("900 100 50 1 0 300 0")
    assert cpu_seconds([7, 8], tmp_path) == pytest.approx(4.0)  # 200 ticks of 10 ms each
    assert resident_octets([7, 8], tmp_path) == 2 * 100 * 4096
    with pytest.raises(ProcessError):
        cpu_seconds([9], tmp_path)


def test_people_by_number_have_names_passwords_and_phones_of_their_own() -> None:
    people = Pattern("user{:06}", "pw{}", first=9, count=2, first_mac="02:be:00:00:00:f7")
    assert [people[0].name, people[0].password, people[0].mac] == [b"user000009", b"pw9", "02:be:00:00:01:00"]
    assert people[1].name == b"user000010"
    with pytest.raises(IndexError):
        people[2]


def test_macs_go_round_at_their_end() -> None:
    assert mac_of("ff:ff:ff:ff:ff:ff", 1) == "00:00:00:00:00:00"


def test_people_are_read_from_the_list_that_was_imported() -> None:
    people = read_people('username,password,name\nsiti,laut biru,Siti\nadi,"a,b",\n')
    assert [(people[n].name, people[n].password) for n in range(len(people))] == [
        (b"siti", b"laut biru"),
        (b"adi", b"a,b"),
    ]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        pytest.param("name,password\nsiti,x\n", 1, id="another header"),
        pytest.param("username,password\nsiti,x\nadi,\n", 3, id="no password"),
        pytest.param("username,password\n", 2, id="nobody"),
        pytest.param("", 1, id="nothing"),
    ],
)
def test_list_that_names_nobody_is_refused_with_its_row(text: str, row: int) -> None:
    with pytest.raises(PeopleError) as caught:
        read_people(text)
    assert caught.value.row == row
