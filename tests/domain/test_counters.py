"""A6.09, A6.10: why a counter is smaller than before, or greater than it can be, and what was used all the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from app.domain.counters import Count, Oddity, count, count_on, nothing_counted
from app.domain.readings import Reading
from tests.factories import NOON

MB, GB, WRAP = 10**6, 10**9, 2**32
DECREASED, RESET, WRAPPED, IMPLAUSIBLE = Oddity.DECREASED, Oddity.RESET, Oddity.WRAPPED, Oddity.IMPLAUSIBLE


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


def charged(counted: Count) -> tuple[int, int]:
    mark = counted.mark(NOON)
    return mark.up_octets, mark.down_octets


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
            [reading(60, 9, at=60), reading(60, 5, at=75)], 9, 0, (), id="of one session time the smaller is earlier"
        ),
        pytest.param(
            [reading(None, 9, at=0), reading(None, 5, at=0)], 9, 0, (), id="of one second the smaller is earlier"
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
                reading(60, 5 * MB, 4_000 * MB, packets=(9_000, 3_000_000), narrow=True),
                reading(120, 6 * MB, 2, packets=(9_500, 3_400_000), narrow=True),
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
    readings = [reading(0, 0, counted=False), *(reading(n, n * MB, n * 10 * MB) for n in range(60, 700, 60))]
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


LINE = 1_250_000_000 // 10  # octets a second of 1 Gbit/s


@pytest.mark.parametrize(
    ("readings", "link_bps", "up", "up_charged", "oddities"),
    [
        pytest.param([reading(60, 120 * LINE)], None, 120 * LINE, 120 * LINE, (), id="1 Gbit/s and a minute more"),
        pytest.param(
            [reading(60, 120 * LINE + 1)], None, 120 * LINE + 1, 120 * LINE, (IMPLAUSIBLE,), id="one octet more"
        ),
        pytest.param([reading(60, 600 * MB)], 20 * MB, 600 * MB, 600 * MB, (), id="twice the site's capacity"),
        pytest.param([reading(60, GB)], 20 * MB, GB, 600 * MB, (IMPLAUSIBLE,), id="more than that"),
        pytest.param(
            [reading(60, 5 * MB), reading(120, 905 * MB), reading(180, 910 * MB)],
            20 * MB,
            910 * MB,
            610 * MB,
            (IMPLAUSIBLE,),
            id="too much in one interval only",
        ),
        pytest.param(
            [reading(60, 5 * MB), reading(120, 50 * GB), reading(180, 7 * MB)],
            20 * MB,
            7 * MB,
            7 * MB,
            (IMPLAUSIBLE,),
            id="one mad value among sane ones",
        ),
        pytest.param([reading(None, 50 * GB, at=0)], None, 50 * GB, 50 * GB, (), id="nobody knows for how long"),
        pytest.param(
            [reading(60, 65_535 * 11, packets=(10, 0))], None, 65_535 * 11, 65_535 * 11, (), id="the largest packets"
        ),
        pytest.param(
            [reading(60, 65_535 * 11 + 1, packets=(10, 0))],
            None,
            65_535 * 11 + 1,
            65_535 * 10,
            (IMPLAUSIBLE,),
            id="packets too few",
        ),
        pytest.param(
            [reading(60, 5 * MB, packets=(0, 0))], None, 5 * MB, 5 * MB, (IMPLAUSIBLE,), id="octets without packets"
        ),
        pytest.param(
            [reading(60, 5 * MB, packets=(900, 0)), reading(120, 9 * MB, packets=(900, 0))],
            None,
            9 * MB,
            9 * MB,
            (IMPLAUSIBLE,),
            id="packets stand still",
        ),
        pytest.param([reading(60, 5 * MB)], None, 5 * MB, 5 * MB, (), id="no packets are told"),
    ],
)
def test_a6_10_what_no_line_carries_and_no_packets_hold_is_recorded_but_not_charged(
    readings: Sequence[Reading], link_bps: int | None, up: int, up_charged: int, oddities: tuple[Oddity, ...]
) -> None:
    for order in permutations(readings):
        counted = count(order, started_at=NOON, link_bps=link_bps)
        assert total(counted) == (up, 0, oddities)
        assert charged(counted) == (up_charged, 0)


def test_a6_10_an_implausible_reading_is_not_counted_without_the_others() -> None:
    before = count([reading(60, 5)], started_at=NOON)
    assert count_on(before, reading(120, GB), NOON, 20 * MB) is None
    assert count_on(before, reading(120, GB), NOON) is not None
