"""Uplinks as an admin makes and changes them: never more is promised than there is."""

import threading
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from app.db import uplinks
from app.db.engine import Database
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import SiteNetwork, Way
from app.services.errors import Conflict, Invalid, NotFound
from app.services.sites import add_site, set_site
from app.services.uplinks import (
    ClassValues,
    UplinkValues,
    add_uplink,
    list_uplinks,
    move_shares,
    remove_uplink,
    set_class,
    set_uplink,
    show_uplink,
    site_lines,
)
from tests.factories import NOON

Chance = Callable[[int], bytes]
OFFICE, PUBLIC, RESIDENT = ServiceClass.OFFICE, ServiceClass.PUBLIC_SERVICE, ServiceClass.RESIDENT
M = 1_000_000


def make_uplink(database: Database, chance: Chance, name: str = "Telkom", down: int = 60 * M) -> None:
    add_uplink(database, name, now=NOON, chance=chance, down_bps=down, up_bps=20 * M)


def on(database: Database, name: str) -> list[str]:
    return [site.name for site in show_uplink(database, name).sites]


def test_uplink_is_shown_as_it_was_made(database: Database, chance: Chance) -> None:
    made = add_uplink(database, " Telkom ", now=NOON, chance=chance, down_bps=60 * M, up_bps=20 * M, interface="eth1")
    assert show_uplink(database, "Telkom").uplink == made
    assert (made.name, made.down_bps, made.up_bps, made.interface) == ("Telkom", 60 * M, 20 * M, "eth1")
    with pytest.raises(Conflict):
        make_uplink(database, chance)
    with pytest.raises(NotFound):
        show_uplink(database, "Indosat")


def test_class_keeps_what_was_not_mentioned(database: Database, chance: Chance) -> None:
    make_uplink(database, chance)
    set_class(database, "Telkom", OFFICE, floor_bps=10 * M, ceiling_bps=30 * M, weight=4)
    set_class(database, "Telkom", OFFICE, ceiling_bps=None)
    terms = show_uplink(database, "Telkom").uplink.terms_of(OFFICE)
    assert (terms.floor_bps, terms.ceiling_bps, terms.weight) == (10 * M, None, 4)


def test_public_services_are_told_by_address_and_mark(database: Database, chance: Chance) -> None:
    make_uplink(database, chance)
    set_class(database, "Telkom", PUBLIC, networks=["103.10.1.0/24", "2001:db8::7/128"], dscp=34)
    terms = show_uplink(database, "Telkom").uplink.terms_of(PUBLIC)
    assert (set(map(str, terms.networks)), terms.dscp) == ({"103.10.1.0/24", "2001:db8::7/128"}, 34)
    set_class(database, "Telkom", PUBLIC, networks=[], dscp=None)
    terms = show_uplink(database, "Telkom").uplink.terms_of(PUBLIC)
    assert (terms.networks, terms.dscp) == ((), None)
    with pytest.raises(Invalid, match="networks of its sites"):
        set_class(database, "Telkom", RESIDENT, networks=["103.10.1.0/24"])


@pytest.mark.parametrize("way", list(Way))
def test_promise_beyond_the_line_is_refused_and_says_by_how_much(database: Database, chance: Chance, way: Way) -> None:
    make_uplink(database, chance)
    set_class(database, "Telkom", OFFICE, floor_bps=30 * M)
    values: ClassValues = {"floor_bps": 35 * M} if way is Way.DOWN else {"up_floor_bps": 15 * M}
    with pytest.raises(Conflict) as caught:
        set_class(database, "Telkom", RESIDENT, **values)
    promised, carried = ("65M", "60M") if way is Way.DOWN else ("25M", "20M")
    assert caught.value.problem == (f"would guarantee {promised} {way}: that is 5M more than the {carried} it carries")
    assert show_uplink(database, "Telkom").uplink.floor_bps(RESIDENT, way) == 0
    set_class(database, "Telkom", RESIDENT, floor_bps=30 * M)


def test_line_cannot_shrink_below_what_it_promises(database: Database, chance: Chance) -> None:
    make_uplink(database, chance)
    set_class(database, "Telkom", OFFICE, floor_bps=30 * M)
    with pytest.raises(Invalid, match="30M is above the ceiling of office down, 29999999"):
        set_uplink(database, "Telkom", down_bps=30 * M - 1)
    set_class(database, "Telkom", RESIDENT, floor_bps=10 * M)
    with pytest.raises(Conflict, match="would guarantee 40M down: that is 5M more"):
        set_uplink(database, "Telkom", down_bps=35 * M)
    assert show_uplink(database, "Telkom").uplink.down_bps == 60 * M


def test_two_promises_at_once_do_not_both_fit(database: Database, chance: Chance) -> None:
    make_uplink(database, chance)
    refused: list[Conflict] = []

    def promise(service_class: ServiceClass) -> None:
        try:
            set_class(database, "Telkom", service_class, floor_bps=40 * M)
        except Conflict as conflict:
            refused.append(conflict)

    threads = [threading.Thread(target=promise, args=(one,)) for one in (OFFICE, RESIDENT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({"down_bps": 63_999}, "down", id="too slow"),
        pytest.param({"interface": "eth1; reboot"}, "interface", id="no name of an interface"),
        pytest.param({"interface": "x" * 16}, "interface", id="longer than the kernel takes"),
    ],
)
def test_impossible_uplink_is_refused(database: Database, chance: Chance, values: UplinkValues, field: str) -> None:
    make_uplink(database, chance)
    with pytest.raises(Invalid) as caught:
        set_uplink(database, "Telkom", **values)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({"weight": 0}, "weight", id="no weight"),
        pytest.param({"weight": 101}, "weight", id="heavier than a queue can say"),
        pytest.param({"floor_bps": 31 * M, "ceiling_bps": 30 * M}, "floor", id="floor above ceiling"),
        pytest.param({"up_ceiling_bps": 1 * M, "floor_bps": 6 * M}, "floor", id="up floor above ceiling"),
    ],
)
def test_impossible_class_is_refused(database: Database, chance: Chance, values: ClassValues, field: str) -> None:
    make_uplink(database, chance)
    with pytest.raises(Invalid) as caught:
        set_class(database, "Telkom", OFFICE, **values)
    assert caught.value.field == field
    assert show_uplink(database, "Telkom").uplink.terms_of(OFFICE).floor_bps == 0


def test_site_hangs_on_the_only_uplink_and_stays_there(database: Database, chance: Chance) -> None:
    add_site(database, "Gusung", now=NOON, chance=chance)
    make_uplink(database, chance)
    assert on(database, "Telkom") == ["Gusung"]
    make_uplink(database, chance, "Starlink")
    add_site(database, "Melahing", now=NOON, chance=chance, uplink="Starlink")
    add_site(database, "Selangan", now=NOON, chance=chance)
    assert (on(database, "Telkom"), on(database, "Starlink")) == (["Gusung"], ["Melahing"])
    set_site(database, "Gusung", now=NOON, uplink="Starlink")
    assert on(database, "Starlink") == ["Gusung", "Melahing"]
    with pytest.raises(NotFound, match="no uplink 'Indosat'"):
        set_site(database, "Gusung", now=NOON, uplink="Indosat")


def test_uplink_with_sites_is_removed_only_if_it_is_the_last(database: Database, chance: Chance) -> None:
    add_site(database, "Gusung", now=NOON, chance=chance)
    make_uplink(database, chance)
    make_uplink(database, chance, "Starlink")
    set_class(database, "Telkom", PUBLIC, floor_bps=1 * M, networks=["103.10.1.0/24"])
    with pytest.raises(Conflict, match="has 'Gusung' on it"):
        remove_uplink(database, "Telkom")
    remove_uplink(database, "Starlink")
    remove_uplink(database, "Telkom")
    assert list_uplinks(database) == []
    make_uplink(database, chance, "Indosat")
    assert on(database, "Indosat") == ["Gusung"]


def test_site_keeps_its_line_and_addresses(database: Database, chance: Chance) -> None:
    made = add_site(
        database, "Gusung", now=NOON, chance=chance, capacity_bps=20 * M, devices=30,
        networks=["10.9.1.0/24", "office=10.9.2.0/28", "guest = 2001:db8:1::/64"],
    )  # fmt: skip
    set_site(database, "Gusung", now=NOON, devices=40)
    line = site_lines(database)[made.id]
    assert (line.name, line.capacity_bps, line.devices) == ("Gusung", 20 * M, 40)
    assert set(line.networks) == {
        SiteNetwork(ip_network("10.9.1.0/24"), RESIDENT),
        SiteNetwork(ip_network("10.9.2.0/28"), OFFICE),
        SiteNetwork(ip_network("2001:db8:1::/64"), ServiceClass.GUEST),
    }
    set_site(database, "Gusung", now=NOON, networks=[])
    assert site_lines(database)[made.id].networks == ()


@pytest.mark.parametrize("network", ["10.9.1.1/24", "10.9.1", "0.0.0.0/0", "boss=10.9.1.0/24", "::/0"])
def test_networks_that_mean_nothing_are_refused(database: Database, chance: Chance, network: str) -> None:
    add_site(database, "Gusung", now=NOON, chance=chance)
    with pytest.raises(Invalid) as caught:
        set_site(database, "Gusung", now=NOON, networks=[network])
    assert caught.value.field == "network"


def test_two_sites_on_one_uplink_cannot_claim_the_same_addresses(database: Database, chance: Chance) -> None:
    make_uplink(database, chance)
    add_site(database, "Gusung", now=NOON, chance=chance, networks=["10.9.0.0/16", "office=10.9.7.0/24"])
    with pytest.raises(Conflict, match=r"shares 10\.9\.1\.0/24 with site 'Gusung' on uplink 'Telkom'"):
        add_site(database, "Melahing", now=NOON, chance=chance, networks=["10.9.1.0/24"])
    make_uplink(database, chance, "Starlink")
    add_site(database, "Melahing", now=NOON, chance=chance, networks=["10.9.1.0/24"], uplink="Starlink")
    with pytest.raises(Conflict):
        set_site(database, "Melahing", now=NOON, uplink="Telkom")


def test_moved_shares_are_kept_until_the_uplink_is_configured_anew(database: Database, chance: Chance) -> None:
    site = add_site(database, "Gusung", now=NOON, chance=chance, capacity_bps=20 * M)
    make_uplink(database, chance)
    set_class(database, "Telkom", OFFICE, floor_bps=10 * M)
    view = move_shares(database, "Telkom", floors={RESIDENT: 25 * M}, site_ceilings={site.id: 12 * M})
    assert view.shares.moved_floors(view.uplink)[RESIDENT] == 25 * M
    assert view.shares.site_ceilings == {site.id: 12 * M}
    with pytest.raises(Conflict, match="would guarantee 61M down: that is 1M more"):
        move_shares(database, "Telkom", floors={RESIDENT: 51 * M})
    set_class(database, "Telkom", OFFICE, floor_bps=50 * M)
    view = show_uplink(database, "Telkom")
    assert view.shares.floors == {}
    assert move_shares(database, "Telkom", site_ceilings={site.id: None}).shares.site_ceilings == {}


def test_addresses_of_a_removed_uplink_are_gone(database: Database, chance: Chance) -> None:
    make_uplink(database, chance)
    set_class(database, "Telkom", PUBLIC, networks=["103.10.1.0/24"])
    remove_uplink(database, "Telkom")
    make_uplink(database, chance)
    with database.read() as connection:
        assert uplinks.read_all(connection)[0].terms_of(PUBLIC).networks == ()
