from datetime import timedelta

import pytest

from app.domain.hints import SHOWN_FOR, Hint, HintKind, accounts, is_current
from tests.factories import NOON


@pytest.mark.parametrize(
    ("accepts", "unaccounted", "expected"),
    [
        pytest.param(0, 0, None, id="nobody came"),
        pytest.param(1, 1, None, id="one phone walked away"),
        pytest.param(4, 4, None, id="too few to say"),
        pytest.param(5, 5, False, id="just enough, and nothing accounted"),
        pytest.param(10, 2, True, id="a fifth"),
        pytest.param(100, 20, True, id="a fifth of many"),
        pytest.param(100, 21, False, id="just over a fifth"),
        pytest.param(1, 0, True, id="one is accounted"),
    ],
)
def test_a6_21_nas_accounts_unless_over_a_fifth_of_its_accepts_have_nothing(
    accepts: int, unaccounted: int, expected: bool | None
) -> None:
    assert accounts(accepts, unaccounted) is expected


@pytest.mark.parametrize("kind", SHOWN_FOR)
def test_what_was_seen_is_shown_for_its_time_and_no_longer(kind: HintKind) -> None:
    hint = Hint(kind, times=1, first_at=NOON, last_at=NOON)
    assert is_current(hint, NOON + SHOWN_FOR[kind])
    assert not is_current(hint, NOON + SHOWN_FOR[kind] + timedelta(seconds=1))


@pytest.mark.parametrize("kind", HintKind)
def test_every_kind_is_seen_or_configured(kind: HintKind) -> None:
    configured = {HintKind.UNPROTECTED, HintKind.SHORT_SECRET, HintKind.SHARED_SECRET}
    assert (kind in SHOWN_FOR) is not (kind in configured)


def test_a2_02_what_is_configured_is_shown_as_long_as_it_is_so() -> None:
    assert is_current(Hint(HintKind.UNPROTECTED), NOON + timedelta(days=10_000))
