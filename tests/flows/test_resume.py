"""The evening storm: routers boot, known phones are online again by themselves, unknown ones cost nobody anything.

No portal runs here at all, so nothing of it can depend on a page.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from app.db.engine import Database
from app.node.journal.status import journal_status
from app.services.keyring import Keyring
from app.simulator.island import Island
from app.simulator.router import RouterSettings
from app.simulator.storm import StormReport, reconnect
from tests.flows.islands import add_routers, phones_of, remember
from tests.flows.serving import Installation

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
