"""Queues as a shell script of tc, for Linux and OpenWrt; and the lines that move what is on."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Final

from app.domain import queues
from app.domain.nases import Family
from app.domain.queues import ClassQueue, SiteQueue, Tree, head_tree, router_tree
from app.domain.units import format_rate
from app.domain.uplinks import Network, Shares, SiteLine, Uplink, Way
from app.nas.rendering import render

HANDLE: Final = "9e5"
STATE: Final = "/var/run/pesisir-queues"
EVERYBODY: Final[Sequence[Network]] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
HEAD_INTERFACE: Final = "br-lan"

# Where a router of a family has its phones. Others do not run Linux, or shape by themselves.
INTERFACES: Final[Mapping[Family, str]] = {
    Family.COOVACHILLI: "tun0",
    Family.OPENNDS: "br-lan",
    Family.USPOT: "br-hotspot",
    Family.HOSTAPD: "br-lan",
}

_MOST_CAKES: Final = 64
_FIELDS: Final = {4: ("ip", "dsfield"), 6: ("ip6", "priority")}


def head_script(uplink: Uplink, sites: Sequence[SiteLine]) -> str:
    """Return the script for the head of a line; raise TooManySitesError."""
    trees = [head_tree(uplink, sites, way) for way in Way]
    return _script(f"uplink {uplink.name}", trees, uplink.interface or HEAD_INTERFACE, head=True)


def router_script(site: SiteLine, family: Family) -> str | None:
    """Return the script for a router; None if it runs none, or its site has no ceiling."""
    interface = INTERFACES.get(family)
    trees = [tree for way in Way if (tree := router_tree(site, way, EVERYBODY)) is not None]
    if interface is None or not trees:
        return None
    return _script(f"a router at {site.name}", trees, interface, head=False)


def class_changes(tree: Tree, device: str, numbers: Mapping[str, int]) -> list[str]:
    """Return lines for `tc -batch` that move floors and ceilings of queues that are on.

    `numbers` are those that a head keeps beside its queues, by key; what has none is not on and gets no line.
    """
    lines = []
    for one in tree.classes:
        if one.key in numbers:
            values = _rate(one.floor_bps, one.ceiling_bps)
            lines.append(_change(device, "1", numbers[one.key], f"{values} quantum {queues.MTU}"))
        for site in one.sites:
            if site.key in numbers and one.key in numbers:
                values = _rate(queues.LEAST_BPS, site.ceiling_bps, queues.burst_octets(site.ceiling_bps))
                parent = f"{numbers[one.key]:x}"
                lines.append(_change(device, parent, numbers[site.key], f"{values} quantum {site.quantum}"))
    return lines


def changes_of(
    uplink: Uplink, sites: Sequence[SiteLine], shares: Shares, device: str, numbers: Mapping[str, int]
) -> list[str]:
    """Return the lines that bring the queues of a head, down the line, to the shares as they are now."""
    return class_changes(head_tree(uplink, sites, Way.DOWN, shares), device, numbers)


def read_numbers(text: str) -> dict[str, int]:
    """Return the number of each class and site by its key, from what a head keeps; raise ValueError."""
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return {key: int(number, 16) for key, number in pairs}


def _change(device: str, parent: str, number: int, values: str) -> str:
    return f"class change dev {device} parent {HANDLE}:{parent} classid {HANDLE}:{number:x} {values}"


def _rate(rate_bps: int, ceiling_bps: int, burst: int | None = None) -> str:
    first = queues.burst_octets(rate_bps) if burst is None else burst
    return f"htb rate {rate_bps}bit ceil {ceiling_bps}bit burst {first} cburst {queues.burst_octets(ceiling_bps)}"


def _script(title: str, trees: Sequence[Tree], interface: str, *, head: bool) -> str:
    down, up = trees
    rates = f"{format_rate(down.capacity_bps)} down, {format_rate(up.capacity_bps)} up"
    sites = sum(len(one.sites) for one in down.classes)
    values = {
        "title": title,
        "head": head,
        "interface": interface,
        "trees": trees,
        "numbers": list(queues.installed_numbers(down).items()),
        "leaves": max(tree.leaves for tree in trees),
        "most_cakes": _MOST_CAKES,
        "summary": f"{rates}, {sites} site queue{'s' if sites != 1 else ''}" if head else rates,
        "rest": queues.REST,
        "first_host": queues.FIRST_HOST,
        "mtu": queues.MTU,
        "page": queues.PAGE_OCTETS,
        "least_bps": queues.LEAST_BPS,
        "burst": queues.burst_octets,
        "fifo": queues.queue_octets,
        "hex": "{:x}".format,
        "matches": matches,
    }
    return render("queues.sh", values)


def matches(tree: Tree) -> Iterator[str]:
    """Write which packets are whose: public services first, by address and mark, then sites, the narrowest first."""
    sites = [(one, site) for one in tree.classes for site in one.sites]
    for one, site in sites:
        if site.remote:
            yield from (_match("far", 1, site, network) for network in site.networks)
            if one.dscp is not None:
                yield from (_marked(one.dscp, site, version) for version in _FIELDS)
    near = [(network, site) for _, site in sites if not site.remote for network in site.networks]
    near.sort(key=lambda pair: (-pair[0].prefixlen, pair[0].version, int(pair[0].network_address)))
    yield from (_match("near", 10, site, network) for network, site in near)


def _match(side: str, priority: int, site: SiteQueue, network: Network) -> str:
    word, _ = _FIELDS[network.version]
    priority += network.version == 6
    return f"{side} {priority} {network.version} {site.number:x} {site.hosts} {word} {network}"


def _marked(dscp: int, site: SiteQueue, version: int) -> str:
    word, field = _FIELDS[version]
    return f'marked {3 + (version == 6)} {version} {site.number:x} {site.hosts} "{word} {field}" 0x{dscp << 2:x}'


__all__ = ["ClassQueue", "changes_of", "class_changes", "head_script", "matches", "read_numbers", "router_script"]
