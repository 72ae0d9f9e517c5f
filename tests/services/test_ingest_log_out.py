"""A log-out at the router ends the resume grant of the device that logged out, and nobody else's."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from app.db import resume
from app.db.engine import Database
from app.db.tables.changes import feed
from app.db.tables.sites import sites
from app.domain.reports import SessionReport
from app.domain.resume import ResumeGrant
from tests.factories import MAC, NOON, make_report
from tests.services.ingesting import ACCOUNT, START, STOP, city, column, say

__all__ = ["city"]


def remember(database: Database, *, made: datetime = NOON, site: str | None = None) -> None:
    grant = ResumeGrant(MAC, ACCOUNT, site, NOON + timedelta(hours=12))
    with database.write() as connection:
        resume.keep(connection, f"grant-{site}", grant, now=made)


def remembered(database: Database) -> bool:
    with database.read() as connection:
        return resume.of_macs(connection, [MAC], now=NOON)[MAC] != []


def log_out(minute: float = 10, **change: Any) -> SessionReport:
    return make_report(STOP, minute=minute, **{"cause": "User-Request", **change})


def test_log_out_at_the_router_ends_the_resume_grant(city: Database) -> None:
    remember(city)
    say(city, make_report(START))
    assert remembered(city)
    say(city, log_out())
    assert not remembered(city)
    told = [json.loads(str(items)) for (items,) in column(city, feed, "items")]
    assert told[-1]["resume"] == [MAC]


@pytest.mark.parametrize(
    "cause",
    ["Lost-Carrier", "Idle-Timeout", "Session-Timeout", "Admin-Reset", "NAS-Reboot", "NAS-Request", "Quota", "", None],
)
def test_who_did_not_log_out_may_come_back(city: Database, cause: str | None) -> None:
    remember(city)
    say(city, make_report(START), log_out(cause=cause))
    assert remembered(city)


def test_log_out_of_a_session_that_is_not_ours_ends_nothing(city: Database) -> None:
    remember(city)
    say(city, log_out(account_id=None, user_name="stranger"))
    say(city, log_out(mac="02:aa:00:00:00:09"))
    assert remembered(city)


def test_log_out_ends_no_grant_of_another_site(city: Database) -> None:
    with city.write() as connection:
        connection.execute(insert(sites).values(id="other", name="Melahing", created_at=NOON))
    remember(city, site="other")
    say(city, log_out())
    assert remembered(city)
    remember(city, site="site")
    say(city, log_out(acct_session_id="80100002"))
    with city.read() as connection:
        assert [grant.site_id for grant in resume.live(connection, now=NOON)] == ["other"]


def test_stop_of_before_ends_no_later_login(city: Database) -> None:
    say(city, log_out())
    remember(city, made=NOON + timedelta(minutes=11))
    say(city, log_out())
    assert remembered(city), "the same Stop again"
    remember(city, made=NOON + timedelta(minutes=50))
    say(city, log_out(acct_session_id="80100002"))
    assert remembered(city), "a Stop that comes late"
