"""The evening storm: routers boot, known phones are online again by themselves, unknown ones cost nobody anything.

No portal runs here at all, so nothing of it can depend on a page.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from app.db import guests, resume
from app.db.engine import Database
from app.domain.keys import draw_id
from app.domain.nases import Family
from app.domain.resume import ResumeGrant
from app.node.journal.status import journal_status
from app.services import nases, plans, sites
from app.services.keyring import Keyring
from app.simulator.browser import Browser
from app.simulator.island import Island
from app.simulator.router import RouterSettings
from app.simulator.storm import StormReport, reconnect
from tests.flows.serving import Installation

PLACES = ("gusung", "melahing", "tihi-tihi", "lok-tunggul")
UNKNOWN = 30_000  # phones with numbers from here on were never seen


@dataclass
class Evening:
    """What one evening showed."""

    first: StormReport
    again: StormReport
    strangers: StormReport
    journal_before: int
    journal_after_strangers: int
    resumes: int


def add_routers(database: Database, keyring: Keyring, serving: Installation) -> list[RouterSettings]:
    now = datetime.now(UTC)
    plans.add_plan(database, "Warga", now=now, chance=os.urandom, down_bps=4_000_000, up_bps=2_000_000)
    settings = []
    for number, place in enumerate(PLACES, start=1):
        address = f"127.20.0.{number}"
        sites.add_site(database, place, now=now, chance=os.urandom, guest_plan="Warga")
        nases.add_nas(
            database,
            keyring,
            place,
            address=address,
            family=Family.MIKROTIK,
            site=place,
            now=now,
            chance=os.urandom,
            identifier=place,
        )
        secrets = nases.nas_secrets(database, keyring, place)
        settings.append(
            RouterSettings(
                name=place,
                address=address,
                radius_secret=secrets.radius.encode(),
                mac_secret=secrets.mac,
                auth=("127.0.0.1", serving.auth_port),
                acct=("127.0.0.1", serving.acct_port),
                pages={},
                garden=frozenset(),
            )
        )
    return settings


def remember(database: Database, phones: Sequence[Browser]) -> None:
    """Leave what a tap at the splash page leaves: a guest and a resume grant."""
    now = datetime.now(UTC)
    plan_id = plans.show_plan(database, "Warga").id
    site_ids = {place: sites.show_site(database, place).id for place in PLACES}
    with database.write() as connection:
        for phone in phones:
            account_id = draw_id(os.urandom)
            site_id = site_ids[phone.hotspot.router.settings.name]
            guests.welcome(connection, account_id, phone.mac, plan_id=plan_id, site_id=site_id, now=now)
            grant = ResumeGrant(phone.mac, account_id, site_id, now + timedelta(hours=6))
            resume.keep(connection, draw_id(os.urandom), grant, now=now)


def phones_of(islands: Sequence[Island], count: int, *, first: int) -> list[Browser]:
    return [islands[number % len(islands)].phone(first + number // len(islands)) for number in range(count)]


async def play(
    database: Database, serving: Installation, settings: Sequence[RouterSettings], count: int, *, within: float
) -> Evening:
    islands = [Island(each, clock=time.monotonic, chance=Random(each.name).randbytes) for each in settings]
    known, strangers = phones_of(islands, count, first=1), phones_of(islands, count, first=UNKNOWN)
    remember(database, known)
    with serving.running("radius", "0"):
        try:
            for island in islands:
                await island.boot()
            before = journal_status(serving.data_dir, {}).pending
            alone = await reconnect(strangers, clock=time.monotonic, within_seconds=within)
            after_strangers = journal_status(serving.data_dir, {}).pending
            first = await reconnect(known, clock=time.monotonic, within_seconds=within)
            await asyncio.gather(*(island.router.drain() for island in islands))
            for island in islands:
                island.cut_power()
            for island in islands:
                await island.boot()
            again, both = await asyncio.gather(
                reconnect(known, clock=time.monotonic, within_seconds=within),
                reconnect(strangers, clock=time.monotonic, within_seconds=within),
            )
            await asyncio.gather(*(island.router.drain() for island in islands))
            assert both.refused == alone.refused
            return Evening(
                first=first,
                again=again,
                strangers=both,
                journal_before=before,
                journal_after_strangers=after_strangers,
                resumes=sum(island.router.counts.resumes for island in islands),
            )
        finally:
            for island in islands:
                island.cut_power()
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("count", "within"),
    [
        pytest.param(500, 2.0, id="500 known and 500 unknown phones within 2 s"),
        pytest.param(5_000, 20.0, id="5,000 known and 5,000 unknown phones within 20 s", marks=pytest.mark.long),
    ],
)
def test_known_phones_are_online_again_after_the_power_without_one_page(
    count: int, within: float, sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    serving = Installation(sqlite_database, data_dir)
    settings = add_routers(sqlite_database, keyring, serving)

    evening = asyncio.run(play(sqlite_database, serving, settings, count, within=within))

    print(f"storm of {count} + {count}: known {evening.again}, unknown {evening.strangers}")
    assert evening.first.online == count
    assert (evening.again.phones, evening.again.online) == (count, count)
    assert evening.again.seconds < 60  # "all in the same minute"
    assert evening.strangers.refused == count
    assert evening.journal_after_strangers == evening.journal_before
    assert evening.resumes == 2 * count
