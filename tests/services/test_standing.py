"""How a person stands: quotas with what is used of them, and the last refusals."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.db import access_log, usage
from app.db.engine import Database
from app.domain.access import DenialReason
from app.domain.local_time import WITA
from app.domain.nases import Family
from app.domain.reports import Decided, Method
from app.domain.usage import DayUsage
from app.services.errors import NotFound
from app.services.keyring import Keyring
from app.services.nases import add_nas, remove_nas
from app.services.plans import add_plan
from app.services.sites import add_site
from app.services.standing import Standing, standing_of
from app.services.users import add_user
from tests.factories import MAC, NOON

DAY = timedelta(days=1)


@pytest.fixture
def account_id(database: Database, keyring: Keyring, chance: Callable[[int], bytes]) -> str:
    add_plan(database, "Warga", now=NOON, chance=chance, daily_octets=100, total_octets=1_000)
    return add_user(database, keyring, "siti", password=None, now=NOON, chance=chance).account.id


def standing(database: Database, now: datetime = NOON) -> Standing:
    return standing_of(database, "siti", now=now, zone=WITA)


def test_quota_says_what_is_used_and_until_when_it_is_used_up(database: Database, account_id: str) -> None:
    today = NOON.astimezone(WITA).date()
    with database.write() as connection:
        usage.add(connection, {(account_id, today): DayUsage(30, 70), (account_id, today - DAY): DayUsage(0, 400)})
    day, total = standing(database).quotas
    assert (day.used, day.used_up, total.used, total.used_up) == (100, True, 500, False)
    assert day.renewed_at is not None
    assert day.renewed_at.astimezone(WITA).isoformat() == f"{today + DAY}T00:00:00+08:00"
    assert total.renewed_at is None
    assert [quota.used for quota in standing(database, NOON + DAY).quotas] == [0, 500]


def test_last_refusals_of_the_account_are_told_the_newest_first(
    database: Database, keyring: Keyring, chance: Callable[[int], bytes], account_id: str
) -> None:
    add_site(database, "Gusung", now=NOON, chance=chance)
    where = {"address": "10.20.0.2", "family": Family.MIKROTIK, "site": "Gusung"}
    nas = add_nas(database, keyring, "gusung-1", now=NOON, chance=chance, **where).nas  # type: ignore[arg-type]

    def said(minute: int, reason: str, account: str | None = account_id) -> Decided:
        at = NOON + timedelta(minutes=minute)
        return Decided(at, nas.id, MAC, account, "siti", Method.PASSWORD, accepted=not reason, reason=reason)

    with database.write() as connection:
        access_log.add(connection, [said(-60 * 24 * 31, "expired"), *(said(n, "wrong_credentials") for n in range(5))])
        access_log.add(connection, [said(7, ""), said(8, "suspended"), said(9, "expired", None)])
    refusals = standing(database).refusals
    assert [(each.at - NOON).seconds // 60 for each in refusals] == [8, 4, 3, 2, 1]
    assert (refusals[0].nas, refusals[0].mac, refusals[0].reason) == ("gusung-1", MAC, DenialReason.SUSPENDED)
    remove_nas(database, "gusung-1", now=NOON)
    assert standing(database).refusals[0].nas is None


def test_nobody_has_no_standing(database: Database) -> None:
    with pytest.raises(NotFound):
        standing(database)
