"""Whose device comes back without a page, and where a MAC opens anything."""

from datetime import timedelta

import pytest

from app.db import feed, resume
from app.db.feed import FeedKind
from app.domain.nases import MAC_IS_PASSWORD, Family
from app.domain.reports import Method
from app.domain.resume import ResumeGrant
from app.services import nases, sites
from radius.messages import Reject
from tests.factories import MAC
from tests.node.answers import OTHER_MAC, UNKNOWN_MAC, Start, accepted
from tests.node.city import MAC_SECRET, City, chap


@pytest.mark.parametrize("spelling", ["02:aa:00:00:00:01", "02-AA-00-00-00-01", "02AA00000001", "02aa.0000.0001"])
# A3.10
def test_known_mac_comes_back_without_a_page(city: City, start: Start, spelling: str) -> None:
    account = city.add_user("budi")
    city.add_grant(MAC, account)
    node = start(city)
    accepted(node.ask(node.request(spelling, MAC_SECRET)))
    accepted(node.ask(node.request(spelling, chap(MAC_SECRET))))
    assert node.verdicts()[0].method is Method.RESUME
    assert node.verdicts()[0].account_id == account.id


@pytest.mark.parametrize(
    ("name", "password", "mac"),
    [
        pytest.param("02:aa:00:00:00:09", MAC_SECRET, "02:aa:00:00:00:09", id="no grant"),
        pytest.param(MAC, "salah", MAC, id="wrong MAC secret"),
        pytest.param(MAC, MAC, MAC, id="the MAC itself, from a family that can be told better"),
        pytest.param(MAC, MAC_SECRET, OTHER_MAC, id="another device's MAC"),
        pytest.param(MAC, None, MAC, id="no credential"),
    ],
)
# A3.10
def test_unknown_mac_is_refused_at_once_without_disk_or_waiting(
    city: City, start: Start, name: str, password: str | None, mac: str
) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.pass_by(0.1)
    assert node.ask(node.request(name, password, mac=mac)) == UNKNOWN_MAC
    assert node.authorizer.counters.unknown_macs == 1
    assert node.verdicts() == []


# A3.10, D18
def test_a_flood_of_unknown_macs_costs_nobody_anything(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.pass_by(0.1)
    macs = [f"06:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(5000)]
    before = node.journal.counters.batches
    answers = node.backend.authorize([node.request(mac, MAC_SECRET, mac=mac) for mac in macs])
    assert answers == [UNKNOWN_MAC] * 5000
    assert node.journal.counters.batches == before
    assert node.follower.reads == 0
    accepted(node.ask(node.request(MAC, MAC_SECRET)))


# A3.10
@pytest.mark.parametrize("family", sorted(MAC_IS_PASSWORD))
def test_mac_is_its_own_password_where_the_family_sends_it(city: City, start: Start, family: Family) -> None:
    account = city.add_user("budi")
    city.add_grant(MAC, account)
    exact = city.add_nas("wifi-1", family=family, address="127.0.0.9")
    wide = city.add_nas("wifi-2", family=family, address="127.1.0.0/16")
    node = start(city)
    for name, password in (
        ("02-AA-00-00-00-01", "02-AA-00-00-00-01"),
        ("02-AA-00-00-00-01", "02aa00000001"),
        ("02:aa:00:00:00:01", chap("02:aa:00:00:00:01")),
    ):
        accepted(node.ask(node.request(name, password, nas_id=exact.id)))
        assert node.ask(node.request(name, password, nas_id=wide.id)) == UNKNOWN_MAC
    assert node.ask(node.request("02-AA-00-00-00-01", OTHER_MAC, nas_id=exact.id)) == UNKNOWN_MAC


# A3.10
@pytest.mark.parametrize("family", [Family.MIKROTIK, Family.UNIFI])
def test_mac_opens_nothing_through_a_nas_that_is_not_allowed_it(city: City, start: Start, family: Family) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    nas = city.add_nas("router-2", family=family, address="127.0.0.9")
    nases.set_nas(city.database, city.keyring, "router-2", now=city.time.at, mac_login=False)
    node = start(city)
    for password in (MAC_SECRET, MAC):
        assert node.ask(node.request(MAC, password, nas_id=nas.id)) == UNKNOWN_MAC
    nases.set_nas(city.database, city.keyring, "router-2", now=city.time.at, mac_login=True)
    node.learn()
    accepted(node.ask(node.request(MAC, MAC_SECRET, nas_id=nas.id)))


def test_phone_number_as_user_name_is_no_mac(city: City, start: Start) -> None:
    city.add_user("081234567890")
    node = start(city)
    accepted(node.ask(node.request("081234567890", "rahasia-123")))


def test_ended_grant_is_none(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.pass_by(86_400)
    node.learn()
    assert node.ask(node.request(MAC, MAC_SECRET)) == UNKNOWN_MAC


def test_device_comes_back_a_second_after_its_ticket(city: City, start: Start) -> None:
    account, other = city.add_user("budi"), city.add_user("siti")
    city.add_grant(MAC, other)
    node = start(city)
    ticket = city.ticket(account)
    assert isinstance(node.ask(node.request(ticket.name, ticket.password, mac=OTHER_MAC)), Reject)
    accepted(node.ask(node.request(MAC, MAC_SECRET)))
    assert node.verdicts()[-1].account_id == other.id
    accepted(node.ask(node.request(ticket.name, ticket.password)))
    accepted(node.ask(node.request(MAC, MAC_SECRET)))
    assert node.verdicts()[-1].account_id == account.id


def test_login_that_no_router_carried_out_lets_nobody_in(city: City, start: Start) -> None:
    account = city.add_user("budi")
    grant = ResumeGrant(MAC, account.id, None, city.time.at + timedelta(hours=1))
    with city.database.write() as connection:
        resume.keep(connection, "grant1", grant, now=city.time.at, awaits="nonce222")
    node = start(city)
    assert node.ask(node.request(MAC, MAC_SECRET)) == UNKNOWN_MAC
    with city.database.write() as connection:
        feed.append(connection, now=city.time.at, items={FeedKind.RESUME: [MAC]})
    node.learn()
    assert node.ask(node.request(MAC, MAC_SECRET)) == UNKNOWN_MAC


def test_grant_of_another_site_is_none(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    sites.add_site(city.database, "Melahing", now=city.time.at, chance=city.chance)
    other = city.add_nas("melahing-1", address="127.0.0.3", site="Melahing")
    node = start(city)
    assert node.ask(node.request(MAC, MAC_SECRET, nas_id=other.id)) == UNKNOWN_MAC
