"""What came of an evening."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from statistics import median
from typing import NamedTuple

from app.simulator.evening.people import Kind
from app.simulator.evening.scene import Way


class Page(NamedTuple):
    """One page: when it was asked for, and how long it took; one that never came took until the end."""

    began_at: float
    seconds: float
    kind: Kind


class Minute(NamedTuple):
    """One minute: bits by what they were for, and phones online; those with a ceiling of the governor's; Jain's index.

    `fairness` is over what those got, while they waited, who waited for more than the line gave; None where hardly
    anybody did. `level_bps` is the governor's for the line.
    """

    bits: dict[Kind, float]
    online: int
    lowered: int
    level_bps: int | None
    fairness: float | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Evening:
    """One evening in one way of sharing."""

    way: Way
    capacity_bps: int
    pages: Sequence[Page]
    minutes: Sequence[Minute]
    changes: int
    video_bps: float
    video_still: float

    def page_seconds(self, share: float, kind: Kind = Kind.PAGES) -> float:
        """Return how long pages took, at most, in that share of cases."""
        return percentile([page.seconds for page in self.pages if page.kind is kind], share)

    def count(self, kind: Kind = Kind.PAGES) -> int:
        """Return how many pages were asked for."""
        return sum(page.kind is kind for page in self.pages)

    def bits(self, kind: Kind) -> float:
        """Return what the line carried for a kind of people."""
        return sum(minute.bits[kind] for minute in self.minutes)

    @property
    def use(self) -> float:
        """Return which share of what the line could have carried it did carry."""
        return sum(sum(minute.bits.values()) for minute in self.minutes) / (60 * self.capacity_bps * len(self.minutes))

    @property
    def busy_use(self) -> float:
        """Return the same over the minutes in which somebody waited for more than the line gave."""
        busy = [minute for minute in self.minutes if minute.waiting]
        if not busy:
            return 0.0
        return sum(sum(minute.bits.values()) for minute in busy) / (60 * self.capacity_bps * len(busy))

    @property
    def fairness(self) -> float:
        """Return Jain's index over the evening: each minute counts as often as people waited in it."""
        known = [(minute.fairness, minute.waiting) for minute in self.minutes if minute.fairness is not None]
        weight = sum(waiting for _, waiting in known)
        return sum(index * waiting for index, waiting in known) / weight if weight else 1.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One evening, or the middle of several, in numbers. Times in seconds, shares from 0 to 1."""

    way: Way
    page_p50: float
    page_p95: float
    office_p95: float
    use: float
    busy_use: float
    fairness: float
    changes: float
    pages: float
    video_bps: float
    video_still: float
    download_octets: float


def figures(evening: Evening) -> Figures:
    """Return an evening in numbers."""
    return Figures(
        way=evening.way,
        page_p50=evening.page_seconds(0.5),
        page_p95=evening.page_seconds(0.95),
        office_p95=evening.page_seconds(0.95, Kind.OFFICE),
        use=evening.use,
        busy_use=evening.busy_use,
        fairness=evening.fairness,
        changes=evening.changes,
        pages=evening.count(),
        video_bps=evening.video_bps,
        video_still=evening.video_still,
        download_octets=evening.bits(Kind.DOWNLOAD) / 8,
    )


def middle(several: Sequence[Figures]) -> Figures:
    """Return the median of each figure over evenings in the same way of sharing."""
    return replace(
        several[0],
        **{
            field.name: median(getattr(one, field.name) for one in several)
            for field in fields(Figures)
            if field.name != "way"
        },
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def jain(values: Sequence[float]) -> float:
    """Return Jain's index of fairness: 1 where all are equal, 1/n where one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0
