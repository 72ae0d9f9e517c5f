"""Evenings that are played: the same for the same seed, within the line, and what the governor does in them."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import pytest

from app.domain.governed import RULE, CeilingChange, Decided, State
from app.simulator.evening.accounting import Observer
from app.simulator.evening.films import Film
from app.simulator.evening.measures import Evening, Page, jain, percentile
from app.simulator.evening.people import Kind, people_of
from app.simulator.evening.play import play
from app.simulator.evening.scene import Scene, Way

M = 1_000_000
SMALL = Scene(capacity_bps=10 * M, readers=60, watchers=3, downloaders=2, staff=2, office_floor_bps=2 * M, hours=0.5)


@pytest.mark.parametrize("way", Way)
def test_a_line_never_carries_more_than_it_can(way: Way) -> None:
    evening = play(SMALL, way)
    assert len(evening.minutes) == 30
    assert all(sum(minute.bits.values()) <= 60 * SMALL.capacity_bps * (1 + 1e-6) for minute in evening.minutes)
    assert evening.use > 0.5


@pytest.mark.parametrize("way", [Way.NOTHING, Way.BOTH])
def test_no_page_comes_faster_than_its_phone_may(way: Way) -> None:
    evening = play(SMALL, way)
    carried = sum(evening.bits(kind) for kind in (Kind.PAGES, Kind.OFFICE))
    seconds = sum(page.seconds for page in evening.pages)
    assert carried / seconds <= SMALL.plan_bps


def test_the_same_seed_is_the_same_evening_and_another_seed_is_not() -> None:
    first, again = play(SMALL, Way.BOTH), play(SMALL, Way.BOTH)
    other = play(replace(SMALL, seed=2), Way.BOTH)
    assert first == again
    assert first.pages != other.pages


def test_people_want_the_same_whatever_the_line_gives() -> None:
    first, other = people_of(SMALL), people_of(SMALL)
    for one, same in zip(first, other, strict=True):
        assert one.next_visit(0.0) == same.next_visit(0.0)
        assert one.next_wish(10.0, None) == same.next_wish(10.0, None)


HOURS = 2.0
CITY = Scene(hours=HOURS)
HEAVIES = {str(number) for number in range(CITY.readers, CITY.readers + CITY.watchers + CITY.downloaders)}


@dataclass
class Governed:
    """An evening with the governor: the ceilings it set, and the level of the line after each round."""

    evening: Evening
    ceilings: list[CeilingChange]
    levels: list[int]


@pytest.fixture(scope="module")
def both() -> Governed:
    ceilings: list[CeilingChange] = []
    levels: list[int] = []

    def remember(decided: Decided, state: State) -> None:
        ceilings.extend(decided.ceilings)
        levels.append(state.pressures[None].level_bps or CITY.capacity_bps)

    return Governed(play(CITY, Way.BOTH, rounds=remember), ceilings, levels)


@pytest.fixture(scope="module")
def queue() -> Evening:
    return play(CITY, Way.QUEUE)


def test_an_evening_sees_no_oscillation(both: Governed) -> None:
    """The level turns at most ten times an hour, and a session is told something at most a dozen times."""
    moves = [after > before for before, after in pairwise(both.levels) if after != before]
    turns = sum(one != other for one, other in pairwise(moves))
    told = Counter(change.session_id for change in both.ceilings)
    assert told
    assert turns <= 10 * HOURS
    assert max(told.values()) <= 12 * HOURS


def test_an_evening_lowers_those_heavy_and_nobody_below_what_is_usable(both: Governed) -> None:
    lowered = [change for change in both.ceilings if change.down_bps is not None]
    assert all(change.down_bps is not None and change.down_bps >= RULE.minimum_bps for change in lowered)
    of_heavies = sum(change.session_id.split("-")[0] in HEAVIES for change in lowered)
    assert of_heavies >= 0.9 * len(lowered) > 0


def test_queue_and_governor_together_beat_the_queue_alone_and_keep_the_line_in_use(
    both: Governed, queue: Evening
) -> None:
    assert both.evening.page_seconds(0.95) < 0.8 * queue.page_seconds(0.95)
    assert both.evening.use >= 0.95 * queue.use


def test_without_queue_or_governor_those_with_many_flows_win(queue: Evening) -> None:
    nothing = play(CITY, Way.NOTHING)
    assert nothing.bits(Kind.DOWNLOAD) > 1.3 * queue.bits(Kind.DOWNLOAD)
    assert nothing.fairness < queue.fairness


def test_changes_arrive_late_and_the_lost_later_still() -> None:
    observer = Observer(SMALL.line(), Random(1))
    delays = [observer.delay() for _ in range(2_000)]
    assert min(delays) >= 0.5
    assert 0.01 <= sum(delay > 15 for delay in delays) / len(delays) <= 0.03


def test_a_film_that_comes_too_slowly_stands_still_and_falls_to_a_lower_quality() -> None:
    film, chance = Film(), Random(1)
    now, bits = film.next_piece(0.0, None, chance)
    for _ in range(10):
        now += 20.0
        at, bits = film.next_piece(now, bits / 20.0, chance)
        assert at == now
    assert film.quality == 0
    assert film.still_seconds > film.played_seconds > 0


def test_a_film_that_comes_fast_is_fetched_ahead_and_no_further() -> None:
    film, chance = Film(), Random(1)
    at, _ = film.next_piece(0.0, None, chance)
    for _ in range(20):
        at, _ = film.next_piece(at + 0.5, 20e6, chance)
    assert film.quality == 4
    assert film.stored_seconds <= 31
    assert film.still_seconds == 0


@pytest.mark.parametrize(
    ("rates", "index"), [([5, 5, 5], 1.0), ([9, 0, 0], 1 / 3), ([1, 2, 3], 36 / 42)], ids=["equal", "one", "uneven"]
)
def test_jain(rates: list[float], index: float) -> None:
    assert jain(rates) == pytest.approx(index)


def test_percentile() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 96
    assert percentile([], 0.95) == 0
    assert Page(0.0, 1.0, Kind.PAGES).seconds == 1.0
