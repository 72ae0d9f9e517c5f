"""What is played: the line, the people, the ways of sharing it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.governed import Line, Promise
from app.domain.service_classes import ServiceClass

BEGINS_AT: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 18.00 WITA
_ISLANDS: Final = (("Gusung", 4), ("Melahing", 3), ("Tihi-tihi", 2), ("Lok Tunggul", 1))  # by how many live there
OFFICE_SITE: Final = "Kantor"


class Way(StrEnum):
    """How the line is shared."""

    NOTHING = "nothing"  # one queue: by flows, so who opens many wins
    QUEUE = "queue"  # a fair queue for each phone, floors of classes
    GOVERNOR = "governor"  # one queue, and the governor's ceilings
    BOTH = "both"

    @property
    def queued(self) -> bool:
        """Tell whether each phone has a queue of its own."""
        return self in {Way.QUEUE, Way.BOTH}

    @property
    def governed(self) -> bool:
        """Tell whether the governor works."""
        return self in {Way.GOVERNOR, Way.BOTH}


@dataclass(frozen=True, slots=True)
class Scene:
    """An evening. Rates in bit/s, `spots` None: four islands of unequal size."""

    capacity_bps: int = 60_000_000
    readers: int = 384
    watchers: int = 10
    downloaders: int = 6
    staff: int = 12
    office_floor_bps: int = 10_000_000
    spots: int | None = None
    spot_bps: int = 50_000_000
    plan_bps: int = 10_000_000
    hours: float = 4.0
    seed: int = 1

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return self.hours * 3600

    @property
    def people(self) -> int:
        """Return how many there are."""
        return self.readers + self.watchers + self.downloaders + self.staff

    def sites(self) -> list[tuple[str, int]]:
        """Return the places where people live, with how many of them live there relative to the others."""
        if self.spots is None:
            return list(_ISLANDS)
        return [(f"Titik {number + 1}", 1) for number in range(self.spots)]

    def line(self) -> Line:
        """Return the line as the governor knows it."""
        promises = (Promise(ServiceClass.OFFICE, self.office_floor_bps, 2), Promise(ServiceClass.RESIDENT))
        sites = {name: self.spot_bps for name, _ in self.sites()} | {OFFICE_SITE: self.spot_bps}
        return Line(self.capacity_bps, promises, sites)


def moment(seconds: float) -> datetime:
    """Return when that many seconds of the evening have passed."""
    return BEGINS_AT + timedelta(seconds=seconds)
