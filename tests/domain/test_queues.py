"""The tree of queues: what it promises in any city."""

from ipaddress import IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.queues import (
    FIRST_HOST,
    LAST_SITE,
    MTU,
    TooManySitesError,
    Tree,
    head_tree,
    installed_numbers,
    router_tree,
)
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import ClassTerms, Shares, SiteLine, SiteNetwork, Uplink, Way, overbooked

OFFICE, PUBLIC, RESIDENT, GUEST = ServiceClass
M = 1_000_000


def networks_of(number: int, *classes: ServiceClass) -> tuple[SiteNetwork, ...]:
    base = int(ip_network("10.0.0.0/8").network_address) + number * 1024
    return tuple(SiteNetwork(IPv4Network((base + 256 * n, 24)), one) for n, one in enumerate(classes))


def site_of(number: int, *classes: ServiceClass, capacity: int | None = None, devices: int | None = None) -> SiteLine:
    return SiteLine(f"site{number}", f"Spot {number}", capacity, devices, None, networks_of(number, *classes))


def uplink_of(*terms: ClassTerms, down: int = 60 * M, up: int = 20 * M) -> Uplink:
    return Uplink("uplink", "Telkom", down, up, terms={one.service_class: one for one in terms})


def of_class(tree: Tree, one: ServiceClass) -> tuple[int, int]:
    return next((found.floor_bps, found.ceiling_bps) for found in tree.classes if found.key == one)


def test_classes_and_sites_hang_below_the_line() -> None:
    uplink = uplink_of(ClassTerms(OFFICE, 10 * M, 30 * M, weight=4))
    tree = head_tree(uplink, [site_of(1, RESIDENT, capacity=7 * M, devices=50), site_of(2, OFFICE, RESIDENT)], Way.DOWN)
    assert (tree.capacity_bps, [one.key for one in tree.classes]) == (60 * M, ["office", "resident"])
    assert of_class(tree, OFFICE) == (10 * M, 30 * M)
    office, resident = tree.classes
    assert [(site.name, site.ceiling_bps, site.quantum) for site in office.sites] == [("Spot 2", 30 * M, 4 * 3 * MTU)]
    assert [(site.name, site.ceiling_bps, site.quantum) for site in resident.sites] == [
        ("Spot 1", 7 * M, 5 * MTU),
        ("Spot 2", 60 * M, 3 * MTU),
    ]
    assert (office.host_quantum, resident.host_quantum) == (4 * MTU, MTU)


def test_public_services_are_a_queue_of_their_own_marked_only_down() -> None:
    services = ClassTerms(PUBLIC, 5 * M, dscp=34, networks=(ip_network("103.10.1.0/24"),))
    down, up = (head_tree(uplink_of(services), [site_of(1, PUBLIC)], way) for way in Way)
    assert [(site.name, site.remote) for site in down.classes[0].sites] == [("services", True), ("Spot 1", False)]
    assert (down.classes[0].dscp, up.classes[0].dscp) == (34, None)


@pytest.mark.parametrize(
    ("devices", "network", "hosts"),
    [
        pytest.param(30, "10.1.0.0/24", 64, id="twice the devices"),
        pytest.param(33, "10.1.0.0/24", 128, id="the next power of two"),
        pytest.param(30, "10.1.0.0/28", 16, id="no more than addresses"),
        pytest.param(30, "10.1.0.7/32", 1, id="a router that hides its phones"),
        pytest.param(500, "10.1.0.0/16", 256, id="what a table holds"),
        pytest.param(30, "2001:db8::/64", 64, id="IPv6"),
    ],
)
def test_hosts_are_kept_apart_by_so_many_queues(devices: int, network: str, hosts: int) -> None:
    site = SiteLine("site", "Spot", None, devices, None, (SiteNetwork(ip_network(network)),))
    (found,) = head_tree(uplink_of(), [site], Way.DOWN).classes
    assert found.sites[0].hosts == hosts


def test_router_has_its_sites_ceiling_and_everybody_alike() -> None:
    everybody = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    tree = router_tree(site_of(1, capacity=7 * M), Way.UP, everybody)
    assert tree is not None
    (one,) = tree.classes
    assert (tree.capacity_bps, one.floor_bps + tree.rest_bps) == (7 * M, 7 * M)
    assert one.sites[0].networks == tuple(everybody)
    assert router_tree(site_of(1), Way.UP, everybody) is None


def test_moved_shares_concern_what_comes_down_only() -> None:
    uplink = uplink_of(ClassTerms(OFFICE, 10 * M))
    site = site_of(1, OFFICE, capacity=20 * M)
    shares = Shares({OFFICE: 25 * M}, {"site1": 12 * M})
    down, up = (head_tree(uplink, [site], way, shares) for way in Way)
    assert (of_class(down, OFFICE)[0], down.classes[0].sites[0].ceiling_bps) == (25 * M, 12 * M)
    assert (of_class(up, OFFICE)[0], up.classes[0].sites[0].ceiling_bps) == (3_333_333, 20 * M)
    raised = head_tree(uplink, [site], Way.DOWN, Shares({OFFICE: 5 * M}, {"site1": 40 * M}))
    assert (of_class(raised, OFFICE)[0], raised.classes[0].sites[0].ceiling_bps) == (10 * M, 20 * M)


def test_more_sites_than_numbers_are_refused() -> None:
    sites = [site_of(number, RESIDENT) for number in range(LAST_SITE - 0x20 + 1)]
    assert len(head_tree(uplink_of(), sites, Way.DOWN).classes[0].sites) == len(sites)
    with pytest.raises(TooManySitesError):
        head_tree(uplink_of(), [*sites, site_of(5_000, GUEST)], Way.DOWN)


cities = st.lists(
    st.tuples(
        st.lists(st.sampled_from(ServiceClass), max_size=4, unique=True),
        st.none() | st.integers(64_000, 10**9),
        st.none() | st.integers(1, 10_000),
    ),
    max_size=60,
)


@given(
    down=st.integers(64_000, 10**9),
    up=st.integers(64_000, 10**9),
    parts=st.lists(st.integers(0, 100), min_size=4, max_size=4).filter(sum),
    weights=st.lists(st.integers(1, 100), min_size=4, max_size=4),
    full=st.booleans(),
    city=cities,
)
def test_no_tree_promises_more_than_its_line(
    *,
    down: int,
    up: int,
    parts: list[int],
    weights: list[int],
    full: bool,
    city: list[tuple[list[ServiceClass], int | None, int | None]],
) -> None:
    whole = sum(parts) if full else 401
    terms = [
        ClassTerms(one, down * part // whole, weight=weight)
        for one, part, weight in zip(ServiceClass, parts, weights, strict=True)
    ]
    uplink = uplink_of(*terms, down=down, up=up)
    assert overbooked(uplink) is None
    sites = [site_of(n, *one, capacity=capacity, devices=devices) for n, (one, capacity, devices) in enumerate(city)]
    for way in Way:
        tree = head_tree(uplink, sites, way)
        assert sum(one.floor_bps for one in tree.classes) + tree.rest_bps <= tree.capacity_bps
        assert all(one.floor_bps > 0 for one in tree.classes)
        assert all(
            site.ceiling_bps <= one.ceiling_bps <= tree.capacity_bps for one in tree.classes for site in one.sites
        )
        counts = [site.hosts for one in tree.classes for site in one.sites]
        assert all(count & (count - 1) == 0 for count in counts)
        assert FIRST_HOST + sum(counts) <= 0xFFFF
        numbers = list(installed_numbers(tree).values())
        assert len(numbers) == len(set(numbers))
        assert max(numbers, default=0) < FIRST_HOST
