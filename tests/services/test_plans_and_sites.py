"""Plans and sites, as an admin makes and changes them."""

import os
from collections.abc import Callable

import pytest

from app.db import feed
from app.db.engine import Database
from app.db.feed import FeedKind
from app.domain.nases import Site
from app.domain.quotas import Period, Quota
from app.domain.service_classes import ServiceClass
from app.services.errors import Conflict, Invalid, NotFound
from app.services.plans import PlanValues, add_plan, list_plans, set_plan, show_plan
from app.services.sites import add_site, list_sites, set_site, show_site
from tests.factories import NOON

Chance = Callable[[int], bytes]


def test_plan_is_shown_as_it_was_made(database: Database, chance: Chance) -> None:
    made = add_plan(
        database, " Warga ", now=NOON, chance=chance, down_bps=4_000_000, daily_octets=500_000_000, device_limit=3
    )
    assert show_plan(database, "Warga") == made
    assert (made.name, made.down_bps, made.up_bps, made.device_limit) == ("Warga", 4_000_000, None, 3)
    assert made.quotas == (Quota(Period.DAY, 500_000_000),)


def test_changed_plan_keeps_what_was_not_mentioned(database: Database, chance: Chance) -> None:
    add_plan(database, "Warga", now=NOON, chance=chance, down_bps=4_000_000, up_bps=2_000_000)
    changed = set_plan(database, "Warga", chance=os.urandom, now=NOON, up_bps=None, monthly_octets=10_000_000_000)
    assert (changed.down_bps, changed.up_bps) == (4_000_000, None)
    assert changed.quotas == (Quota(Period.MONTH, 10_000_000_000),)


def test_plan_serves_residents_unless_another_class_is_named(database: Database, chance: Chance) -> None:
    assert add_plan(database, "Warga", now=NOON, chance=chance).service_class is ServiceClass.RESIDENT
    made = add_plan(database, "Pegawai", now=NOON, chance=chance, service_class=ServiceClass.OFFICE)
    assert made.service_class is ServiceClass.OFFICE
    assert (
        set_plan(database, "Pegawai", chance=os.urandom, now=NOON, down_bps=1_000_000).service_class
        is ServiceClass.OFFICE
    )


def test_plan_says_where_a_device_is_put_and_how_fast_a_page_opens(database: Database, chance: Chance) -> None:
    values: PlanValues = {
        "down_bps": 2_000_000,
        "down_burst_bps": 8_000_000,
        "burst_seconds": 8,
        "vlan": 20,
        "filter_id": "tamu",
        "address_list": "pulau",
    }
    plan = add_plan(database, "Tamu", now=NOON, chance=chance, **values)
    assert (plan.down_burst_bps, plan.burst_seconds, plan.vlan) == (8_000_000, 8, 20)
    assert (plan.filter_id, plan.address_list) == ("tamu", "pulau")


def test_rate_is_not_raised_to_its_burst(database: Database, chance: Chance) -> None:
    add_plan(database, "Tamu", now=NOON, chance=chance, down_bps=2_000_000, down_burst_bps=8_000_000)
    with pytest.raises(Invalid):
        set_plan(database, "Tamu", chance=os.urandom, now=NOON, down_bps=8_000_000)
    assert show_plan(database, "Tamu").down_bps == 2_000_000


def test_plans_are_listed_by_name(database: Database, chance: Chance) -> None:
    for name in ("Tamu", "Kantor", "Warga"):
        add_plan(database, name, now=NOON, chance=chance)
    assert [plan.name for plan in list_plans(database)] == ["Kantor", "Tamu", "Warga"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({"down_bps": 999}, "down_bps", id="slower than a modem"),
        pytest.param({"up_bps": 2**32}, "up_bps", id="more than 32 bits"),
        pytest.param({"daily_octets": 0}, "daily_octets", id="no octets at all"),
        pytest.param({"total_octets": 2**53}, "total_octets", id="more than JSON holds"),
        pytest.param({"device_limit": 0}, "device_limit", id="no device"),
        pytest.param({"interim_seconds": 59}, "interim_seconds", id="RFC 2869 section 5.16"),
        pytest.param({"session_seconds": -1}, "session_seconds", id="negative time"),
        pytest.param({"vlan": 4_095}, "vlan", id="IEEE 802.1Q keeps 4095 for itself"),
        pytest.param({"filter_id": " "}, "filter_id", id="no name"),
        pytest.param({"address_list": "a\nb"}, "address_list", id="two lines"),
        pytest.param({"filter_id": "\U0001f3dd" * 61}, "filter_id", id="more than one attribute holds"),
        pytest.param({"down_burst_bps": 8_000_000}, "down_burst_bps", id="a burst without a rate"),
        pytest.param({"up_bps": 8_000_000, "up_burst_bps": 8_000_000}, "up_burst_bps", id="a burst that is none"),
        pytest.param({"down_bps": 8_000_000, "burst_seconds": 8}, "burst_seconds", id="the time of no burst"),
    ],
)
def test_impossible_plan_is_refused_with_its_field(
    database: Database, chance: Chance, values: PlanValues, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        add_plan(database, "Warga", now=NOON, chance=chance, **values)
    assert caught.value.field == field
    assert list_plans(database) == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "x" * 81], ids=["empty", "spaces", "line", "nul", "long"])
def test_impossible_names_are_refused(database: Database, chance: Chance, name: str) -> None:
    with pytest.raises(Invalid):
        add_plan(database, name, now=NOON, chance=chance)
    with pytest.raises(Invalid):
        add_site(database, name, now=NOON, chance=chance)


def test_same_name_twice_is_a_conflict(database: Database, chance: Chance) -> None:
    add_plan(database, "Warga", now=NOON, chance=chance)
    add_site(database, "Gusung", now=NOON, chance=chance)
    with pytest.raises(Conflict):
        add_plan(database, "Warga", now=NOON, chance=chance)
    with pytest.raises(Conflict):
        add_site(database, "Gusung ", now=NOON, chance=chance)


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound) as plan:
        set_plan(database, "Warga", chance=os.urandom, now=NOON, up_bps=1_000_000)
    with pytest.raises(NotFound) as site:
        show_site(database, "Gusung")
    assert (plan.value.kind, plan.value.name, site.value.kind, site.value.name) == ("plan", "Warga", "site", "Gusung")


def test_site_has_its_free_tap_by_name(database: Database, chance: Chance) -> None:
    plan = add_plan(database, "Tamu", now=NOON, chance=chance)
    made = add_site(database, "Gusung", now=NOON, chance=chance, guest_plan="Tamu", capacity_bps=20_000_000)
    assert made == Site(made.id, "Gusung", 20_000_000, plan.id, 60)
    assert set_site(database, "Gusung", now=NOON, guest_plan=None).guest_plan_id is None
    assert [site.name for site in list_sites(database)] == ["Gusung"]


def test_site_with_a_plan_that_is_not_there_is_refused(database: Database, chance: Chance) -> None:
    with pytest.raises(NotFound, match="no plan 'Tamu'"):
        add_site(database, "Gusung", now=NOON, chance=chance, guest_plan="Tamu")
    assert list_sites(database) == []


def test_nodes_hear_of_each_change(database: Database, chance: Chance) -> None:
    with database.read() as connection:
        cursor = feed.cursor_now(connection)
    plan = add_plan(database, "Warga", now=NOON, chance=chance)
    site = add_site(database, "Gusung", now=NOON, chance=chance)
    with database.read() as connection:
        news = feed.read(connection, cursor)
    assert news is not None
    assert news.items == {FeedKind.PLAN: frozenset({plan.id}), FeedKind.SITE: frozenset({site.id})}
