"""Queues as RouterOS scripts: simple queues with PCQ per host. Written from the manual, not tried on a router."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.domain.queues import head_tree
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import Network, SiteLine, Uplink, Way
from app.nas.rendering import render


class _Site(NamedTuple):
    name: str
    target: str
    ceilings: str
    bursts: str
    thresholds: str


class _Class(NamedTuple):
    key: str
    target: str
    services: bool  # told by a packet mark
    floors: str
    ceilings: str
    sites: Sequence[_Site]


def head_script(uplink: Uplink, sites: Sequence[SiteLine]) -> str:
    """Return the script for the head of a line; raise TooManySitesError."""
    down, up = (head_tree(uplink, sites, way) for way in Way)
    services = uplink.terms_of(ServiceClass.PUBLIC_SERVICE)
    everybody = _target(
        network for one in down.classes for site in one.sites if not site.remote for network in site.networks
    )
    classes: list[_Class] = []
    for one, other in zip(down.classes, up.classes, strict=True):
        pairs = [(a, b) for a, b in zip(one.sites, other.sites, strict=True) if not a.remote]
        members = [
            _Site(
                a.name,
                _target(a.networks),
                f"{b.ceiling_bps}/{a.ceiling_bps}",
                f"{_burst(b.ceiling_bps, other.ceiling_bps)}/{_burst(a.ceiling_bps, one.ceiling_bps)}",
                f"{b.ceiling_bps * 3 // 4}/{a.ceiling_bps * 3 // 4}",
            )
            for a, b in pairs
        ]
        floors, ceilings = f"{other.floor_bps}/{one.floor_bps}", f"{other.ceiling_bps}/{one.ceiling_bps}"
        if len(pairs) < len(one.sites):
            classes.append(_Class(f"{one.key}-marked", everybody, True, floors, ceilings, ()))
        if members:
            target = _target(network for a, _ in pairs for network in a.networks)
            kept = floors if len(pairs) == len(one.sites) else "0/0"  # promised once
            classes.append(_Class(one.key, target, False, kept, ceilings, members))
    values: Mapping[str, object] = {
        "title": f"uplink {uplink.name}",
        "down": down,
        "up": up,
        "everybody": everybody,
        "services4": [one for one in services.networks if one.version == 4],
        "services6": [one for one in services.networks if one.version == 6],
        "dscp": services.dscp,
        "classes": sorted(classes, key=lambda one: not one.services),  # the first that fits takes a packet
    }
    return render("queues-head.rsc", values)


def router_script(site: SiteLine) -> str | None:
    """Return the script for a hotspot's router; None if its site has no ceiling."""
    if site.capacity_bps is None:
        return None
    capacity = site.capacity_bps
    values = {"title": site.name, "up": capacity, "down": capacity}
    values |= dict.fromkeys(("up_burst", "down_burst"), _burst(capacity, 2 * capacity))
    values |= dict.fromkeys(("up_threshold", "down_threshold"), capacity * 3 // 4)
    return render("queues-router.rsc", values)


def _burst(ceiling_bps: int, most_bps: int) -> int:
    """Return what a site that was quiet may take for a second and a half: twice its ceiling, as far as there is."""
    return min(2 * ceiling_bps, most_bps)


def _target(networks: Iterable[Network]) -> str:
    return ",".join(map(str, networks))
