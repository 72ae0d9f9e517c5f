"""Sessions and usage as people and scripts see them."""

import os
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from app.db.engine import Database
from app.db.tables.accounts import accounts
from app.db.tables.accounts import users as users_table
from app.db.tables.plans import plans
from app.db.tables.sites import sites
from app.domain.local_time import WITA
from app.domain.quotas import Period
from app.domain.reports import Reported, ReportKind, SessionReport
from app.domain.sessions import SessionState
from app.domain.spending import Used
from app.services.errors import NotFound
from app.services.ingest import merge
from app.services.sessions import (
    SessionTotals,
    StateFilter,
    list_sessions,
    session_totals,
    show_session,
)
from app.services.usage import usage_of
from tests.factories import MAC, NOON, make_report
from tests.rows import add_nas

INTERIM, STOP = ReportKind.INTERIM, ReportKind.STOP
ACCOUNT, GUEST = "userauserauserau", "guestaguestagues"


@pytest.fixture
def city(database: Database) -> Database:
    """One user's open session, a guest's closed one, and one that nobody knows, at a NAS that is gone."""
    with database.write() as connection:
        connection.execute(insert(plans).values(id="plan", name="Warga", created_at=NOON))
        connection.execute(insert(sites).values(id="site", name="Gusung", created_at=NOON))
        for account_id, kind in ((ACCOUNT, "user"), (GUEST, "guest")):
            connection.execute(insert(accounts).values(id=account_id, kind=kind, plan_id="plan", created_at=NOON))
        connection.execute(
            insert(users_table).values(account_id=ACCOUNT, username="siti", name="Siti", created_at=NOON)
        )
        add_nas(connection)
    say(database, make_report(INTERIM, minute=5, up=10, down=2**33))
    say(
        database,
        make_report(STOP, minute=9, up=1, down=2, account_id=GUEST, acct_session_id="2", cause="Idle-Timeout"),
        make_report(INTERIM, minute=3, up=5, down=6, account_id=None, acct_session_id="3", nas_id="gonegonegonegone"),
    )
    return database


def say(database: Database, *reports: SessionReport) -> None:
    items = [Reported(report, b"", NOON, "", report.nas_id) for report in reports]
    merge(database, items, position=None, origin="http", zone=WITA, now=NOON, chance=os.urandom)


def test_an_open_session_says_all_that_is_known(city: Database) -> None:
    (session,) = list_sessions(city, user="siti")
    assert (session.user, session.device, session.nas, session.site) == ("siti", MAC, "gusung-1", "Gusung")
    assert (session.acct_session_id, session.ip, session.state) == ("80100001", "10.5.50.2", SessionState.OPEN)
    assert (session.started_at, session.ended_at, session.session_time) == (NOON, None, 300)
    assert (session.up_octets, session.down_octets, session.terminate_cause) == (10, 2**33, None)
    assert session.flags == ()
    assert show_session(city, session.id) == session


@pytest.mark.parametrize(
    ("state", "users"),
    [
        pytest.param(StateFilter.OPEN, {"siti", None}, id="open"),
        pytest.param(StateFilter.CLOSED, {GUEST}, id="closed"),
        pytest.param(StateFilter.ALL, {"siti", GUEST, None}, id="all"),
    ],
)
def test_sessions_are_listed_by_state(city: Database, state: StateFilter, users: set[str | None]) -> None:
    assert {session.user for session in list_sessions(city, state=state)} == users


def test_sessions_are_listed_by_nas_and_by_account(city: Database) -> None:
    assert len(list_sessions(city, state=StateFilter.ALL, nas="gusung-1")) == 2
    (closed,) = list_sessions(city, state=StateFilter.ALL, user=GUEST)
    assert (closed.terminate_cause, closed.ended_at) == ("Idle-Timeout", NOON + timedelta(minutes=9))


def test_sessions_come_in_pages(city: Database) -> None:
    pages = [list_sessions(city, state=StateFilter.ALL, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert len({session.id for page in pages for session in page}) == 3


@pytest.mark.parametrize(
    "asked", [pytest.param({"user": "nobody"}, id="user"), pytest.param({"nas": "nothing"}, id="nas")]
)
def test_what_is_not_there_is_not_found(city: Database, asked: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        list_sessions(city, user=asked.get("user"), nas=asked.get("nas"))
    assert show_session(city, "nothing") is None


def test_an_unmatched_session_is_nobodys_and_names_its_nas_by_id(city: Database) -> None:
    (session,) = (s for s in list_sessions(city) if s.user is None)
    assert (session.nas, session.site, session.flags) == ("gonegonegonegone", None, ("unmatched",))


def test_totals_include_unmatched_sessions(city: Database) -> None:
    assert session_totals(city) == SessionTotals(sessions=3, open=2, closed=1, up_octets=16, down_octets=2**33 + 8)


def test_totals_of_nothing(database: Database) -> None:
    assert session_totals(database) == SessionTotals(0, 0, 0, 0, 0)


def test_usage_is_counted_by_local_day_and_month(city: Database) -> None:
    def periods_with_use(user: str, now: datetime) -> set[Period]:
        found = usage_of(city, user, now=now, zone=WITA)
        assert found is not None
        assert (found.user, found.account_id) == ("siti", ACCOUNT)
        assert set(found.periods.values()) <= {Used(), used}
        return {period for period, one in found.periods.items() if one == used}

    used = Used(10, 2**33, 300)
    assert periods_with_use("Siti", NOON) == set(Period)
    assert periods_with_use(ACCOUNT, NOON + timedelta(hours=12)) == set(Period) - {Period.DAY}
    assert periods_with_use("siti", NOON + timedelta(days=7)) == {Period.TOTAL}


def test_usage_of_nobody(city: Database) -> None:
    assert usage_of(city, "nobody", now=NOON, zone=WITA) is None
