"""Top-ups: octets that are used after a period's quota, and live until they are used or until their end."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain.quotas import Measure, Quota
from app.domain.spending import Usage


class TopUp(NamedTuple):
    """Octets that were added to an account, as far as they are left."""

    id: str
    left_octets: int
    ends_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether they have not ended."""
        return self.ends_at is None or now < self.ends_at


class Drawn(NamedTuple):
    """Octets that a top-up pays for, so that they count for no quota; `down` and `up` are those of one direction.

    Those that are of neither were beyond a quota of both directions together.
    """

    octets: int = 0
    down: int = 0
    up: int = 0


def left_in(top_ups: Iterable[TopUp], now: datetime) -> int:
    """Return how many octets are left altogether."""
    return sum(one.left_octets for one in top_ups if one.holds(now))


def draw(quotas: Sequence[Quota], usage: Usage, balance: int) -> Drawn:
    """Return what a balance pays for, of what was used beyond the first quota of each measure."""

    def beyond(measure: Measure) -> int:
        over = (usage.used(quota.tally) - quota.amount for quota in quotas if quota.measure is measure)
        return max(0, *over, 0)

    down, up, both = beyond(Measure.DOWN), beyond(Measure.UP), beyond(Measure.BOTH)
    down = min(down, balance)
    up = min(up, balance - down)
    return Drawn(max(down + up, min(both, balance)), down, up)


def take_from(top_ups: Iterable[TopUp], octets: int, now: datetime) -> dict[str, int]:
    """Return how much is taken from which top-up: first from the one that ends first."""
    taken: dict[str, int] = {}
    for one in sorted(top_ups, key=lambda one: (one.ends_at is None, one.ends_at or now, one.id)):
        part = min(one.left_octets, octets) if one.holds(now) else 0
        if part > 0:
            taken[one.id] = part
            octets -= part
    return taken
