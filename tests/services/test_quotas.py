"""Quotas of one person, and what open sessions are told about them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from app.db.engine import Database
from app.db.tables.changes import changes
from app.db.tables.sessions import usage
from app.domain.changes import ChangeKind, ChangeState
from app.domain.local_time import WITA, local_day
from app.domain.policies import EffectiveQuota, Origin, Policy
from app.domain.quotas import Measure, Period, Quota, Tally
from app.domain.users import User
from app.services import resume
from app.services.changes import LOGGED_OUT
from app.services.errors import Invalid, NotFound
from app.services.keyring import Keyring
from app.services.plans import add_plan
from app.services.quotas import change_quotas
from app.services.users import add_user, remove_user, show_user, suspend_user
from tests.factories import MAC, NOON, by_tally
from tests.rows import add_session

Chance = Callable[[int], bytes]
MB = 1_000_000
SESSION = "sessionasessiona"


@pytest.fixture
def user(database: Database, keyring: Keyring, chance: Chance) -> User:
    add_plan(database, "Warga", now=NOON, chance=chance, daily_octets=500 * MB)
    return add_user(database, keyring, "siti", password=None, now=NOON, chance=chance)


@pytest.fixture
def give(database: Database, user: User, chance: Chance) -> Callable[..., Policy]:
    def give(octets: int, period: Period = Period.DAY, **values: str) -> Policy:
        return change_quotas(
            database,
            "siti",
            by_tally(Quota(period, octets)),
            **({"reason": "sekolah", "author": "admin"} | values),  # type: ignore[arg-type] # until is no text
            zone=WITA,
            now=NOON,
            chance=chance,
        )

    return give


def open_session(database: Database, user: User, *, used: int) -> None:
    with database.write() as connection:
        add_session(connection, SESSION, account_id=user.account.id)
        connection.execute(
            insert(usage).values(account_id=user.account.id, day=local_day(NOON, WITA), up_octets=0, down_octets=used)
        )


def queued(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        rows = connection.execute(select(changes).where(changes.c.state == ChangeState.PENDING.value))
        return [(row.kind, row.reason) for row in rows]


def test_own_quota_replaces_the_plans_of_its_period(give: Callable[..., Policy]) -> None:
    assert give(900 * MB).quotas == (EffectiveQuota(Quota(Period.DAY, 900 * MB), Origin.USER, "sekolah"),)


def test_own_quota_of_another_period_stands_beside_the_plans(give: Callable[..., Policy]) -> None:
    assert [quota.origin for quota in give(5_000 * MB, Period.MONTH).quotas] == [Origin.PLAN, Origin.USER]


def test_second_quota_of_a_period_replaces_the_first(
    database: Database, user: User, give: Callable[..., Policy]
) -> None:
    give(900 * MB)
    give(100 * MB, reason="lagi")
    stored = show_user(database, "siti", now=NOON)
    assert stored.account.policy.quotas == (EffectiveQuota(Quota(Period.DAY, 100 * MB), Origin.USER, "lagi"),)
    assert stored.account.version == user.account.version + 2


def test_quota_with_an_end_gives_way_to_the_plans(database: Database, give: Callable[..., Policy]) -> None:
    give(900 * MB, until=NOON + timedelta(days=1))
    before = show_user(database, "siti", now=NOON + timedelta(days=1) - timedelta(seconds=1))
    after = show_user(database, "siti", now=NOON + timedelta(days=1))
    assert before.account.policy.quotas[0].origin is Origin.USER
    assert after.account.policy.quotas[0].origin is Origin.PLAN


def test_quota_taken_back_leaves_the_plans(database: Database, give: Callable[..., Policy], chance: Chance) -> None:
    give(900 * MB)
    policy = change_quotas(database, "siti", {Tally(Period.DAY, Measure.BOTH): ()}, zone=WITA, now=NOON, chance=chance)
    assert policy.quotas == (EffectiveQuota(Quota(Period.DAY, 500 * MB), Origin.PLAN),)
    with pytest.raises(NotFound):
        change_quotas(database, "siti", {Tally(Period.DAY, Measure.BOTH): ()}, zone=WITA, now=NOON, chance=chance)


@pytest.mark.parametrize(
    ("week", "error"), [((Quota(Period.WEEK, -1),), Invalid), ((), NotFound)], ids=["impossible", "not there"]
)
def test_either_all_quotas_change_or_none(
    database: Database,
    user: User,
    chance: Chance,
    week: tuple[Quota, ...],
    error: type[Exception],
) -> None:
    given = {Tally(Period.DAY, Measure.BOTH): (Quota(Period.DAY, 1),), Tally(Period.WEEK, Measure.BOTH): week}
    with pytest.raises(error):
        change_quotas(database, "siti", given, reason="ujian", author="admin", zone=WITA, now=NOON, chance=chance)
    assert show_user(database, "siti", now=NOON).account == user.account


@pytest.mark.parametrize(
    ("octets", "values", "field"),
    [
        (-1, {}, "quotas"),
        (1, {"reason": " "}, "reason"),
        (1, {"author": ""}, "author"),
        (1, {"reason": "x" * 201}, "reason"),
        (1, {"until": NOON}, "until"),
    ],
    ids=["negative", "no reason", "no author", "long reason", "ends now"],
)
def test_impossible_quota_is_refused(
    give: Callable[..., Policy], octets: int, values: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        give(octets, **values)
    assert caught.value.field == field


def test_nobodys_quota_is_not_found(database: Database, chance: Chance) -> None:
    with pytest.raises(NotFound):
        change_quotas(
            database, "siti", by_tally(Quota(Period.DAY, 1)), reason="a", author="b", zone=WITA, now=NOON, chance=chance
        )


def test_open_session_ends_when_less_is_given_than_was_used(
    database: Database, user: User, give: Callable[..., Policy]
) -> None:
    open_session(database, user, used=200 * MB)
    give(200 * MB)
    give(199 * MB)
    assert queued(database) == [(ChangeKind.DISCONNECT, "quota_exhausted")]


def test_open_session_goes_on_when_more_is_given_again(
    database: Database, user: User, give: Callable[..., Policy]
) -> None:
    open_session(database, user, used=200 * MB)
    give(200 * MB)
    give(201 * MB)
    assert queued(database) == [(ChangeKind.CHANGE, "policy")]


def test_more_quota_does_not_undo_a_log_out(
    database: Database, user: User, give: Callable[..., Policy], chance: Chance
) -> None:
    open_session(database, user, used=0)
    resume.log_out(database, user.account.id, MAC, now=NOON, chance=chance)
    give(900 * MB)
    assert (ChangeKind.DISCONNECT, LOGGED_OUT) in queued(database)


@pytest.mark.parametrize("act", ["suspend", "remove"])
def test_open_session_of_whoever_may_not_ends(database: Database, user: User, chance: Chance, act: str) -> None:
    open_session(database, user, used=0)
    if act == "suspend":
        suspend_user(database, "siti", suspended=True, zone=WITA, now=NOON, chance=chance)
    else:
        remove_user(database, "siti", zone=WITA, now=NOON, chance=chance)
    assert [kind for kind, _ in queued(database)] == [ChangeKind.DISCONNECT]
