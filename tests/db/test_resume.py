"""Resume grants as they are stored."""

from datetime import timedelta

import pytest

from app.db import accounts, plans, resume, sites
from app.db.engine import Database
from app.db.resume import Used
from app.domain.resume import ResumeGrant
from app.domain.users import AccountKind
from tests.factories import MAC, NOON

ACCOUNT, SITE, PLAN = "userauserauserau", "sitesitesitesite", "planplanplanplan"
OTHER_ACCOUNT = "userbuserbuserbu"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _account(database: Database) -> None:
    with database.write() as connection:
        plans.add(connection, PLAN, "Warga", {}, now=NOON)
        sites.add(connection, SITE, "Gusung", {"interim_seconds": 60}, now=NOON)
        accounts.add(connection, ACCOUNT, AccountKind.USER, plan_id=PLAN, now=NOON)


def grants(database: Database) -> list[ResumeGrant]:
    with database.read() as connection:
        return resume.live(connection, now=NOON)


@pytest.mark.parametrize("site_id", [SITE, None], ids=["one site", "every site"])
def test_second_login_moves_the_end_of_the_same_grant(database: Database, site_id: str | None) -> None:
    with database.write() as connection:
        for number, ends_in in enumerate((2 * HOUR, HOUR)):
            grant = ResumeGrant(MAC, ACCOUNT, site_id, NOON + ends_in)
            resume.keep(connection, f"grant{number}", grant, now=NOON)
    assert grants(database) == [ResumeGrant(MAC, ACCOUNT, site_id, NOON + HOUR)]


def test_grants_of_one_site_and_of_every_site_stand_side_by_side(database: Database) -> None:
    with database.write() as connection:
        for number, site_id in enumerate((SITE, None)):
            resume.keep(connection, f"grant{number}", ResumeGrant(MAC, ACCOUNT, site_id, NOON + HOUR), now=NOON)
    assert {grant.site_id for grant in grants(database)} == {SITE, None}


def test_log_out_ends_every_grant_of_the_device(database: Database) -> None:
    with database.write() as connection:
        resume.keep(connection, "grant1", ResumeGrant(MAC, ACCOUNT, SITE, NOON + HOUR), now=NOON)
        resume.keep(connection, "grant2", ResumeGrant("02:aa:00:00:00:02", ACCOUNT, SITE, NOON + HOUR), now=NOON)
        assert resume.end_for_mac(connection, MAC) == 1
    assert [grant.mac for grant in grants(database)] == ["02:aa:00:00:00:02"]


def test_ended_grants_are_forgotten_a_few_at_a_time(database: Database) -> None:
    with database.write() as connection:
        for number in range(5):
            grant = ResumeGrant(f"02:aa:00:00:00:0{number}", ACCOUNT, None, NOON + number * HOUR - HOUR)
            resume.keep(connection, f"grant{number}", grant, now=NOON)
        assert resume.forget_ended(connection, now=NOON, limit=1) == 1
        assert resume.forget_ended(connection, now=NOON) == 1
        assert resume.forget_ended(connection, now=NOON) == 0
    assert len(grants(database)) == 3


def pending(database: Database, nonce: str, *, account: str = ACCOUNT, minute: int = 0) -> Used:
    with database.write() as connection:
        grant = ResumeGrant(MAC, account, None, NOON + 3 * HOUR)
        resume.keep(connection, nonce, grant, now=NOON + minute * MINUTE, awaits=nonce)
    return Used(MAC, account, nonce)


def begin(database: Database, *used: Used) -> None:
    with database.write() as connection:
        resume.begin(connection, used)


def test_pending_grant_is_none_until_its_ticket_is_used(database: Database) -> None:
    used = pending(database, "nonce222")
    assert grants(database) == []
    begin(database, used._replace(nonce="nonce333"), used._replace(mac="02:aa:00:00:00:02"))
    assert grants(database) == []
    begin(database, used, used)
    assert grants(database) == [ResumeGrant(MAC, ACCOUNT, None, NOON + 3 * HOUR)]


def test_grant_that_begins_ends_what_the_device_had(database: Database) -> None:
    with database.write() as connection:
        accounts.add(connection, OTHER_ACCOUNT, AccountKind.USER, plan_id=PLAN, now=NOON)
        resume.keep(connection, "grant1", ResumeGrant(MAC, OTHER_ACCOUNT, SITE, NOON + HOUR), now=NOON)
    used = pending(database, "nonce222", minute=1)
    assert [grant.account_id for grant in grants(database)] == [OTHER_ACCOUNT]
    begin(database, used)
    assert [grant.account_id for grant in grants(database)] == [ACCOUNT]


def test_tickets_merged_in_the_wrong_order_leave_the_later_login(database: Database) -> None:
    with database.write() as connection:
        accounts.add(connection, OTHER_ACCOUNT, AccountKind.USER, plan_id=PLAN, now=NOON)
    earlier, later = pending(database, "nonce222", account=OTHER_ACCOUNT), pending(database, "nonce333", minute=1)
    begin(database, later)
    begin(database, earlier)
    assert [grant.account_id for grant in grants(database)] == [ACCOUNT]


def test_pending_grant_is_forgotten_after_a_day(database: Database) -> None:
    with database.write() as connection:
        grant = ResumeGrant(MAC, ACCOUNT, None, NOON + 720 * HOUR)
        resume.keep(connection, "grant1", grant, now=NOON, awaits="nonce222")
        resume.keep(connection, "grant2", grant, now=NOON)
        assert resume.forget_ended(connection, now=NOON + 23 * HOUR) == 0
        assert resume.forget_ended(connection, now=NOON + 24 * HOUR) == 1
    assert len(grants(database)) == 1
