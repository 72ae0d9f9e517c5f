"""The simulated city shares one line among everybody who is online."""

from time import monotonic

import pytest

from app.simulator.city import City
from app.simulator.island import Island
from app.simulator.residents import CHATTING, DOWNLOADING, Pass, Resident, Way
from app.simulator.sessions import Limits, Session
from tests.flows.test_simulator_manners import router_settings

SECONDS = 20


def used(line_bps: float) -> list[int]:
    """Return what three who download and one who chats got of a line."""
    island = Island(router_settings("mikrotik"), clock=monotonic, chance=bytes)
    habits = (DOWNLOADING, DOWNLOADING, DOWNLOADING, CHATTING)
    people = [(Resident(f"r{n}", "gusung-1", Way.TAP, habit), Pass()) for n, habit in enumerate(habits)]
    city = City({"gusung-1": island}, people, clock=monotonic, seed=1, tell=lambda _: None, line_bps=line_bps)
    rates = (20_000_000, 20_000_000, 1_000_000, 20_000_000)
    for number, rate in enumerate(rates, start=1):
        phone = island.phone(number)
        island.router.host(phone.ip, phone.mac)
        limits = Limits(down_bps=rate, up_bps=None, total_octets=None)
        island.router.sessions[phone.mac] = Session(
            f"8010000{number}", phone.mac, phone.ip, "siti", (), limits, monotonic()
        )
    for _ in range(SECONDS):
        city.tick(1.0)
    return [session.down_octets for session in island.router.sessions.values()]


def test_line_is_shared_alike_up_to_each_ones_rate_and_never_exceeded() -> None:
    first, second, slow, chatting = used(9_000_000)
    assert first == pytest.approx(second, rel=0.01)
    assert slow == pytest.approx(1_000_000 * SECONDS / 8, rel=0.01)
    assert 9_000_000 * SECONDS / 8 * 0.99 < first + second + slow + chatting <= 9_000_000 * SECONDS / 8
    assert chatting < slow


def test_line_that_is_wide_enough_holds_nobody_back() -> None:
    first, second, *_ = used(1e9)
    assert first == pytest.approx(20_000_000 * SECONDS / 8, rel=0.05)
    assert second == pytest.approx(20_000_000 * SECONDS / 8, rel=0.05)
