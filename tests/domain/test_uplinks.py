"""What a line promises, and whose addresses are whose."""

from ipaddress import ip_network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.service_classes import ServiceClass
from app.domain.uplinks import ClassTerms, Shares, SiteLine, SiteNetwork, Uplink, Way, overbooked, overlapping, sites_of

OFFICE, GUEST = ServiceClass.OFFICE, ServiceClass.GUEST
M = 1_000_000


def uplink_of(*terms: ClassTerms, down: int = 60 * M, up: int = 20 * M) -> Uplink:
    return Uplink("uplink", "Telkom", down, up, terms={one.service_class: one for one in terms})


def site_of(name: str, *networks: str, uplink_id: str | None = None) -> SiteLine:
    return SiteLine(name, name, uplink_id=uplink_id, networks=tuple(SiteNetwork(ip_network(one)) for one in networks))


def test_up_is_the_same_part_of_the_line_unless_it_is_said() -> None:
    uplink = uplink_of(
        ClassTerms(OFFICE, 12 * M, 30 * M), ClassTerms(GUEST, 6 * M, up_floor_bps=1 * M, up_ceiling_bps=3 * M)
    )
    assert (uplink.floor_bps(OFFICE, Way.UP), uplink.ceiling_bps(OFFICE, Way.UP)) == (4 * M, 10 * M)
    assert (uplink.floor_bps(GUEST, Way.UP), uplink.ceiling_bps(GUEST, Way.UP)) == (1 * M, 3 * M)


def test_class_that_nobody_spoke_of_is_promised_nothing_and_may_have_all() -> None:
    uplink = uplink_of()
    assert [uplink.floor_bps(GUEST, way) for way in Way] == [0, 0]
    assert [uplink.ceiling_bps(GUEST, way) for way in Way] == [60 * M, 20 * M]


@pytest.mark.parametrize(
    ("floors", "expected"),
    [
        pytest.param((60 * M - 1, 1), None, id="all of the line"),
        pytest.param((60 * M, 1), (Way.DOWN, 60 * M + 1), id="one bit/s more"),
    ],
)
def test_more_than_the_line_carries_is_overbooked(floors: tuple[int, int], expected: tuple[Way, int] | None) -> None:
    terms = [ClassTerms(one, floor) for one, floor in zip((OFFICE, GUEST), floors, strict=True)]
    found = overbooked(uplink_of(*terms))
    assert (found and (found.way, found.promised_bps)) == expected


@given(
    down=st.integers(64_000, 10**10),
    up=st.integers(64_000, 10**10),
    floors=st.lists(st.integers(0, 10**10), min_size=4, max_size=4),
)
def test_floors_that_fit_down_fit_up(down: int, up: int, floors: list[int]) -> None:
    uplink = uplink_of(*map(ClassTerms, ServiceClass, floors), down=down, up=up)
    found = overbooked(uplink)
    assert (found is not None) == (sum(floors) > down)
    assert found is None or found.way is Way.DOWN


def test_sites_without_a_name_of_an_uplink_are_on_the_only_one() -> None:
    lines = [site_of("a"), site_of("b", uplink_id="uplink"), site_of("c", uplink_id="other")]
    assert [line.name for line in sites_of(uplink_of(), lines, only=True)] == ["a", "b"]
    assert [line.name for line in sites_of(uplink_of(), lines, only=False)] == ["b"]


networks = st.builds(
    lambda address, length: str(ip_network((address, length), strict=False)),
    st.integers(0x0A090000, 0x0A0900FF),
    st.integers(24, 32),
)


@given(st.lists(st.lists(networks, max_size=4, unique=True), max_size=4))
def test_two_sites_clash_exactly_if_any_of_their_networks_do(claims: list[list[str]]) -> None:
    sites = [site_of(str(number), *claim) for number, claim in enumerate(claims)]
    clash = any(
        a.network.overlaps(b.network)
        for one, other in combinations(sites, 2)
        for a in one.networks
        for b in other.networks
    )
    assert (overlapping(sites) is not None) == clash


def test_clash_names_both_sites_and_the_addresses() -> None:
    sites = [site_of("a", "10.9.0.0/16", "2001:db8::/32"), site_of("b", "10.8.0.0/16", "10.9.3.0/24")]
    found = overlapping(sites)
    assert found is not None
    assert (found[0].name, found[1].name, str(found[2])) == ("a", "b", "10.9.3.0/24")


def test_moved_floor_is_never_below_what_was_promised_nor_above_the_ceiling() -> None:
    uplink = uplink_of(ClassTerms(OFFICE, 10 * M, 30 * M), ClassTerms(GUEST, 5 * M))
    moved = Shares({OFFICE: 40 * M, GUEST: 1 * M}).moved_floors(uplink)
    assert (moved[OFFICE], moved[GUEST], moved[ServiceClass.RESIDENT]) == (30 * M, 5 * M, 0)
