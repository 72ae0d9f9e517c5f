"""The queues of a line as numbers, for its head or for one router: the tree that every kind of router is told.

    the line (what it carries)
      rest                      what belongs to no site, such as the routers themselves
      class of service          floor, ceiling; lends and borrows
        site                    ceiling
          hosts                 the same for each, times the weight of the class

HTB hands out what is borrowed packet by packet to whoever stands lowest in the tree, so what a class gets beyond its
floor grows with the number of its hosts that want something: a weight is per person, not per class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.service_classes import ServiceClass
from app.domain.uplinks import Network, Shares, SiteLine, Uplink, Way

MTU: Final = 1_514
PAGE_OCTETS: Final = 64_000
"""What a host that was quiet gets at once, before everybody who borrows: a small page."""

DEVICES: Final = 30  # of a site that does not say
REST: Final = 2
LAST_SITE: Final = 0x7FF  # handles of u32 tables have twelve bits, and the kernel keeps the upper half of them
FIRST_HOST: Final = 0x1000
_FIRST_CLASS: Final = 0x10
_FIRST_SITE: Final = 0x20
_MOST_HOSTS: Final = 4_096  # of one line: a kernel takes them on in seconds, and 16,000 in a minute and a half
LEAST_BPS: Final = 8_000  # the least that a class is given: HTB counts time in 32 bits, 64 ns each
_HOST_BPS: Final = 32_000  # the most that a host is given before others: its page of 64 kB again after 16 s
_LARGEST_TABLE: Final = 256


class TooManySitesError(Exception):
    """More sites than one line's head can have queues for."""

    def __init__(self, sites: int, most: int) -> None:
        super().__init__(f"{sites} sites, at most {most}")
        self.sites = sites
        self.most = most


@dataclass(frozen=True, slots=True)
class SiteQueue:
    """What the hosts of a site share, or those who talk to public services (`remote`: told by the far address).

    `hosts` is for kernels without a fair queue: so many queues, a power of two, by the last bits of the address, each
    with `host_bps` before others. `quantum` is the site's turn beside other sites where it is one queue.
    """

    number: int
    key: str
    name: str
    ceiling_bps: int
    quantum: int
    hosts: int
    host_bps: int
    networks: tuple[Network, ...] = ()
    remote: bool = False


@dataclass(frozen=True, slots=True)
class ClassQueue:
    """A class of service on a line; `floor_bps` is never zero, for HTB has no such rate."""

    number: int
    key: str
    floor_bps: int
    ceiling_bps: int
    host_quantum: int
    sites: tuple[SiteQueue, ...]
    dscp: int | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """All queues of one direction."""

    way: Way
    capacity_bps: int
    rest_bps: int
    classes: tuple[ClassQueue, ...]

    @property
    def leaves(self) -> int:
        """Return how many fair queues it takes."""
        return sum(len(one.sites) for one in self.classes)


def head_tree(uplink: Uplink, sites: Sequence[SiteLine], way: Way, shares: Shares | None = None) -> Tree:
    """Return the queues of the head of a line; `shares` moves floors and ceilings down the line.

    Classes and sites without addresses have none. The floors sum to at most what the line carries.
    """
    moved = shares if shares is not None and way is Way.DOWN else Shares()
    floors = (
        moved.moved_floors(uplink) if way is Way.DOWN else {one: uplink.floor_bps(one, way) for one in ServiceClass}
    )
    found = [(one, members) for one in ServiceClass if (members := _members(uplink, sites, one, moved, way))]
    number = sum(len(members) for _, members in found)
    if number > LAST_SITE - _FIRST_SITE + 1:
        raise TooManySitesError(number, LAST_SITE - _FIRST_SITE + 1)
    capacity = uplink.capacity_bps(way)
    rates, rest = _rates(capacity, [floors[one] for one, _ in found])
    hosts = _scaled([[member.hosts for member in members] for _, members in found], capacity)
    spare = max(0, capacity - sum(rates) - rest) // 2
    poor = sum(sum(counts) for (one, _), counts in zip(found, hosts, strict=True) if floors[one] == 0)
    classes: list[ClassQueue] = []
    next_site = _FIRST_SITE
    for (one, members), rate, counts in zip(found, rates, hosts, strict=True):
        per_host = spare // max(1, poor) if floors[one] == 0 else rate // sum(counts)
        host_bps = min(_HOST_BPS, max(LEAST_BPS, per_host))
        weight, ceiling = uplink.terms_of(one).weight, uplink.ceiling_bps(one, way)
        queues = [
            SiteQueue(
                number=next_site + index,
                key=f"{one}/{member.site_id}",
                name=member.name,
                ceiling_bps=min(member.ceiling_bps, ceiling),
                quantum=MTU * weight * max(1, member.devices // 10),
                hosts=count,
                host_bps=host_bps,
                networks=member.networks,
                remote=member.remote,
            )
            for index, (member, count) in enumerate(zip(members, counts, strict=True))
        ]
        next_site += len(queues)
        number = _FIRST_CLASS + list(ServiceClass).index(one)
        dscp = uplink.terms_of(one).dscp if way is Way.DOWN else None
        classes.append(ClassQueue(number, one.value, rate, ceiling, MTU * weight, tuple(queues), dscp))
    return Tree(way, capacity, rest, tuple(classes))


def router_tree(site: SiteLine, way: Way, everybody: Sequence[Network]) -> Tree | None:
    """Return the queues of a router: its site's ceiling, and every host the same; None if the site has no ceiling."""
    if site.capacity_bps is None:
        return None
    capacity = site.capacity_bps
    rates, rest = _rates(capacity, [capacity])
    ((hosts,),) = _scaled([[_wanted(site.devices or DEVICES, everybody)]], capacity)
    host_bps = min(_HOST_BPS, max(LEAST_BPS, rates[0] // hosts))
    queue = SiteQueue(_FIRST_SITE, site.site_id, site.name, capacity, MTU, hosts, host_bps, tuple(everybody))
    return Tree(way, capacity, rest, (ClassQueue(_FIRST_CLASS, "hosts", rates[0], capacity, MTU, (queue,)),))


def burst_octets(bps: int) -> int:
    """Return what may pass at once at a rate: ten milliseconds of it, and never less than a turn of ten packets."""
    return max(10 * MTU, bps // 800)


def queue_octets(bps: int) -> int:
    """Return how much may wait in a queue: a tenth of a second, and never less than one large burst of a fast port."""
    return max(131_072, bps // 80)


@dataclass(frozen=True, slots=True)
class _Member:
    """One site's part of a class, before it has a number."""

    site_id: str
    name: str
    ceiling_bps: int
    devices: int
    hosts: int
    networks: tuple[Network, ...]
    remote: bool = False


def _members(
    uplink: Uplink, sites: Sequence[SiteLine], service_class: ServiceClass, shares: Shares, way: Way
) -> list[_Member]:
    capacity = uplink.capacity_bps(way)
    terms = uplink.terms_of(service_class)
    found: list[_Member] = []
    if terms.networks or terms.dscp is not None:
        services = _Member("services", "services", capacity, DEVICES, _LARGEST_TABLE // 4, terms.networks, remote=True)
        found.append(services)
    for site in sites:
        networks = tuple(one.network for one in site.networks if one.service_class is service_class)
        if networks:
            ceiling = min(capacity, site.capacity_bps or capacity, shares.site_ceilings.get(site.site_id, capacity))
            devices = site.devices or DEVICES
            found.append(_Member(site.site_id, site.name, ceiling, devices, _wanted(devices, networks), networks))
    return found


def _wanted(devices: int, networks: Sequence[Network]) -> int:
    """Return how many queues keep hosts apart: twice the devices, so that neighbours in a pool rarely meet."""
    addresses = sum(one.num_addresses for one in networks)
    return min(_power_of_two(2 * devices), _power_of_two(addresses), _LARGEST_TABLE)


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _rates(capacity: int, floors: Sequence[int]) -> tuple[list[int], int]:
    """Return the rate of each class and of the rest: the floors, something where there is none, at most all of it."""
    rates = [max(floor, LEAST_BPS) for floor in floors]
    rest = max(LEAST_BPS, min(capacity // 100, capacity - sum(rates)))
    if rates:
        largest = max(range(len(rates)), key=rates.__getitem__)
        rates[largest] -= max(0, sum(rates) + rest - capacity)
    return rates, rest


def _scaled(wanted: list[list[int]], capacity: int) -> list[list[int]]:
    """Return fewer queues for hosts where there are too many: what each has before others must fit into a quarter."""
    most = min(_MOST_HOSTS, max(1, capacity // 4 // LEAST_BPS))
    hosts = wanted
    while sum(map(sum, hosts)) > most and any(count > 1 for counts in hosts for count in counts):
        hosts = [[max(1, count // 2) for count in counts] for counts in hosts]
    return hosts


def installed_numbers(tree: Tree) -> Mapping[str, int]:
    """Return the number of each class and site by its key, as a head keeps them beside its queues."""
    numbers: dict[str, int] = {}
    for one in tree.classes:
        numbers[one.key] = one.number
        numbers.update({site.key: site.number for site in one.sites})
    return numbers
