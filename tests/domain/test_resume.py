"""Resume grants: which known device comes back where, and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.local_time import WITA
from app.domain.resume import ResumeGrant, grant_ends_at, grant_for
from tests.factories import MAC, NOON

HERE, THERE = "sitesitesitesite", "anotheranotheran"
HOUR = timedelta(hours=1)


def grant(account_id: str = "userauserauserau", site_id: str | None = HERE, ends_in: timedelta = HOUR) -> ResumeGrant:
    return ResumeGrant(MAC, account_id, site_id, NOON + ends_in)


@pytest.mark.parametrize(
    ("given", "site_id", "covered"),
    [
        (grant(), HERE, True),
        (grant(), THERE, False),
        (grant(site_id=None), THERE, True),
        (grant(ends_in=timedelta(seconds=1)), HERE, True),
        (grant(ends_in=timedelta(0)), HERE, False),
    ],
    ids=["its site", "another site", "every site", "a second left", "ends this instant"],
)
def test_covers(given: ResumeGrant, site_id: str, covered: bool) -> None:
    assert given.covers(site_id, NOON) is covered


@pytest.mark.parametrize(
    ("now", "consented", "ends_at"),
    [
        (NOON, False, datetime(2026, 11, 24, 16, tzinfo=UTC)),
        (NOON, True, datetime(2026, 12, 24, 16, tzinfo=UTC)),
        (datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC), False, datetime(2026, 11, 24, 16, tzinfo=UTC)),
        (datetime(2026, 11, 24, 16, tzinfo=UTC), False, datetime(2026, 11, 25, 16, tzinfo=UTC)),
    ],
    ids=["local midnight", "thirty days later", "a second before midnight", "midnight"],
)
def test_grant_ends_at_a_local_midnight(now: datetime, consented: bool, ends_at: datetime) -> None:
    assert grant_ends_at(now, WITA, consented=consented) == ends_at


def test_longest_grant_that_covers_is_taken() -> None:
    here, longer = grant("a" * 16), grant("b" * 16, ends_in=2 * HOUR)
    elsewhere, over = grant("c" * 16, THERE, 9 * HOUR), grant("d" * 16, ends_in=-HOUR)
    assert grant_for([here, longer, elsewhere, over], HERE, NOON) == longer
    assert grant_for([elsewhere, over], HERE, NOON) is None
    assert grant_for([], HERE, NOON) is None
