"""Users, as an admin makes, finds, changes and removes them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.db import accounts, credentials, devices, feed, resume, users
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.tables.accounts import accounts as accounts_table
from app.domain.access import Denial, decide_access
from app.domain.local_time import WITA, local_day
from app.domain.resume import ResumeGrant
from app.domain.spending import Usage
from app.domain.users import User
from app.services.errors import Conflict, Invalid, NotFound
from app.services.keyring import Keyring
from app.services.plans import add_plan
from app.services.sites import add_site
from app.services.standing import standing_of
from app.services.users import (
    UserValues,
    add_user,
    list_users,
    remove_user,
    set_user,
    show_user,
    suspend_user,
)
from tests.factories import MAC, NOON

Chance = Callable[[int], bytes]


@pytest.fixture(autouse=True)
def _plans(database: Database, chance: Chance) -> None:
    add_plan(database, "Warga", now=NOON, chance=chance)
    add_plan(database, "Kantor", now=NOON + timedelta(seconds=1), chance=chance)
    add_site(database, "Gusung", now=NOON, chance=chance)


@pytest.fixture
def add(database: Database, keyring: Keyring, chance: Chance) -> Callable[..., User]:
    def add(username: str = "siti", **values: UserValues) -> User:
        return add_user(database, keyring, username, password=None, now=NOON, chance=chance, **values)  # type: ignore[arg-type] # a test hands in what it is about

    return add


def test_user_is_shown_as_made(database: Database, add: Callable[..., User]) -> None:
    made = add("Siti", name="Siti Aminah", phone="0812-3456-7890", plan="Kantor", site="Gusung")
    assert show_user(database, " SITI ", now=NOON) == made
    assert (made.username, made.name, made.phone) == ("siti", "Siti Aminah", "+6281234567890")
    assert made.account.policy.plan.name == "Kantor"


def test_user_without_a_plan_gets_the_one_that_was_made_first(add: Callable[..., User]) -> None:
    assert add().account.policy.plan.name == "Warga"


def test_without_any_plan_nobody_is_added(sqlite_database: Database, keyring: Keyring, chance: Chance) -> None:
    with sqlite_database.write() as connection:
        connection.exec_driver_sql("DELETE FROM plans WHERE 1")
    with pytest.raises(Invalid, match="pesisir plan add"):
        add_user(sqlite_database, keyring, "siti", password=None, now=NOON, chance=chance)


def test_one_name_in_two_spellings_is_one_user(add: Callable[..., User]) -> None:
    add("Siti.Aminah@Gusung")
    with pytest.raises(Conflict) as caught:
        add(" siti.aminah@gusung")
    assert (caught.value.kind, caught.value.name) == ("user", "siti.aminah@gusung")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phone": "0549-21234"}, "phone"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x07b"}, "name"),
    ],
    ids=["fixed line", "name of 101", "bell in the name"],
)
def test_impossible_value_is_refused_and_nothing_is_left(
    database: Database, add: Callable[..., User], values: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        add(**values)
    assert caught.value.field == field
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(accounts_table)) == 0


@pytest.mark.parametrize("username", ["02:AA:00:00:00:01", "02aa.0000.0001", "02-aa-00-00-00-01", "0812-3456-7890"])
def test_username_that_reads_as_a_mac_is_refused_and_nothing_is_left(
    database: Database, add: Callable[..., User], username: str
) -> None:
    with pytest.raises(Invalid, match="is written like the MAC address of a device") as caught:
        add(username)
    assert caught.value.field == "username"
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(accounts_table)) == 0


def test_mobile_number_is_a_username(add: Callable[..., User]) -> None:
    assert add("081234567890").username == "081234567890"


@pytest.mark.parametrize(("kind", "name"), [("plan", "Emas"), ("site", "Selangan")])
def test_name_of_what_does_not_exist_is_refused_and_nothing_is_left(
    database: Database, add: Callable[..., User], kind: str, name: str
) -> None:
    with pytest.raises(NotFound) as caught:
        add(**{kind: name})
    assert (caught.value.kind, caught.value.name) == (kind, name)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(accounts_table)) == 0


def test_every_change_raises_the_version_and_is_told(
    database: Database, chance: Chance, add: Callable[..., User]
) -> None:
    add()
    with database.read() as connection:
        cursor = feed.cursor_now(connection)
    changed = set_user(database, "siti", zone=WITA, now=NOON, chance=chance, plan="Kantor")
    suspended = suspend_user(database, "siti", suspended=True, zone=WITA, now=NOON, chance=chance)
    assert (changed.account.version, suspended.account.version) == (2, 3)
    with database.read() as connection:
        news = feed.read(connection, cursor)
    assert news is not None
    assert news.items[FeedKind.ACCOUNT] == {changed.account.id}


def test_suspending_twice_changes_nothing_more(database: Database, chance: Chance, add: Callable[..., User]) -> None:
    add()
    once = suspend_user(database, "siti", suspended=True, zone=WITA, now=NOON, chance=chance)
    again = suspend_user(database, "siti", suspended=True, zone=WITA, now=NOON, chance=chance)
    assert once == again


def test_change_keeps_what_was_not_mentioned(database: Database, chance: Chance, add: Callable[..., User]) -> None:
    add(name="Siti", phone="081234567890", site="Gusung")
    changed = set_user(database, "siti", zone=WITA, now=NOON, chance=chance, name="Siti Aminah")
    assert (changed.name, changed.phone, changed.account.site_id is None) == ("Siti Aminah", "+6281234567890", False)
    assert set_user(database, "siti", zone=WITA, now=NOON, chance=chance, phone=None).phone is None


def test_removed_user_leaves_no_person_behind(
    database: Database, keyring: Keyring, chance: Chance, add: Callable[..., User]
) -> None:
    add_user(database, keyring, "budi", password="rahasia", now=NOON, chance=chance)
    account = show_user(database, "budi", now=NOON).account
    with database.write() as connection:
        devices.note(connection, account.id, MAC, at=NOON)
        resume.keep(connection, "g" * 16, ResumeGrant(MAC, account.id, None, NOON + timedelta(days=1)), now=NOON)
    remove_user(database, "budi", zone=WITA, now=NOON, chance=chance)
    with pytest.raises(NotFound):
        show_user(database, "budi", now=NOON)
    with database.read() as connection:
        assert users.by_account_id(connection, account.id, now=NOON) is None
        assert credentials.of_account(connection, account.id) is None
        assert devices.of_account(connection, account.id) == []
        assert resume.of_macs(connection, [MAC], now=NOON) == {MAC: []}
    assert add("budi").account.id != account.id


def test_removed_account_may_not_go_online(database: Database, chance: Chance, add: Callable[..., User]) -> None:
    account_id = add().account.id
    remove_user(database, "siti", zone=WITA, now=NOON, chance=chance)
    with database.read() as connection:
        account = accounts.by_id(connection, account_id, now=NOON)
    assert account is not None
    usage = Usage(local_day(NOON, WITA))
    decision = decide_access(account, usage, device=MAC, online_devices=(), now=NOON, zone=WITA)
    assert isinstance(decision, Denial)


def test_pages_hold_everybody_once_in_order(database: Database, add: Callable[..., User]) -> None:
    names = [f"user{number:02}" for number in range(7)]
    for name in reversed(names):
        add(name)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = list_users(database, after=after, limit=3, now=NOON)
        assert page.total == 7
        seen += [user.username for user in page.users]
        after = page.next_after
    assert seen == names


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("sit", ["siti"]),
        ("AMINAH", ["siti"]),
        ("0812 3456 7890", ["siti"]),
        ("7891", ["budi"]),
        ("%", []),
        ("_", []),
        ("b_di", []),
        ("", ["budi", "siti"]),
    ],
    ids=["username", "name", "phone as written", "end of a phone", "per cent", "underscore", "no wildcard", "all"],
)
def test_search_finds(database: Database, add: Callable[..., User], search: str, expected: list[str]) -> None:
    add("siti", name="Siti Aminah", phone="081234567890")
    add("budi", name="Budi", phone="081234567891")
    page = list_users(database, search=search, now=NOON)
    assert [user.username for user in page.users] == expected
    assert page.total == len(expected)


def test_devices_are_listed_by_last_seen(database: Database, add: Callable[..., User]) -> None:
    account_id = add().account.id
    other = "02:aa:00:00:00:02"
    with database.write() as connection:
        devices.note(connection, account_id, MAC, at=NOON)
        devices.note(connection, account_id, other, at=NOON + timedelta(hours=1))
        devices.note(connection, account_id, MAC, at=NOON + timedelta(hours=2))
        devices.note(connection, account_id, MAC, at=NOON - timedelta(hours=2))
    found = standing_of(database, "siti", now=NOON, zone=WITA).devices
    assert [(device.mac, device.last_seen_at) for device in found] == [
        (MAC, NOON + timedelta(hours=2)),
        (other, NOON + timedelta(hours=1)),
    ]
