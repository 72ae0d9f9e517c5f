"""What the governor is told, what it remembers, and what it decides: plain values. The rule itself is in `governor`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from app.domain.service_classes import ServiceClass


@dataclass(frozen=True, slots=True)
class Rule:
    """The constants of the governor; decision 70 says why they are so. Shares are of a line's capacity."""

    full: float = 0.96  # from here on a line is full: others wait
    aim: float = 0.95  # what a step aims at
    room: float = 0.92  # below this there is room
    patience: timedelta = timedelta(seconds=60)  # so long it must be full, or have room
    settling: timedelta = timedelta(seconds=120)  # between two steps: reports are a minute old
    heavy_shares: float = 2.0  # so many equal shares are heavy
    heavy_reports: int = 3  # in so many reports, one after another
    light_reports: int = 2  # so many reports far below the ceiling, and it is given back
    light_share: float = 0.5  # far below: this much of it
    minimum_bps: int = 512_000  # usable; no ceiling is lower
    grain_bps: int = 64_000  # ceilings are multiples of this
    least_step: float = 0.05  # of the level, up or down
    near: float = 0.85  # who takes less than this of the level needs no ceiling
    floor_step: float = 0.15  # floors and sites that would move by less stay
    changes_per_nas: int = 20  # a minute
    idle_bps: int = 8_000  # who takes less is not there
    unknown: float = 0.1  # while it is not known of so many sessions what they take, no line is full or has room
    stale: timedelta = timedelta(seconds=200)  # silent for so long: not counted
    shortest: timedelta = timedelta(seconds=20)  # reports nearer to each other say little
    site_slack: float = 1.5  # a site is held at so many times its part by heads: such ceilings are oversubscribed
    site_after: timedelta = timedelta(minutes=5)  # between two steps of a site, and of the floors
    guaranteed: float = 0.8  # of the line: what is divided as floors of the classes


RULE: Final = Rule()


class Reading(NamedTuple):
    """What accounting has said of an open session until now: octets down since it began.

    `plan_bps` is what its own policy lets it have, None: no limit; `steerable` tells whether its router takes a new
    rate while it is online.
    """

    session_id: str
    nas_id: str
    site_id: str
    service_class: ServiceClass
    down_octets: int
    reported_at: datetime
    plan_bps: int | None = None
    steerable: bool = True


@dataclass(frozen=True, slots=True)
class Promise:
    """What a class of service was promised: at least `floor_bps`, and beyond it `weight` for each of its people."""

    service_class: ServiceClass
    floor_bps: int = 0
    weight: int = 1
    ceiling_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An uplink: what it carries, what it promises, and what the lines of its sites carry (None: not known)."""

    capacity_bps: int
    promises: tuple[Promise, ...] = ()
    sites: Mapping[str, int | None] = field(default_factory=dict)


class Cause(StrEnum):
    """Why a ceiling moves."""

    WAITING = "waiting"  # lowered: others wait
    ROOM = "room"  # raised or lifted: there is room
    LIGHT = "light"  # lifted: it takes little by itself


class CeilingChange(NamedTuple):
    """A new ceiling of a session; `down_bps` None: none of ours.

    `place` is the site that is full, None the line; `rate_bps` what the session took by its last report; `others` how
    many wait.
    """

    session_id: str
    nas_id: str
    down_bps: int | None
    cause: Cause
    place: str | None
    rate_bps: int
    others: int


class SiteChange(NamedTuple):
    """A new ceiling of a whole site towards the line; None: none of ours."""

    site_id: str
    down_bps: int | None


class FloorChange(NamedTuple):
    """A new floor of a class of service, never below what was promised."""

    service_class: ServiceClass
    floor_bps: int


class Lever(StrEnum):
    """What the governor moves: the ceiling of a device, that of a site, or the floor of a class of service."""

    CEILING = "ceiling"
    SITE = "site"
    FLOOR = "floor"


class Watched(NamedTuple):
    """A session between two rounds; `rate_bps` None: not known yet. Reports are counted as the rule's words say."""

    octets: int
    reported_at: datetime
    rate_bps: int | None = None
    heavy_reports: int = 0
    light_reports: int = 0
    ceiling_bps: int | None = None


class Pressure(NamedTuple):
    """A line between two rounds: since when it is full or has room, and the level of those heavy (None: none)."""

    full_since: datetime | None = None
    room_since: datetime | None = None
    level_bps: int | None = None
    moved_at: datetime | None = None


class Held(NamedTuple):
    """A site's ceiling of ours, and since when it is so; None: it has been given back."""

    down_bps: int | None
    moved_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """All that the governor remembers of one uplink. The key None of `pressures` is the line, the others are sites."""

    watched: Mapping[str, Watched] = field(default_factory=dict)
    pressures: Mapping[str | None, Pressure] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    floors: Mapping[ServiceClass, int] = field(default_factory=dict)
    floors_moved_at: datetime | None = None
    sent: Sequence[tuple[datetime, str]] = ()  # changes of the last minute: when, and to which NAS
    postponed: int = 0  # changes that are still to be sent


class Place(NamedTuple):
    """How it stands with a line: what it carries and what is taken of it, an equal share, and who waits for more."""

    capacity_bps: int
    load_bps: int
    equal_bps: int
    others: int

    @property
    def use(self) -> float:
        """Return the share of it that is taken."""
        return self.load_bps / self.capacity_bps


@dataclass(frozen=True, slots=True)
class Decided:
    """What one round decided, and what it saw: `places` as the keys of `State.pressures`.

    `postponed` changes did not fit into what a NAS is told in a minute. Not `known`: readings are missing or too old to
    say what is taken of the line, so nothing was moved by it.
    """

    ceilings: Sequence[CeilingChange]
    sites: Sequence[SiteChange]
    floors: Sequence[FloorChange]
    places: Mapping[str | None, Place]
    postponed: int
    known: bool
