"""A6.19: Chargeable-User-Identity says that two sessions are of one person at one site, and nothing else."""

import pytest

from app.services import sites
from tests.node.answers import Start, accepted
from tests.node.city import City


@pytest.mark.parametrize("asked", [pytest.param(b"", id="empty"), pytest.param(b"\0", id="NUL"), b"an-older-one"])
def test_a6_19_whoever_asks_for_an_identity_gets_one_that_says_nothing(city: City, start: Start, asked: bytes) -> None:
    account = city.add_user("budi")
    node = start(city)
    said = accepted(node.ask(node.request("budi", "rahasia-123", Chargeable_User_Identity=asked))).chargeable_identity
    again = node.request("budi", "rahasia-123", session="81a00002", Chargeable_User_Identity=asked)
    assert accepted(node.ask(again)).chargeable_identity == said
    assert said is not None
    assert len(said) == 24
    assert b"budi" not in said
    assert account.id.encode() not in said


def test_a6_19_another_site_and_another_person_have_another_identity(city: City, start: Start) -> None:
    sites.add_site(city.database, "Melahing", now=city.time.at, chance=city.chance)
    melahing = city.add_nas("melahing-1", address="127.0.0.2", site="Melahing")
    for name in ("budi", "siti"):
        city.add_user(name)
    node = start(city)
    found = {
        accepted(
            node.ask(node.request(name, "rahasia-123", session=nas_id, nas_id=nas_id, Chargeable_User_Identity=b""))
        ).chargeable_identity
        for name in ("budi", "siti")
        for nas_id in (city.nas.id, melahing.id)
    }
    assert len(found) == 4


def test_a6_19_whoever_does_not_ask_gets_none(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    assert accepted(node.ask(node.request("budi", "rahasia-123"))).chargeable_identity is None
