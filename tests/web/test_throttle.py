from datetime import timedelta

import pytest

from app.web.throttle import Throttle
from tests.factories import NOON

WINDOW = timedelta(minutes=10)
SECOND = timedelta(seconds=1)


def spent(number: int, *, every: timedelta = SECOND) -> Throttle:
    throttle = Throttle(window=WINDOW)
    for index in range(number):
        assert throttle.take([("mac a", 10)], NOON + index * every) is None
    return throttle


@pytest.mark.parametrize(
    ("tries", "free_at"),
    [
        pytest.param(9, None, id="a tenth try"),
        pytest.param(10, NOON + WINDOW, id="an eleventh waits for the first to be ten minutes old"),
    ],
)
def test_tries_are_limited(tries: int, free_at: object) -> None:
    assert spent(tries).take([("mac a", 10)], NOON + timedelta(minutes=1)) == free_at


@pytest.mark.parametrize(
    ("later", "free"),
    [
        pytest.param(WINDOW - SECOND, False, id="a second before"),
        pytest.param(WINDOW, True, id="the moment the first try is ten minutes old"),
    ],
)
def test_tries_come_back(later: timedelta, free: bool) -> None:
    assert (spent(10).take([("mac a", 10)], NOON + later) is None) is free


def test_refused_try_counts_against_no_key() -> None:
    throttle = spent(10)
    for _ in range(20):
        assert throttle.take([("mac a", 10), ("nas", 5)], NOON + SECOND) is not None
    assert throttle.take([("nas", 5)], NOON + SECOND) is None


def test_what_fits_is_given_back() -> None:
    throttle = Throttle(window=WINDOW)
    for _ in range(50):
        assert throttle.take([("mac a", 10)], NOON) is None
        throttle.give_back([("mac a", 10)], NOON)
    assert len(throttle) == 0


def test_keys_do_not_grow_without_end() -> None:
    throttle = Throttle(window=WINDOW, max_keys=100)
    for number in range(1_000):
        throttle.take([(f"mac {number}", 10), ("nas", 5_000)], NOON)
    assert len(throttle) == 100


def test_flood_of_new_keys_does_not_forget_a_busy_one() -> None:
    throttle = Throttle(window=WINDOW, max_keys=100)
    for number in range(1_000):
        throttle.take([(f"mac {number}", 10), ("nas", 1_000)], NOON)
    assert throttle.take([("nas", 1_000)], NOON) == NOON + WINDOW
