"""What is probably wrong with a NAS: what the database remembers, and the judgement on accounting (A6.21)."""

import os
from datetime import datetime, timedelta
from typing import Unpack

import pytest
from sqlalchemy import select

from app.db import access_log, hints
from app.db.engine import Database
from app.db.hints import Notice
from app.db.tables.changes import feed
from app.db.tables.nases import nases as nases_table
from app.domain.hints import SHOWN_FOR, Hint, HintKind
from app.domain.nases import Demand, Family, Protections
from app.domain.reports import Decided, Method
from app.services import nases, sites
from app.services.hints import hints_of_nases, judge_accounting
from app.services.keyring import Keyring
from app.services.nases import NasOptions
from tests.factories import NOON
from tests.rows import add_session

SECRET = "a-secret-of-gusung-1"
THEN = NOON - timedelta(minutes=5)


@pytest.fixture
def city(database: Database) -> Database:
    sites.add_site(database, "Gusung", now=NOON, chance=os.urandom)
    return database


def add_nas(database: Database, keyring: Keyring, name: str = "gusung-1", /, **options: Unpack[NasOptions]) -> str:
    made: NasOptions = {"secret": SECRET, **options}
    return nases.add_nas(
        database,
        keyring,
        name,
        address="127.0.0.1",
        family=Family.MIKROTIK,
        site="Gusung",
        now=NOON,
        chance=os.urandom,
        **made,
    ).nas.id


def accept(
    database: Database, nas_id: str, number: int, *, at: datetime = THEN, method: Method = Method.TICKET, mac: str = ""
) -> None:
    verdict = Decided(
        at=at,
        nas_id=nas_id,
        mac=mac or f"02:aa:00:00:00:{number:02x}",
        account_id=f"account{number:09}",
        user_name="siti",
        method=method,
        accepted=True,
        reason="",
        acceptance_id=f"{number:016x}",
        limits="",
    )
    with database.write() as connection:
        access_log.add(connection, [verdict])


def session(
    database: Database,
    nas_id: str,
    number: int,
    *,
    acceptance_id: str | None = None,
    mac: str | None = None,
    account: bool = True,
) -> None:
    with database.write() as connection:
        add_session(
            connection,
            os.urandom(8).hex(),
            nas_id=nas_id,
            nas_scope="gusung-1",
            acct_session_id=f"s{number}",
            mac=f"02:aa:00:00:00:{number:02x}" if mac is None else mac,
            started_at=THEN,
            last_report_at=THEN + timedelta(seconds=1),
            account_id=f"account{number:09}" if account else None,
            acceptance_id=f"{number:016x}" if acceptance_id is None else acceptance_id,
        )


def feed_items(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(feed.c["items"])))


def test_a6_21_nas_that_lets_people_in_and_accounts_for_none_is_noticed_and_nodes_hear_of_it(
    city: Database, keyring: Keyring
) -> None:
    nas_id = add_nas(city, keyring)
    for number in range(5):
        accept(city, nas_id, number)
    before = len(feed_items(city))
    assert judge_accounting(city, now=NOON) == {nas_id: False}
    (hint,) = hints_of_nases(city, keyring, now=NOON)["gusung-1"]
    assert hint == Hint(HintKind.NO_ACCOUNTING, "5 5", 1, NOON, NOON)
    assert feed_items(city)[before:] == [f'{{"nas": ["{nas_id}"]}}']


def test_a6_21_nas_is_told_of_once_and_counted_each_time(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    for number in range(5):
        accept(city, nas_id, number)
    judge_accounting(city, now=NOON)
    assert judge_accounting(city, now=NOON + timedelta(seconds=60)) == {}
    (hint,) = hints_of_nases(city, keyring, now=NOON)["gusung-1"]
    assert (hint.times, hint.first_at, hint.last_at) == (2, NOON, NOON + timedelta(seconds=60))


def test_a6_21_nas_that_accounts_again_is_cleared(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    for number in range(5):
        accept(city, nas_id, number)
    judge_accounting(city, now=NOON)
    later = NOON + timedelta(hours=1)
    accept(city, nas_id, 9, at=later - timedelta(minutes=5))
    session(city, nas_id, 9)
    assert judge_accounting(city, now=later) == {nas_id: True}
    assert hints_of_nases(city, keyring, now=later)["gusung-1"] == ()


def test_a6_21_silence_at_night_changes_nothing(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    for number in range(5):
        accept(city, nas_id, number)
    judge_accounting(city, now=NOON)
    assert judge_accounting(city, now=NOON + timedelta(hours=8)) == {}
    assert len(hints_of_nases(city, keyring, now=NOON + timedelta(hours=8))["gusung-1"]) == 1


def test_a6_21_accounting_of_the_accept_or_of_the_device_counts(city: Database, keyring: Keyring) -> None:
    """Without Class a session is known by its device; one that goes on keeps its first acceptance."""
    nas_id = add_nas(city, keyring)
    for number in range(10):
        accept(city, nas_id, number)
    for number in range(4):
        session(city, nas_id, number)
    for number in range(4, 8):
        session(city, nas_id, number, acceptance_id="of-another-accep", account=False)
    assert judge_accounting(city, now=NOON) == {}
    accept(city, nas_id, 10)
    assert judge_accounting(city, now=NOON) == {nas_id: False}  # 3 of 11


def test_a6_21_accounting_of_the_same_device_elsewhere_or_before_does_not_count(
    city: Database, keyring: Keyring
) -> None:
    nas_id, other = add_nas(city, keyring), add_nas(city, keyring, "gusung-2", identifier="gusung-2")
    for number in range(5):
        accept(city, nas_id, number, at=THEN + timedelta(minutes=1) if number else THEN)
        session(city, nas_id if number else other, number, acceptance_id="of-another-accep", account=False)
    assert judge_accounting(city, now=NOON) == {nas_id: False}


@pytest.mark.parametrize(
    ("seconds_ago", "looked_at"),
    [
        pytest.param(89, False, id="its Start may still come"),
        pytest.param(91, True, id="its Start should have come"),
        pytest.param(689, True, id="within ten minutes"),
        pytest.param(691, False, id="long ago"),
    ],
)
def test_a6_21_accepts_of_ten_minutes_are_looked_at(
    city: Database, keyring: Keyring, seconds_ago: int, looked_at: bool
) -> None:
    nas_id = add_nas(city, keyring)
    for number in range(5):
        accept(city, nas_id, number, at=NOON - timedelta(seconds=seconds_ago))
    assert (judge_accounting(city, now=NOON) == {nas_id: False}) is looked_at


def test_a6_21_logins_that_are_told_by_http_are_no_accepts(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    for number in range(9):
        accept(city, nas_id, number, method=Method.PORTAL)
    assert judge_accounting(city, now=NOON) == {}


def test_notices_of_several_nodes_are_added_up_and_the_newest_detail_holds(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    for detail, times, minute in (("2400", 2, 0), ("2390", 3, 5)):
        with city.write() as connection:
            notice = Notice(nas_id, HintKind.CLOCK_OFF, detail, times)
            hints.add(connection, [notice], now=NOON + timedelta(minutes=minute))
    (hint,) = hints_of_nases(city, keyring, now=NOON)["gusung-1"]
    assert hint == Hint(HintKind.CLOCK_OFF, "2390", 5, NOON, NOON + timedelta(minutes=5))


def test_what_was_seen_long_ago_is_neither_shown_nor_kept(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    with city.write() as connection:
        hints.add(connection, [Notice(nas_id, HintKind.SECRET_MISMATCH, "", 1)], now=NOON)
    later = NOON + SHOWN_FOR[HintKind.SECRET_MISMATCH] + timedelta(seconds=1)
    assert hints_of_nases(city, keyring, now=later)["gusung-1"] == ()
    with city.write() as connection:
        assert hints.prune(connection, now=NOON) == 0
        assert hints.prune(connection, now=later) == 1


def test_removed_nas_leaves_no_hints(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring)
    with city.write() as connection:
        hints.add(connection, [Notice(nas_id, HintKind.DOWNGRADE, "", 1)], now=NOON)
    nases.remove_nas(city, "gusung-1", now=NOON)
    with city.read() as connection:
        assert hints.read_all(connection) == {}


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        pytest.param({}, [], id="well"),
        pytest.param({"require_message_authenticator": Demand.NO}, [], id="a2_02 Proxy-State is limited"),
        pytest.param({"limit_proxy_state": Demand.NO}, [], id="a2_02 learns"),
        pytest.param(
            {"require_message_authenticator": Demand.NO, "limit_proxy_state": Demand.NO},
            [HintKind.UNPROTECTED],
            id="a2_02 both off",
        ),
        pytest.param({"secret": "thirteen-long"}, [], id="a1_17 13 octets"),
        pytest.param({"secret": "twelve-long!"}, [HintKind.SHORT_SECRET], id="a1_17 12 octets"),
    ],
)
def test_what_is_unwise_in_the_registration_is_said(
    city: Database, keyring: Keyring, options: NasOptions, kinds: list[HintKind]
) -> None:
    add_nas(city, keyring, **options)
    assert hints_of_nases(city, keyring, now=NOON) == {"gusung-1": tuple(Hint(kind) for kind in kinds)}


@pytest.mark.parametrize(
    ("options", "protections", "kinds"),
    [
        pytest.param({}, Protections(Demand.NO, Demand.NO), [HintKind.UNPROTECTED], id="both are off for all"),
        pytest.param({}, Protections(Demand.YES, Demand.NO), [], id="all must sign"),
        pytest.param({}, Protections(Demand.NO, Demand.AUTO), [], id="Proxy-State is limited"),
        pytest.param({"limit_proxy_state": Demand.YES}, Protections(Demand.NO, Demand.NO), [], id="its own yes"),
        pytest.param(
            {"require_message_authenticator": Demand.NO, "limit_proxy_state": Demand.NO},
            Protections(Demand.YES, Demand.YES),
            [HintKind.UNPROTECTED],
            id="its own no",
        ),
    ],
)
def test_a2_01_what_is_in_force_is_judged(
    city: Database, keyring: Keyring, options: NasOptions, protections: Protections, kinds: list[HintKind]
) -> None:
    add_nas(city, keyring, **options)
    found = hints_of_nases(city, keyring, now=NOON, protections=protections)
    assert found == {"gusung-1": tuple(Hint(kind) for kind in kinds)}


def test_a2_02_learning_that_nothing_is_signed_is_no_protection(city: Database, keyring: Keyring) -> None:
    nas_id = add_nas(city, keyring, limit_proxy_state=Demand.NO)
    with city.write() as connection:
        connection.execute(
            nases_table.update().where(nases_table.c.id == nas_id).values(learned_message_authenticator=False)
        )
    assert hints_of_nases(city, keyring, now=NOON) == {"gusung-1": (Hint(HintKind.UNPROTECTED),)}


def test_a1_17_the_same_secret_twice_is_said_of_both(city: Database, keyring: Keyring) -> None:
    for name in ("gusung-1", "gusung-2"):
        add_nas(city, keyring, name, identifier=name)
    add_nas(city, keyring, "gusung-3", secret="another-secret-of-3")
    found = hints_of_nases(city, keyring, now=NOON)
    assert [name for name, of_nas in found.items() if Hint(HintKind.SHARED_SECRET) in of_nas] == [
        "gusung-1",
        "gusung-2",
    ]
