"""Rate ceilings of devices: stored with their reason, told to open sessions and to nodes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import ceilings, feed
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.tables.changes import changes
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.changes import ChangeState
from app.domain.users import User
from app.services.ceilings import end_ceilings, lift_ceilings, set_ceilings
from app.services.errors import Invalid
from app.services.keyring import Keyring
from app.services.plans import add_plan
from app.services.users import add_user
from tests.factories import MAC, NOON
from tests.rows import add_session

Chance = Callable[[int], bytes]
OTHER = "02:aa:00:00:00:02"
HOUR = timedelta(hours=1)
PERSON, GOVERNOR = CeilingSource.PERSON, CeilingSource.GOVERNOR


@pytest.fixture
def user(database: Database, keyring: Keyring, chance: Chance) -> User:
    add_plan(database, "Warga", now=NOON, chance=chance)
    made = add_user(database, keyring, "siti", password=None, now=NOON, chance=chance)
    for number, mac in enumerate((MAC, OTHER)):
        open_session(database, f"session{number}", made, mac)
    return made


def open_session(database: Database, session_id: str, user: User, mac: str, state: str = "open") -> None:
    with database.write() as connection:
        add_session(connection, session_id, account_id=user.account.id, mac=mac, state=state)


def ceiling(user: User, down_bps: int = 512_000, *, mac: str = MAC, source: CeilingSource = PERSON) -> Ceiling:
    return Ceiling(user.account.id, mac, source, down_bps, None, NOON + HOUR, "antre", "admin")


def told(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        query = select(changes).where(changes.c.state == ChangeState.PENDING.value).order_by(changes.c.session_id)
        return [(row.session_id, row.kind, row.reason) for row in connection.execute(query)]


def held(database: Database, user: User) -> set[Ceiling]:
    with database.read() as connection:
        return set(ceilings.of_accounts(connection, [user.account.id], now=NOON).get(user.account.id, ()))


def test_the_open_session_of_the_device_is_told(database: Database, user: User, chance: Chance) -> None:
    open_session(database, "before", user, MAC, state="closed")
    assert set_ceilings(database, [ceiling(user)], now=NOON, chance=chance) == 1
    assert told(database) == [("session0", "change", "ceiling")]
    assert held(database, user) == {ceiling(user)}


def test_a_ceiling_for_every_device_tells_all(database: Database, user: User, chance: Chance) -> None:
    assert set_ceilings(database, [ceiling(user, mac="")], now=NOON, chance=chance) == 2


def test_nodes_hear_of_the_account(database: Database, user: User, chance: Chance) -> None:
    with database.read() as connection:
        cursor = feed.cursor_now(connection)
    set_ceilings(database, [ceiling(user)], now=NOON, chance=chance)
    with database.read() as connection:
        news = feed.read(connection, cursor)
    assert news is not None
    assert news.items[FeedKind.CEILING] == {user.account.id}


def test_a_later_end_alone_tells_nobody(database: Database, user: User, chance: Chance) -> None:
    set_ceilings(database, [ceiling(user)], now=NOON, chance=chance)
    longer = ceiling(user)._replace(until=NOON + 2 * HOUR)
    with database.write() as connection:
        connection.execute(changes.delete())
    assert set_ceilings(database, [longer], now=NOON, chance=chance) == 0
    assert held(database, user) == {longer}


def test_each_source_lifts_its_own(database: Database, user: User, chance: Chance) -> None:
    governor = ceiling(user, 1_000_000, source=GOVERNOR)
    set_ceilings(database, [ceiling(user), governor], now=NOON, chance=chance)
    lift_ceilings(database, [(user.account.id, MAC)], source=PERSON, now=NOON, chance=chance)
    assert held(database, user) == {governor}


def test_lifting_what_is_not_there_tells_nobody(database: Database, user: User, chance: Chance) -> None:
    assert lift_ceilings(database, [(user.account.id, MAC)], source=PERSON, now=NOON, chance=chance) == 0
    assert told(database) == []


def test_what_ends_by_time_is_told_once(database: Database, user: User, chance: Chance) -> None:
    set_ceilings(database, [ceiling(user)], now=NOON, chance=chance)
    with database.write() as connection:
        connection.execute(changes.delete())
    assert end_ceilings(database, now=NOON + HOUR - timedelta(seconds=1), chance=chance) == 0
    assert end_ceilings(database, now=NOON + HOUR, chance=chance) == 1
    assert end_ceilings(database, now=NOON + HOUR, chance=chance) == 0
    assert told(database) == [("session0", "change", "ceiling")]


def test_a_session_that_is_to_be_told_already_is_not_queued_twice(
    database: Database, user: User, chance: Chance
) -> None:
    assert set_ceilings(database, [ceiling(user)], now=NOON, chance=chance) == 1
    assert set_ceilings(database, [ceiling(user, 256_000)], now=NOON, chance=chance) == 0
    assert told(database) == [("session0", "change", "ceiling")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"down_bps": 999}, id="below what a router takes"),
        pytest.param({"down_bps": 2**32}, id="above it"),
        pytest.param({"down_bps": None}, id="no direction"),
        pytest.param({"until": NOON}, id="over already"),
        pytest.param({"reason": " "}, id="no reason"),
        pytest.param({"author": ""}, id="no author"),
    ],
)
def test_nonsense_is_refused(database: Database, user: User, chance: Chance, change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        set_ceilings(database, [ceiling(user)._replace(**change)], now=NOON, chance=chance)  # type: ignore[arg-type]
    assert held(database, user) == set()
