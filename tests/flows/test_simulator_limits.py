"""What the real server allows, the simulated router holds; what it reports, the database knows to the octet."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random

from app.db.engine import Database
from app.services.keyring import Keyring
from app.services.plans import PlanValues
from app.services.sessions import SessionView, StateFilter, list_sessions
from app.simulator.browser import Browser
from app.simulator.island import Island
from app.simulator.router import Outcome
from radius.attributes import Attributes
from radius.codes import Code
from radius.messages import CoaRequest, DisconnectRequest
from radius.net.async_client import AsyncClient
from radius.net.client import Answered
from tests.flows.islands import PLAN, add_routers, remember
from tests.flows.serving import Installation
from tests.node.journals import until

MB = 1_000_000
Scenario = Callable[[Island, Browser], Coroutine[object, object, None]]


def closed_session(
    database: Database, keyring: Keyring, tmp_path: Path, scenario: Scenario, *, plan: PlanValues = PLAN
) -> SessionView:
    """Play a scenario with one known phone beside the real server; return the session as it ended in the database."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    serving = Installation(database, data_dir)
    settings = add_routers(database, keyring, serving, plan)[0]

    async def play() -> None:
        island = Island(settings, clock=time.monotonic, chance=Random(1).randbytes)
        phone = island.phone(1)
        remember(database, [phone])
        with serving.running("radius", "0"), serving.running("worker"):
            await island.boot()
            try:
                await scenario(island, phone)
                await island.router.drain()
                await asyncio.to_thread(until, lambda: len(_closed(database)) == 1)
            finally:
                island.cut_power()
                await asyncio.sleep(0)

    asyncio.run(play())
    (session,) = _closed(database)
    return session


def _closed(database: Database) -> tuple[SessionView, ...]:
    return list_sessions(database, state=StateFilter.CLOSED)


def test_quota_is_cut_at_the_octet_and_the_phone_is_not_let_in_again(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    async def scenario(island: Island, phone: Browser) -> None:
        assert await island.router.appear(phone.ip, phone.mac) is Outcome.ONLINE
        island.router.carry(phone.mac, up_octets=1 * MB, down_octets=20 * MB, seconds=60)
        island.router.tick()
        await island.router.drain()
        island.router.hosts.clear()  # the phone comes anew, as after its lease has run out
        assert await island.router.appear(phone.ip, phone.mac) is Outcome.REFUSED

    session = closed_session(sqlite_database, keyring, tmp_path, scenario, plan={"total_octets": 5 * MB})
    assert (session.up_octets, session.down_octets) == (0, 5 * MB)
    assert session.terminate_cause == "Session-Timeout"


def test_disconnect_ends_the_session_in_the_database(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    async def scenario(island: Island, phone: Browser) -> None:
        await island.router.appear(phone.ip, phone.mac)
        island.router.carry(phone.mac, up_octets=10, down_octets=3 * MB, seconds=60)
        identity = Attributes([("User-Name", phone.mac.upper()), ("Framed-IP-Address", phone.ip)])
        assert await _told(island, DisconnectRequest(identity)) is Code.DISCONNECT_ACK
        assert await _told(island, DisconnectRequest(identity)) is Code.DISCONNECT_NAK

    session = closed_session(sqlite_database, keyring, tmp_path, scenario)
    assert (session.down_octets, session.terminate_cause) == (3 * MB, "Admin-Reset")


def test_rate_of_a_change_holds_from_the_next_second(
    sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    async def scenario(island: Island, phone: Browser) -> None:
        router = island.router
        await router.appear(phone.ip, phone.mac)
        router.carry(phone.mac, up_octets=0, down_octets=100 * MB, seconds=1)
        assert router.sessions[phone.mac].down_octets == 500_000  # a second at the plan's 4 Mbit/s
        identity = Attributes([("User-Name", phone.mac.upper()), ("Framed-IP-Address", phone.ip)])
        change = CoaRequest(identity, Attributes([("Mikrotik-Rate-Limit", "800k/800k")]))
        assert await _told(island, change) is Code.COA_ACK
        router.carry(phone.mac, up_octets=0, down_octets=100 * MB, seconds=1)
        assert await _told(island, DisconnectRequest(identity)) is Code.DISCONNECT_ACK

    assert closed_session(sqlite_database, keyring, tmp_path, scenario).down_octets == 500_000 + 100_000


async def _told(island: Island, request: CoaRequest | DisconnectRequest) -> Code:
    settings = island.router.settings
    client = AsyncClient((settings.address, island.coa_port), settings.radius_secret)
    try:
        answered = await client.ask(request)
    finally:
        client.close()
    assert isinstance(answered, Answered)
    return answered.reply.code
