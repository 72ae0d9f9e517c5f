"""Uplinks: lines with a capacity, what each promises to the classes of service, and which sites hang on it.

What is promised is a *floor*: floors of a line never sum to more than it carries, in either direction. *Ceilings* are
not promised, and may sum to as much as they like. What nobody uses is lent: to each active host in proportion to the
*weight* of its class.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from app.domain.service_classes import ServiceClass

Network = IPv4Network | IPv6Network


class Way(StrEnum):
    """One direction of a line, as the user sees it."""

    DOWN = "down"
    UP = "up"


class GovernorMode(StrEnum):
    """Whether the governor works on a line."""

    OFF = "off"
    OBSERVE = "observe"  # it decides, and tells nobody
    ON = "on"


@dataclass(frozen=True, slots=True)
class ClassTerms:
    """What an uplink gives one class. Up None: the same part of the line as down. Ceiling None: all of the line.

    Public services are told by where they are: `networks` in both directions, `dscp` only on what comes down the
    line, because anybody may mark what goes up. The other classes are told by the networks of sites.
    """

    service_class: ServiceClass
    floor_bps: int = 0
    ceiling_bps: int | None = None
    up_floor_bps: int | None = None
    up_ceiling_bps: int | None = None
    weight: int = 1
    dscp: int | None = None
    networks: tuple[Network, ...] = ()


class Promised(NamedTuple):
    """What the floors of a line sum to in one direction, and what it carries."""

    way: Way
    promised_bps: int
    capacity_bps: int


@dataclass(frozen=True, slots=True)
class Uplink:
    """A line that sites share. `interface` is the port of its head towards the sites; None: not told."""

    id: str
    name: str
    down_bps: int
    up_bps: int
    interface: str | None = None
    terms: Mapping[ServiceClass, ClassTerms] = field(default_factory=dict)
    governor: GovernorMode = GovernorMode.OFF

    def capacity_bps(self, way: Way) -> int:
        """Return what the line carries."""
        return self.down_bps if way is Way.DOWN else self.up_bps

    def terms_of(self, service_class: ServiceClass) -> ClassTerms:
        """Return what a class gets; one that nobody spoke of gets no floor, and weight 1."""
        return self.terms.get(service_class, ClassTerms(service_class))

    def floor_bps(self, service_class: ServiceClass, way: Way) -> int:
        """Return what is promised to a class."""
        terms = self.terms_of(service_class)
        if way is Way.UP and terms.up_floor_bps is not None:
            return terms.up_floor_bps
        return self._part(terms.floor_bps, way)

    def ceiling_bps(self, service_class: ServiceClass, way: Way) -> int:
        """Return the most that a class gets."""
        terms = self.terms_of(service_class)
        if way is Way.UP and terms.up_ceiling_bps is not None:
            ceiling = terms.up_ceiling_bps
        else:
            ceiling = self._part(self.down_bps if terms.ceiling_bps is None else terms.ceiling_bps, way)
        return min(ceiling, self.capacity_bps(way))

    def promised(self, way: Way) -> Promised:
        """Return the sum of the floors."""
        return Promised(way, sum(self.floor_bps(one, way) for one in ServiceClass), self.capacity_bps(way))

    def _part(self, down_bps: int, way: Way) -> int:
        """Return the same part of the line in a direction, rounded down: parts that fit still fit."""
        return down_bps if way is Way.DOWN else down_bps * self.up_bps // self.down_bps


@dataclass(frozen=True, slots=True)
class SiteNetwork:
    """Addresses of a site, as the head of the line sees them, and the class of whoever has one."""

    network: Network
    service_class: ServiceClass = ServiceClass.RESIDENT


@dataclass(frozen=True, slots=True)
class SiteLine:
    """How a site hangs on its uplink. `capacity_bps` is its ceiling in both directions, None: none.

    `devices` is how many it was built for; `uplink_id` None: on the only uplink, if there is but one.
    """

    site_id: str
    name: str
    capacity_bps: int | None = None
    devices: int | None = None
    uplink_id: str | None = None
    networks: tuple[SiteNetwork, ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """What moves while a line is in use, down the line: floors of classes and ceilings of sites (by id).

    Who is not named keeps what is configured.
    """

    floors: Mapping[ServiceClass, int] = field(default_factory=dict)
    site_ceilings: Mapping[str, int] = field(default_factory=dict)

    def moved_floors(self, uplink: Uplink) -> dict[ServiceClass, int]:
        """Return the floor of every class: never below what was promised, never above the ceiling."""
        floors: dict[ServiceClass, int] = {}
        for one in ServiceClass:
            promised = uplink.floor_bps(one, Way.DOWN)
            moved = min(self.floors.get(one, 0), uplink.ceiling_bps(one, Way.DOWN))
            floors[one] = max(promised, moved)
        return floors


def overbooked(uplink: Uplink) -> Promised | None:
    """Return the direction in which more is promised than the line carries; None if it carries all of it."""
    sums = (uplink.promised(way) for way in Way)
    return next((one for one in sums if one.promised_bps > one.capacity_bps), None)


def sites_of(uplink: Uplink, lines: Iterable[SiteLine], *, only: bool) -> list[SiteLine]:
    """Return the sites that hang on an uplink; `only`: there is no other."""
    return [line for line in lines if line.uplink_id == uplink.id or (only and line.uplink_id is None)]


def overlapping(lines: Iterable[SiteLine]) -> tuple[SiteLine, SiteLine, Network] | None:
    """Return two sites that claim the same addresses, and which; None if every address has but one site."""
    claims = [(one.network, line) for line in lines for one in line.networks]
    claims.sort(key=lambda claim: (claim[0].version, int(claim[0].network_address), claim[0].prefixlen))
    # Sorted so, whoever overlaps an earlier network lies inside the last one that holds anything after it.
    open_ones: list[tuple[Network, SiteLine]] = []
    for network, line in claims:
        while open_ones and not _holds(open_ones[-1][0], network):
            open_ones.pop()
        for _, holder in open_ones:
            if holder.site_id != line.site_id:
                return holder, line, network
        open_ones.append((network, line))
    return None


def _holds(outer: Network, inner: Network) -> bool:
    if outer.version != inner.version:
        return False
    return outer.prefixlen <= inner.prefixlen and int(outer.network_address) <= int(inner.network_address) <= int(
        outer.broadcast_address
    )
