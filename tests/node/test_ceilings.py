"""A node gives a device no more than its ceiling, whichever way it learnt of it."""

from collections.abc import Callable
from datetime import timedelta

from app.domain.ceilings import Ceiling, CeilingSource
from app.services.ceilings import lift_ceilings, set_ceilings
from radius.messages import Accept
from tests.factories import MAC
from tests.node.city import City, Node

Start = Callable[[City], Node]
HOUR = timedelta(hours=1)


def rates(node: Node) -> tuple[int | None, int | None]:
    accept = node.ask(node.request("budi", "rahasia-123"))
    assert isinstance(accept, Accept)
    return accept.authorization.down_bps, accept.authorization.up_bps


def hold_down(city: City, account_id: str) -> None:
    held = Ceiling(account_id, MAC, CeilingSource.GOVERNOR, 512_000, None, city.time.at + HOUR, "antre", "governor")
    set_ceilings(city.database, [held], now=city.time.at, chance=city.chance)


def test_a_ceiling_reaches_a_running_node_and_leaves_it_again(both_city: City, start: Start) -> None:
    account = both_city.add_user("budi")
    node = start(both_city)
    hold_down(both_city, account.id)
    assert rates(node) == (4_000_000, 2_000_000)
    node.learn()
    assert rates(node) == (512_000, 2_000_000)
    devices = [(account.id, MAC)]
    lift_ceilings(
        both_city.database, devices, source=CeilingSource.GOVERNOR, now=both_city.time.at, chance=both_city.chance
    )
    node.learn()
    assert rates(node) == (4_000_000, 2_000_000)


def test_a_node_that_starts_knows_it_until_its_end(both_city: City, start: Start) -> None:
    hold_down(both_city, both_city.add_user("budi").id)
    node = start(both_city)
    assert rates(node) == (512_000, 2_000_000)
    both_city.time.pass_by(3600)
    assert rates(node) == (4_000_000, 2_000_000)
    node.snapshot.tick(both_city.time.at)
    assert node.snapshot.ceilings == {}
