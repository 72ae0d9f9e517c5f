"""A6.09: why a counter is smaller than before, and what was used all the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from app.domain.counters import Count, Oddity, Reading, count, count_on, nothing_counted
from tests.factories import NOON

MB, GB, WRAP = 10**6, 10**9, 2**32
DECREASED, RESET, WRAPPED = Oddity.DECREASED, Oddity.RESET, Oddity.WRAPPED


def reading(
    seconds: int | None,
    up: int,
    down: int = 0,
    *,
    at: int | None = None,
    packets: tuple[int, int] | None = None,
    narrow: bool = False,
    counted: bool = True,
    final: bool = False,
) -> Reading:
    """Make a reading; `at` is seconds after the start, if it is not the session time; `narrow`: of 32 bits."""
    moment = NOON + timedelta(seconds=at if at is not None else seconds or 0)
    up_packets, down_packets = packets or (None, None)
    return Reading(seconds, moment, up, down, up_packets, down_packets, counted, not narrow, final)


def total(counted: Count) -> tuple[int, int, tuple[Oddity, ...]]:
    return counted.up_octets, counted.down_octets, counted.counting.oddities


@pytest.mark.parametrize(
    ("readings", "up", "down", "oddities"),
    [
        pytest.param([], 0, 0, (), id="nothing"),
        pytest.param([reading(60, 5, 7), reading(120, 6, 9)], 6, 9, (), id="growing"),
        pytest.param([reading(60, 5), reading(60, 5), reading(60, 5, at=90)], 5, 0, (), id="the same thing thrice"),
        pytest.param(
            [reading(60, 5 * MB, at=200), reading(120, 9 * MB, at=120)], 9 * MB, 0, (), id="a packet that came late"
        ),
        pytest.param(
            [reading(60, 500 * MB, 2), reading(120, 10 * MB, 1), reading(180, 600 * MB, 3)],
            1_100 * MB,
            5,
            (DECREASED, RESET),
            id="a restart, and past the old value again",
        ),
        pytest.param(
            [reading(60, 500), reading(120, 30), reading(180, 20)], 550, 0, (DECREASED, RESET), id="two restarts"
        ),
        pytest.param(
            [reading(600, 100 * MB), reading(30, 4 * MB, at=640), reading(90, 6 * MB, at=700)],
            106 * MB,
            0,
            (DECREASED, RESET),
            id="the session time began again too",
        ),
        pytest.param(
            [reading(60, 5, at=600), reading(1_200, 6, at=1_300), reading(120, 7, at=1_400)],
            7,
            0,
            (),
            id="session times that contradict moments and counters are not believed",
        ),
        pytest.param(
            [reading(600, 100 * MB), reading(60, 4 * MB, at=660, final=True)],
            104 * MB,
            0,
            (DECREASED, RESET),
            id="the session time began again, and a Stop",
        ),
        pytest.param(
            [reading(60, 9, 4_294 * MB, narrow=True), reading(120, 10, 10 * MB, narrow=True)],
            10,
            WRAP + 10 * MB,
            (DECREASED, WRAPPED),
            id="32 bits, one direction fell alone",
        ),
        pytest.param(
            [reading(600, 100 * MB, 1 * GB, narrow=True), reading(1_200, 150 * MB, GB // 2, narrow=True)],
            150 * MB,
            WRAP + GB // 2,
            (DECREASED, WRAPPED),
            id="32 bits, a wrap from below the middle",
        ),
        pytest.param(
            [reading(60, 0, 4_000 * MB, narrow=True), reading(120, 0, 1, narrow=True)],
            0,
            WRAP + 1,
            (DECREASED, WRAPPED),
            id="32 bits, nothing else counted, from the upper half",
        ),
        pytest.param(
            [reading(60, 0, 4 * MB, narrow=True), reading(120, 0, 1, narrow=True)],
            0,
            4 * MB + 1,
            (DECREASED, RESET),
            id="32 bits, nothing else counted, from the lower half",
        ),
        pytest.param(
            [reading(60, 300 * MB, 4_000 * MB, narrow=True), reading(120, 1, 2, narrow=True)],
            300 * MB + 1,
            4_000 * MB + 2,
            (DECREASED, RESET),
            id="32 bits, both fell: a restart",
        ),
        pytest.param(
            [
                reading(60, 5 * MB, 4_000 * MB, packets=(90, 3_000_000), narrow=True),
                reading(120, 6 * MB, 2, packets=(95, 3_400_000), narrow=True),
            ],
            6 * MB,
            WRAP + 2,
            (DECREASED, WRAPPED),
            id="32 bits, packets went on",
        ),
        pytest.param(
            [
                reading(60, 1, 4_000 * MB, packets=(1, 3_000_000), narrow=True),
                reading(120, 2, 700 * MB, packets=(2, 500_000), narrow=True),
            ],
            3,
            4_700 * MB,
            (DECREASED, RESET),
            id="32 bits, packets began again",
        ),
        pytest.param(
            [reading(60, 9, 5 * GB), reading(120, 10, 4 * GB, narrow=True)],
            19,
            9 * GB,
            (DECREASED, RESET),
            id="a router that has told gigawords once does not wrap",
        ),
        pytest.param(
            [reading(None, 100, at=60), reading(None, 40, at=120), reading(None, 130, at=180)],
            130,
            0,
            (DECREASED,),
            id="no session time: one small reading among greater ones is a late packet",
        ),
        pytest.param(
            [reading(None, 100, at=60), reading(None, 40, at=120), reading(None, 60, at=180)],
            160,
            0,
            (DECREASED, RESET),
            id="no session time: the second small reading confirms a restart",
        ),
        pytest.param(
            [reading(None, 100, at=60), reading(None, 40, at=120)],
            100,
            0,
            (DECREASED,),
            id="no session time: a small last reading may still be either",
        ),
        pytest.param(
            [reading(60, 100, final=True), reading(120, 40)], 100, 0, (DECREASED,), id="nothing begins after a Stop"
        ),
        pytest.param(
            [reading(0, 0, counted=False), reading(60, 5), reading(120, 0, counted=False)],
            5,
            0,
            (),
            id="a report without counters is no restart",
        ),
    ],
)
def test_a6_09_what_was_used_whatever_the_order(
    readings: Sequence[Reading], up: int, down: int, oddities: tuple[Oddity, ...]
) -> None:
    for order in permutations(readings):
        assert total(count(order, started_at=NOON)) == (up, down, oddities)


@pytest.mark.parametrize(
    ("after", "known"),
    [
        pytest.param(reading(120, 6), True, id="greater"),
        pytest.param(reading(60, 5), True, id="the same again"),
        pytest.param(reading(120, 0, counted=False), True, id="without counters"),
        pytest.param(reading(120, 4), False, id="smaller"),
        pytest.param(reading(30, 6), False, id="an earlier session time"),
        pytest.param(reading(120, 6, at=50), False, id="an earlier moment"),
        pytest.param(reading(None, 6, at=120), False, id="no session time"),
    ],
)
def test_only_a_reading_that_goes_on_is_counted_without_the_others(after: Reading, known: bool) -> None:
    before = count([reading(60, 5)], started_at=NOON)
    assert (count_on(before, after, NOON) is not None) is known


def test_counting_one_by_one_is_counting_all() -> None:
    readings = [reading(0, 0, counted=False), *(reading(n, n * MB, n * GB) for n in range(60, 700, 60))]
    counted: Count | None = nothing_counted(NOON)
    for one in readings:
        assert counted is not None
        counted = count_on(counted, one, NOON)
    assert counted is not None
    whole = count(readings, started_at=NOON)
    assert (total(counted), counted.counting) == (total(whole), whole.counting)


def test_what_a_wrap_and_a_restart_added_is_in_the_marks() -> None:
    def at(seconds: int) -> datetime:
        return NOON + timedelta(seconds=seconds)

    counted = count([reading(60, 100), reading(120, 30), reading(180, 50)], started_at=NOON)
    assert counted.marks == [(at(60), 100, 0), (at(120), 130, 0), (at(180), 150, 0)]
