"""What people do in the evening: a small model, the same wishes for the same seed whatever the line gives.

Pages are read one after another, with pauses in which nothing is wanted. A film is fetched in pieces, each in the
quality that the last ones came in; a download wants all there is. Sizes are in bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import log
from random import Random
from typing import Final

from app.domain.service_classes import ServiceClass
from app.simulator.evening.films import Film
from app.simulator.evening.scene import OFFICE_SITE, Scene

_MBIT: Final = 8_000_000.0  # bits of a megabyte
_PAGE_MEDIAN: Final = 1.0 * _MBIT
_PAGE_SPREAD: Final = 0.7  # of its logarithm: the mean is 1.3 MB, one of twenty has 3.2 MB
_PAUSE_SECONDS: Final = 60.0
_STAFF_PAUSE_SECONDS: Final = 25.0
_ARRIVAL_SECONDS: Final = 1_500.0
_STAY_MEDIAN_SECONDS: Final = 3_000.0
_AWAY_SECONDS: Final = 1_200.0


class Kind(StrEnum):
    """What somebody mainly does."""

    PAGES = "pages"
    VIDEO = "video"
    DOWNLOAD = "download"
    OFFICE = "office"


PAGED: Final = frozenset({Kind.PAGES, Kind.OFFICE})
"""Those who read pages."""

_FLOWS: Final = {Kind.PAGES: 4.0, Kind.VIDEO: 3.0, Kind.DOWNLOAD: 16.0, Kind.OFFICE: 4.0}


@dataclass(slots=True, eq=False)
class Person:
    """One phone: what it wants now, and what it got. `ceiling_bps` is what its router lets it have."""

    number: int
    kind: Kind
    site: str
    service_class: ServiceClass
    plan_bps: float
    chance: Random
    visit: int = 0
    leaves_at: float = 0.0
    online: bool = False
    ceiling_bps: float = float("inf")
    octets: float = 0.0
    bits_left: float = 0.0
    wish_bits: float = 0.0
    began_at: float = 0.0
    waited_bits: float = 0.0
    waited_seconds: float = 0.0
    film: Film = field(default_factory=Film)

    @property
    def session(self) -> str:
        """Return the id of its session."""
        return f"{self.number}-{self.visit}"

    @property
    def flows(self) -> float:
        """Return how many flows it opens at once."""
        return _FLOWS[self.kind]

    def next_visit(self, now: float) -> float:
        """Return when it comes, or comes again, and draw how long it stays."""
        away = _ARRIVAL_SECONDS if self.visit == 0 else _AWAY_SECONDS
        came_at = now + self.chance.expovariate(1 / away)
        if self.kind is Kind.OFFICE and self.visit == 0:
            came_at = now + self.chance.uniform(0, 300)
        self.leaves_at = came_at + self.chance.lognormvariate(log(_STAY_MEDIAN_SECONDS), 0.5)
        self.visit += 1
        return came_at

    def next_wish(self, now: float, rate_bps: float | None) -> tuple[float, float]:
        """Return when it wants something next, and how many bits; `rate_bps` is how fast the last came, None: none."""
        match self.kind:
            case Kind.PAGES | Kind.OFFICE:
                pause = _PAUSE_SECONDS if self.kind is Kind.PAGES else _STAFF_PAUSE_SECONDS
                return now + self.chance.expovariate(1 / pause), self._page()
            case Kind.VIDEO:
                return self.film.next_piece(now, rate_bps, self.chance)
            case Kind.DOWNLOAD:
                pause = 5.0 if rate_bps is None else self.chance.expovariate(1 / 90)
                return now + pause, self.chance.uniform(150, 1_200) * _MBIT

    def _page(self) -> float:
        return self.chance.lognormvariate(log(_PAGE_MEDIAN), _PAGE_SPREAD)


def people_of(scene: Scene) -> list[Person]:
    """Return everybody; each draws from chances of their own, so that nobody's luck depends on another's."""
    kinds = [Kind.PAGES] * scene.readers + [Kind.VIDEO] * scene.watchers + [Kind.DOWNLOAD] * scene.downloaders
    homes = _homes(scene)
    people = [
        Person(number, kind, next(homes), ServiceClass.RESIDENT, scene.plan_bps, Random(f"{scene.seed}/{number}"))  # noqa: S311 a game
        for number, kind in enumerate(kinds)
    ]
    first = len(people)
    return people + [
        Person(
            first + number,
            Kind.OFFICE,
            OFFICE_SITE,
            ServiceClass.OFFICE,
            scene.plan_bps,
            Random(f"{scene.seed}/office/{number}"),  # noqa: S311 a game
        )
        for number in range(scene.staff)
    ]


def _homes(scene: Scene) -> Iterator[str]:
    """Yield places for ever, each as often as its size says."""
    chance = Random(f"{scene.seed}/homes")  # noqa: S311 a game
    names, sizes = zip(*scene.sites(), strict=True)
    while True:
        yield from chance.choices(names, sizes, k=100)
