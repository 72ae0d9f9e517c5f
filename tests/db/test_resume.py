"""Resume grants as they are stored."""

from datetime import timedelta

import pytest

from app.db import accounts, plans, resume, sites
from app.db.engine import Database
from app.domain.resume import ResumeGrant
from app.domain.users import AccountKind
from tests.factories import MAC, NOON

ACCOUNT, SITE, PLAN = "userauserauserau", "sitesitesitesite", "planplanplanplan"
HOUR = timedelta(hours=1)


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
