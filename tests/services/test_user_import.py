"""Importing users: all or nothing, every mistake named with its line, harmless to repeat."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db import credentials, feed
from app.db.engine import Database, open_database
from app.db.feed import FeedKind
from app.domain.users import CredentialKind, User
from app.services import passwords
from app.services.errors import Conflict
from app.services.keyring import Keyring
from app.services.plans import add_plan
from app.services.sites import add_site
from app.services.user_import import ImportReport, import_users
from app.services.user_rows import MOST_ROWS, RowError, read_rows
from app.services.users import add_user, list_users, show_user
from tests.factories import NOON

Chance = Callable[[int], bytes]


@pytest.fixture
def city(database: Database, chance: Chance) -> Database:
    add_plan(database, "Warga", now=NOON, chance=chance)
    add_plan(database, "Kantor", now=NOON + timedelta(seconds=1), chance=chance)
    add_site(database, "Gusung", now=NOON, chance=chance)
    return database


@pytest.fixture
def load(city: Database, keyring: Keyring, chance: Chance) -> Callable[..., ImportReport]:
    def load(
        text: str | bytes,
        kind: CredentialKind = CredentialKind.ENCRYPTED,
        *,
        dry_run: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> ImportReport:
        data = text if isinstance(text, bytes) else text.encode()
        return import_users(city, keyring, data, kind=kind, dry_run=dry_run, now=NOON, chance=chance, progress=progress)

    return load


def everybody(database: Database) -> list[User]:
    return list(list_users(database, limit=500, now=NOON).users)


FULL = """username,password,name,phone,plan,site
Siti,rahasia1,Siti Aminah,0812-3456-7890,Kantor,Gusung
budi,rahasia2,"Budi, bin Ali",,,
"""


def test_rows_become_users(city: Database, load: Callable[..., ImportReport]) -> None:
    report = load(FULL)
    assert report == ImportReport(applied=True, rows=2, added=2, default_plan_rows=1, default_plan="Warga")
    siti, budi = show_user(city, "siti", now=NOON), show_user(city, "budi", now=NOON)
    assert (siti.name, siti.phone, siti.account.policy.plan.name) == ("Siti Aminah", "+6281234567890", "Kantor")
    assert siti.account.site_id is not None
    assert (budi.name, budi.phone, budi.account.policy.plan.name) == ("Budi, bin Ali", None, "Warga")


@pytest.mark.parametrize("kind", list(CredentialKind))
def test_passwords_open_and_a_second_run_changes_nothing(
    city: Database, keyring: Keyring, load: Callable[..., ImportReport], kind: CredentialKind
) -> None:
    load(FULL, kind)
    siti = show_user(city, "siti", now=NOON)
    with city.read() as connection:
        cursor = feed.cursor_now(connection)
        credential = credentials.of_account(connection, siti.account.id)
    assert credential is not None
    assert credential.kind is kind
    assert passwords.verify(keyring, siti.account.id, credential, "rahasia1")
    before = everybody(city)
    report = load(FULL, kind)
    assert (report.added, report.updated, report.unchanged) == (0, 0, 2)
    assert everybody(city) == before
    with city.read() as connection:
        news = feed.read(connection, cursor)
    assert news is not None
    assert not news.items


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeffusername,name\nsiti,Siti\n", id="byte order mark"),
        pytest.param("username;name\nsiti;Siti\n", id="semicolons"),
        pytest.param("\ufeffusername;name\r\nsiti;Siti\r\n", id="as Excel saves it"),
        pytest.param("name,username\nSiti,siti\n", id="other order"),
        pytest.param(" Username , NAME \n siti , Siti \n", id="spaces and capitals"),
        pytest.param('"username","name"\n"siti","Siti"', id="quotes, no last line end"),
        pytest.param("\n\nusername,name\n\n,,\n\nsiti,Siti\n\n", id="blank lines"),
    ],
)
def test_usual_forms_of_csv_are_read(city: Database, load: Callable[..., ImportReport], text: str) -> None:
    report = load(text)
    assert (report.errors, report.added) == ((), 1)
    assert show_user(city, "siti", now=NOON).name == "Siti"


@pytest.mark.parametrize(
    ("text", "row", "column", "problem"),
    [
        pytest.param("", 1, "", "empty", id="empty file"),
        pytest.param("\n \n", 1, "", "empty", id="blank file"),
        pytest.param("name\nSiti\n", 1, "username", "missing", id="no usernames"),
        pytest.param("username,email\nsiti,x\n", 1, "email", "not a column", id="unknown column"),
        pytest.param("username,name,name\nsiti,a,b\n", 1, "name", "twice", id="column twice"),
        pytest.param("username\nsiti,x\n", 2, "", "2 cells", id="more cells than columns"),
        pytest.param("username,name,phone\nsiti,Siti\n", 2, "", "2 cells, the header 3", id="fewer cells than columns"),
        pytest.param("username,password\nsiti,  \n", 2, "password", "is empty", id="password of spaces"),
        pytest.param("username,name\nsiti,a\n,b\n", 3, "username", "empty", id="no username"),
        pytest.param("username\nsiti\nbudi\nSITI \n", 4, "username", "line 2", id="same user twice"),
        pytest.param("username\nsi\x00ti\n", 2, "username", "control", id="nul"),
        pytest.param("username\nsi\u202eti\n", 2, "username", "U+202E", id="right-to-left override"),
        pytest.param('username\n"si\nti"\n', 2, "username", "U+000A", id="line end in a cell"),
        pytest.param("username\n" + "x" * 254, 2, "username", "254", id="username of 254"),
        pytest.param("username\nsiti\n02-AA-00-00-00-01\n", 3, "username", "MAC address of a device", id="a MAC"),
        pytest.param("username,name\nsiti," + "x" * 101, 2, "name", "101", id="name of 101"),
        pytest.param("username,password\nsiti," + "x" * 129, 2, "password", "129", id="password of 129"),
        pytest.param("username,phone\nsiti,0549-21234\n", 2, "phone", "mobile", id="fixed line"),
        pytest.param("username,phone\nsiti,\u0660\u0668123456789\n", 2, "phone", "mobile", id="other digits"),
        pytest.param("username,plan\nsiti,Emas\n", 2, "plan", "no plan 'Emas'", id="no such plan"),
        pytest.param("username,site\nsiti,Selangan\n", 2, "site", "no site", id="no such site"),
        pytest.param('username\n"siti\n', 2, "", "CSV", id="quote without an end"),
        pytest.param('username\n"siti"x\n', 2, "", "CSV", id="text after a quote"),
        pytest.param(b"username\nbudi\ns\xefti\n", 3, "", "UTF-8", id="Latin-1"),
        pytest.param("username\nsiti\n".encode("utf-16"), 1, "", "UTF-8", id="UTF-16"),
    ],
)
def test_mistake_is_named_and_nothing_is_written(
    city: Database, load: Callable[..., ImportReport], *, text: str | bytes, row: int, column: str, problem: str
) -> None:
    report = load(text)
    assert not report.applied
    assert [(error.row, error.column) for error in report.errors] == [(row, column)]
    assert problem in report.errors[0].problem
    assert everybody(city) == []


def test_all_mistakes_are_named_in_the_order_of_the_lines(city: Database, load: Callable[..., ImportReport]) -> None:
    report = load("username,phone,plan,site\nok,,,\n,12,Emas,Nowhere\nsiti,12,Warga,\nSITI,12,Emas,\nbudi,,Emas,\n")
    assert [(error.row, error.column) for error in report.errors] == [
        (3, "username"),
        (3, "phone"),
        (3, "plan"),
        (3, "site"),
        (4, "phone"),
        (5, "phone"),
        (5, "username"),
        (5, "plan"),
        (6, "plan"),
    ]
    assert everybody(city) == []


def test_line_number_counts_line_ends_inside_cells() -> None:
    assert read_rows(b'name,username\n"a\n b",siti\nx,\n').errors == (
        RowError(2, "name", "has the control character U+000A"),
        RowError(4, "username", "is empty"),
    )


def test_who_has_a_name_like_a_mac_from_before_is_still_imported(
    city: Database, load: Callable[..., ImportReport]
) -> None:
    load("username\nsiti\n")
    with city.write() as connection:
        connection.exec_driver_sql("UPDATE users SET username = '02-aa-00-00-00-01'")
    assert load("username,name\n02-AA-00-00-00-01,Siti\n").updated == 1


def test_too_many_rows_are_refused() -> None:
    data = b"username\n" + b"".join(b"u%d\n" % number for number in range(MOST_ROWS + 1))
    (error,) = read_rows(data).errors
    assert (error.row, error.column) == (MOST_ROWS + 2, "")


def test_dry_run_says_what_would_happen_and_writes_nothing(city: Database, load: Callable[..., ImportReport]) -> None:
    load("username,name\nsiti,Siti\nbudi,Budi\n")
    before = everybody(city)
    report = load("username,name\nsiti,Aminah\nbudi,Budi\nani,Ani\n", dry_run=True)
    assert (report.applied, report.added, report.updated, report.unchanged) == (False, 1, 1, 1)
    assert everybody(city) == before


def test_empty_cells_and_absent_columns_change_nothing(city: Database, load: Callable[..., ImportReport]) -> None:
    load(FULL)
    report = load("username,name,phone,plan,site\nsiti,,,,\nbudi,Budi,,,\n")
    assert (report.updated, report.unchanged) == (1, 1)
    siti = show_user(city, "siti", now=NOON)
    assert (siti.name, siti.phone, siti.account.policy.plan.name) == ("Siti Aminah", "+6281234567890", "Kantor")
    assert show_user(city, "budi", now=NOON).name == "Budi"


def test_changed_rows_raise_only_their_own_versions(city: Database, load: Callable[..., ImportReport]) -> None:
    load(FULL)
    load(FULL.replace("rahasia1", "baru"))
    versions = {user.username: user.account.version for user in everybody(city)}
    assert versions == {"siti": 2, "budi": 1}


def test_new_users_are_told_in_one_feed_row(city: Database, load: Callable[..., ImportReport]) -> None:
    with city.read() as connection:
        cursor = feed.cursor_now(connection)
    load(FULL)
    with city.read() as connection:
        news = feed.read(connection, cursor)
    assert news is not None
    assert news.items[FeedKind.ACCOUNT] == {user.account.id for user in everybody(city)}


def test_users_without_password_are_counted(load: Callable[..., ImportReport]) -> None:
    assert load("username,password\nsiti,\nbudi,rahasia\n").without_password == 1


def test_without_any_plan_every_new_user_is_a_mistake(database: Database, keyring: Keyring, chance: Chance) -> None:
    report = import_users(
        database,
        keyring,
        b"username\nsiti\n",
        kind=CredentialKind.ENCRYPTED,
        dry_run=False,
        now=NOON,
        chance=chance,
        progress=lambda _done, _total: None,
    )
    assert [(error.row, error.column) for error in report.errors] == [(2, "plan")]


def test_progress_only_grows_and_ends_at_the_total(load: Callable[..., ImportReport]) -> None:
    heard: list[tuple[int, int]] = []
    load(
        "username,password\n" + "".join(f"u{number},p{number}\n" for number in range(200)),
        progress=lambda done, total: heard.append((done, total)),
    )
    assert heard[-1] == (200, 200)
    assert len(heard) > 3
    assert all(earlier <= later for earlier, later in pairwise(heard))


def test_user_added_by_somebody_else_meanwhile_stops_it(
    city: Database, keyring: Keyring, chance: Chance, load: Callable[..., ImportReport]
) -> None:
    def interfere(_done: int, _total: int) -> None:
        if not everybody(city):
            add_user(city, keyring, "siti", password=None, now=NOON, chance=chance)

    with pytest.raises(Conflict):
        load(FULL, progress=interfere)
    assert [user.username for user in everybody(city)] == ["siti"]


CELLS = st.text(alphabet=st.sampled_from('ab1 ,;"\n\r\t\x00é\u0301\ufeff\u202e=+@-'), max_size=12)


@pytest.fixture(scope="module")
def fuzz_database(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    path.write_bytes(migrated_sqlite_file.read_bytes())
    database = open_database(f"sqlite:///{path}")
    add_plan(database, "Warga", now=NOON, chance=os.urandom)
    yield database
    database.close()


@settings(max_examples=150, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
        st.lists(st.lists(CELLS, min_size=1, max_size=4).map(",".join), max_size=6).map(
            lambda lines: ("username,password,name,phone\n" + "\n".join(lines)).encode()
        ),
    )
)
def test_no_file_whatever_is_half_imported(fuzz_database: Database, keyring: Keyring, data: bytes) -> None:
    with fuzz_database.read() as connection:
        cursor = feed.cursor_now(connection)
    before = list_users(fuzz_database, now=NOON).total
    report = import_users(
        fuzz_database,
        keyring,
        data,
        kind=CredentialKind.ENCRYPTED,
        dry_run=False,
        now=NOON,
        chance=os.urandom,
        progress=lambda _done, _total: None,
    )
    after = list_users(fuzz_database, now=NOON).total
    assert after - before == report.added
    if report.errors:
        assert not report.applied
        assert report.added == 0
        with fuzz_database.read() as connection:
            assert feed.cursor_now(connection) == cursor
