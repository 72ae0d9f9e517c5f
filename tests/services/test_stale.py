"""Sessions that nobody speaks of any more end where they were last heard of, and come back with news."""

import os
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from app.db.engine import Database
from app.db.tables.accounts import accounts
from app.db.tables.changes import feed
from app.db.tables.plans import plans
from app.db.tables.sessions import sessions
from app.db.tables.sites import sites
from app.domain.local_time import WITA
from app.domain.reports import Reported, ReportKind, SessionReport
from app.services.ingest import merge
from app.services.stale import close_stale, close_superseded
from tests.factories import NOON, make_report
from tests.rows import NAS, add_nas

INTERIM, STOP = ReportKind.INTERIM, ReportKind.STOP
LONG_AGO = NOON - timedelta(days=1)
ACCOUNT = "userauserauserau"


def add_city(database: Database, *, plan_interim: int | None, site_interim: int) -> None:
    with database.write() as connection:
        connection.execute(insert(plans).values(id="plan", name="Warga", interim_seconds=plan_interim, created_at=NOON))
        connection.execute(
            insert(sites).values(id="site", name="Gusung", interim_seconds=site_interim, created_at=NOON)
        )
        connection.execute(insert(accounts).values(id=ACCOUNT, kind="user", plan_id="plan", created_at=NOON))
        add_nas(connection)


@pytest.fixture
def city(database: Database) -> Database:
    add_city(database, plan_interim=None, site_interim=60)
    return database


def say(database: Database, *reports: SessionReport) -> None:
    items = [Reported(report, b"", NOON, "", NAS) for report in reports]
    merge(database, items, position=None, origin="http", zone=WITA, now=NOON, chance=os.urandom)


def state(database: Database) -> tuple[str, datetime | None, str]:
    with database.read() as connection:
        row = connection.execute(select(sessions)).one()
    return row.state, row.stopped_at, row.flags


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("minute", "closed"),
    [
        pytest.param(24.9, 0, id="just under"),
        pytest.param(25, 1, id="at the bound"),
        pytest.param(26, 1, id="over"),
    ],
)
def test_a6_14_fifteen_minutes_of_silence_end_a_session_at_its_last_report(
    city: Database, minute: float, closed: int
) -> None:
    say(city, make_report(INTERIM, minute=10))
    assert close_stale(city, now=at(minute), receiving_since=LONG_AGO) == closed
    assert state(city) == (("closed", at(10), "estimated") if closed else ("open", None, ""))


@pytest.mark.parametrize(
    ("plan_interim", "site_interim", "minute", "closed"),
    [
        pytest.param(None, 600, 39, 0, id="site: under three intervals"),
        pytest.param(None, 600, 40, 1, id="site: three intervals"),
        pytest.param(1_200, 60, 69, 0, id="plan: under three intervals"),
        pytest.param(1_200, 60, 70, 1, id="plan: three intervals"),
    ],
)
def test_a6_14_three_intervals_are_waited_for(
    database: Database, plan_interim: int | None, site_interim: int, minute: int, closed: int
) -> None:
    add_city(database, plan_interim=plan_interim, site_interim=site_interim)
    say(database, make_report(INTERIM, minute=10))
    assert close_stale(database, now=at(minute), receiving_since=LONG_AGO) == closed


@pytest.mark.parametrize(
    ("receiving_since", "closed"),
    [pytest.param(46, 0, id="not long enough"), pytest.param(45, 1, id="long enough")],
)
def test_a6_14_our_own_silence_ends_nothing(city: Database, receiving_since: int, closed: int) -> None:
    say(city, make_report(INTERIM, minute=10))
    assert close_stale(city, now=at(60), receiving_since=at(receiving_since)) == closed


def test_a_later_stop_replaces_the_estimate(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10))
    close_stale(city, now=at(60), receiving_since=LONG_AGO)
    say(city, make_report(STOP, minute=12, cause="Lost-Carrier"))
    assert state(city) == ("closed", at(12), "")


def test_a_later_interim_reopens(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10))
    close_stale(city, now=at(60), receiving_since=LONG_AGO)
    say(city, make_report(INTERIM, minute=59))
    assert state(city) == ("open", None, "")


def test_closed_sessions_stay_as_they_are(city: Database) -> None:
    say(city, make_report(STOP, minute=10))
    assert close_stale(city, now=at(60), receiving_since=LONG_AGO) == 0


def test_nodes_are_told_of_sessions_that_ended(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10))
    close_stale(city, now=at(60), receiving_since=LONG_AGO)
    with city.read() as connection:
        (session_id,) = connection.scalars(select(sessions.c.id))
        *_, told = connection.scalars(select(feed.c["items"]).order_by(feed.c.seq))
    assert session_id in told


@pytest.mark.parametrize(
    ("second", "closed"),
    [
        pytest.param(make_report(acct_session_id="2", begins_at=at(5.1)), 1, id="began after the last report"),
        pytest.param(make_report(acct_session_id="2", begins_at=at(4.9)), 0, id="began before the last report"),
        pytest.param(make_report(acct_session_id="2", begins_at=at(6), nas_scope="elsewhere"), 1, id="at another NAS"),
        pytest.param(
            make_report(acct_session_id="2", begins_at=at(6), mac="02:aa:00:00:00:02"), 0, id="another device"
        ),
        pytest.param(make_report(acct_session_id="2", begins_at=at(6), mac=""), 0, id="no device named"),
    ],
)
# A6.17, D08
def test_session_is_superseded_by_a_newer_one_of_its_device(city: Database, second: SessionReport, closed: int) -> None:
    say(city, make_report(INTERIM, minute=5, down=7), second)
    assert close_superseded(city, now=at(7)) == closed


# D08
def test_superseded_session_ends_at_its_last_report_and_comes_back_with_news(city: Database) -> None:
    say(city, make_report(INTERIM, minute=5, down=7), make_report(acct_session_id="2", begins_at=at(6)))
    close_superseded(city, now=at(7))
    with city.read() as connection:
        rows = connection.execute(select(sessions).order_by(sessions.c.started_at)).all()
    assert [(row.state, row.stopped_at) for row in rows] == [("closed", at(5)), ("open", None)]
    say(city, make_report(INTERIM, minute=8, down=9))
    with city.read() as connection:
        assert set(connection.scalars(select(sessions.c.state))) == {"open"}
