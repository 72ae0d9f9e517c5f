"""Quotas."""

import pytest

from app.domain.quotas import Period, Quota

GB = 1_000_000_000
DAY = Quota(Period.DAY, GB)


@pytest.mark.parametrize(
    ("used", "left"), [(0, GB), (GB - 1, 1), (GB, 0), (GB + 1, 0)], ids=["unused", "one left", "used up", "passed"]
)
def test_left(used: int, left: int) -> None:
    assert DAY.left(used) == left
