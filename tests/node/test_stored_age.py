"""How old a stored snapshot is, whatever the wall clock says; durations by the monotonic clock (D09)."""

from datetime import UTC, datetime, timedelta

import pytest

from app.node.stored.age import Dated, StoredAge
from tests.factories import NOON

DAY = 86_400.0
LOST = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)  # a clock without a battery
READ_AT = 1000.0


def age(dated: Dated, now: datetime, *, ran: float) -> float:
    return StoredAge(dated, read_at=READ_AT).seconds(now, READ_AT + ran)


WRITTEN = Dated(NOON, NOON + timedelta(seconds=5), 5.0)


@pytest.mark.parametrize(
    ("dated", "now", "ran", "expected"),
    [
        pytest.param(WRITTEN, NOON + timedelta(days=3), 0.0, 3 * DAY, id="it lay on the disk"),
        pytest.param(WRITTEN, NOON + timedelta(seconds=5), 0.0, 5.0, id="it was old already when written"),
        pytest.param(WRITTEN, NOON + timedelta(seconds=25), 20.0, 25.0, id="it ages while the node runs"),
        pytest.param(WRITTEN, LOST, 20.0, 25.0, id="D09 a clock before the build date lets nothing expire"),
        pytest.param(WRITTEN, NOON - timedelta(days=1), 20.0, 25.0, id="dated in the future: it ages all the same"),
        pytest.param(WRITTEN, LOST, 9 * DAY, 9 * DAY + 5, id="a clock that stays lost makes it not immortal"),
        pytest.param(WRITTEN, NOON + timedelta(days=8), 60.0, 8 * DAY, id="the clock is set right later"),
        pytest.param(WRITTEN, NOON + timedelta(hours=-1), 60.0, 65.0, id="a step back makes it no younger"),
        pytest.param(
            Dated(NOON, LOST, 600.0),
            NOON + timedelta(days=2),
            0.0,
            2 * DAY,
            id="written by a lost clock, read by a good",
        ),
        pytest.param(
            Dated(LOST, NOON, 600.0),
            NOON + timedelta(days=2),
            0.0,
            2 * DAY + 600,
            id="read by a lost clock, written by a good",
        ),
        pytest.param(Dated(LOST, LOST, 600.0), NOON, 30.0, 630.0, id="nothing but lost clocks"),
    ],
)
def test_age(dated: Dated, now: datetime, ran: float, expected: float) -> None:
    assert age(dated, now, ran=ran) == pytest.approx(expected)
