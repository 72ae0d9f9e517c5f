"""A device that runs short of its slice is granted another before its router cuts it, and nobody gets more by that."""

import dataclasses
import json
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from app.db import hints
from app.db.engine import Database
from app.db.hints import Notice
from app.db.tables.accounts import accounts
from app.db.tables.changes import changes
from app.db.tables.plans import plan_quotas, plans
from app.db.tables.sessions import sessions
from app.db.tables.sites import site_quotas, sites
from app.domain.access import Grant
from app.domain.granted import LEAST_OCTETS, Limits, Slice, exceeds, rest_of, runs_short, slice_of
from app.domain.hints import HintKind
from app.domain.local_time import WITA
from app.domain.reports import Decided, Item, Method, Reported, ReportKind
from app.services.ingest import merge
from tests.factories import MAC, NOON, make_report
from tests.rows import NAS, add_nas

START, INTERIM, STOP = ReportKind.START, ReportKind.INTERIM, ReportKind.STOP
ACCOUNT = "userauserauserau"
OTHER = "02:aa:00:00:00:02"
UNIT = 10_000  # octets, in which tests count: slices of less than a megabyte are no smaller
QUOTA = 1_200


class Home:
    """A person with 1,200 units a day and two devices at one router: one there before, one that came second."""

    def __init__(self, database: Database, *, family: str = "coovachilli") -> None:
        self.database = database
        with database.write() as connection:
            connection.execute(insert(plans).values(id="plan", name="Warga", created_at=NOON))
            connection.execute(
                insert(plan_quotas).values(plan_id="plan", period="day", measure="both", amount=QUOTA * UNIT)
            )
            connection.execute(insert(sites).values(id="site", name="Gusung", created_at=NOON))
            connection.execute(
                insert(accounts).values(id=ACCOUNT, kind="user", plan_id="plan", created_at=NOON, version=1)
            )
            add_nas(connection, family=family)
        self.let_in(MAC, octets=QUOTA)

    def let_in(self, mac: str, *, octets: int | None) -> None:
        """Let a device log in; its router is told to cut it after so much."""
        limits = {"interim_seconds": 60} | ({} if octets is None else {"octets": octets * UNIT})
        accept = Decided(NOON, NAS, mac, ACCOUNT, ACCOUNT, Method.RESUME, accepted=True, acceptance_id=_acceptance(mac))
        self.merge([dataclasses.replace(accept, limits=json.dumps(limits))], NOON)
        self.report(mac, 0, minute=0, kind=START)

    def report(self, mac: str, used: int, *, minute: float, kind: ReportKind = INTERIM, late: float = 0) -> None:
        """Let a device report what it has used since its session began."""
        report = make_report(
            kind, minute=minute, down=used * UNIT, mac=mac, acct_session_id=mac, acceptance_id=_acceptance(mac)
        )
        at = NOON + timedelta(minutes=minute + late)
        self.merge([Reported(report, b"packet", at, "127.0.0.1:40000", NAS)], at)

    def merge(self, items: Sequence[Item], now: datetime) -> None:
        merge(self.database, items, position=None, origin="", zone=WITA, now=now, chance=os.urandom)

    def told(self) -> list[tuple[str, str]]:
        """Return whom a slice was queued for, and where that stands."""
        query = (
            select(sessions.c.mac, changes.c.state)
            .join(sessions, sessions.c.id == changes.c.session_id)
            .where(changes.c.reason == "slice")
            .order_by(changes.c.created_at, sessions.c.mac)
        )
        with self.database.read() as connection:
            return [(mac, state) for mac, state in connection.execute(query)]

    def take(self, **octets: int) -> None:
        """Let the router have taken what is queued: it holds MAC and OTHER to so much from their start on."""
        macs = {MAC: octets["first"], OTHER: octets["second"]}
        with self.database.write() as connection:
            ids = {row.mac: row.id for row in connection.execute(select(sessions)) if row.state == "open"}
            for mac, most in macs.items():
                payload = json.dumps({"octets": most * UNIT, "interim_seconds": 60})
                connection.execute(
                    update(changes)
                    .where(changes.c.session_id == ids[mac], changes.c.state == "pending")
                    .values(state="done", payload=payload, finished_at=changes.c.created_at)
                )

    def finish(self, state: str) -> None:
        with self.database.write() as connection:
            connection.execute(update(changes).values(state=state, finished_at=NOON))


def _acceptance(mac: str) -> str:
    return "8000000000000" + mac.replace(":", "")[-3:]


@pytest.fixture
def home(database: Database) -> Home:
    found = Home(database)
    found.let_in(OTHER, octets=600)
    return found


def test_device_that_runs_short_is_granted_anew_and_who_holds_more_than_its_part_is_lowered(home: Home) -> None:
    home.report(OTHER, 400, minute=1)  # 200 remain of its slice, and half of what is left is 400
    assert home.told() == []
    home.report(OTHER, 401, minute=2)
    assert home.told() == [(MAC, "pending"), (OTHER, "pending")]


def test_who_holds_no_more_than_its_part_is_not_told(home: Home) -> None:
    home.report(OTHER, 401, minute=1)
    home.take(first=240, second=800)
    home.report(OTHER, 700, minute=5)
    assert home.told()[2:] == [(OTHER, "pending")]  # 100 remain, its part are 250; the other one has 240


def test_device_is_told_of_what_the_other_one_leaves(home: Home) -> None:
    home.report(MAC, 0, minute=1, kind=STOP)
    assert home.told() == []
    home.report(OTHER, 10, minute=1)
    assert home.told() == [(OTHER, "pending")]


def test_device_alone_is_told_nothing_that_it_holds_already(database: Database) -> None:
    alone = Home(database)
    for minute in range(1, 11):
        alone.report(MAC, 119 * minute, minute=minute)
    assert alone.told() == []


def test_nobody_is_told_twice_within_an_interim_interval(home: Home) -> None:
    home.report(OTHER, 401, minute=1)
    home.take(first=399, second=800)
    home.report(OTHER, 790, minute=1.5)
    assert len(home.told()) == 2
    home.report(OTHER, 795, minute=2)
    assert home.told()[2:] == [(MAC, "pending"), (OTHER, "pending")]


def test_report_that_is_merged_sooner_than_the_one_before_finds_its_minute_over(home: Home) -> None:
    home.report(OTHER, 401, minute=1, late=0.05)
    home.take(first=399, second=800)
    home.report(OTHER, 795, minute=2)
    assert len(home.told()) == 4


def test_what_waits_is_not_queued_again(home: Home) -> None:
    home.report(OTHER, 401, minute=1)
    home.report(OTHER, 500, minute=5)
    assert len(home.told()) == 2


@pytest.mark.parametrize("state", ["failed", "waiting"])
def test_router_that_has_refused_is_left_alone_for_an_hour(home: Home, state: str) -> None:
    home.report(OTHER, 401, minute=1)
    home.finish(state)
    home.report(OTHER, 500, minute=5)
    assert len(home.told()) == 2
    home.report(OTHER, 501, minute=62)
    assert (OTHER, "pending") in home.told()


def test_new_day_reaches_who_still_uses_what_the_old_one_left(database: Database) -> None:
    alone = Home(database)
    alone.report(MAC, 1_000, minute=11 * 60)
    midnight = 12 * 60
    alone.report(MAC, 1_010, minute=midnight - 1)
    assert alone.told() == []  # near its end no slice is of two days
    alone.report(MAC, 1_010, minute=midnight)
    alone.report(MAC, 1_020, minute=midnight + 1)
    assert alone.told() == [(MAC, "pending")]


def test_what_a_site_gives_is_what_is_divided(database: Database) -> None:
    there = Home(database)
    with database.write() as connection:
        connection.execute(
            insert(site_quotas).values(
                site_id="site",
                plan_id="plan",
                period="day",
                measure="both",
                amount=10 * QUOTA * UNIT,
                reason="pasar",
                author="admin",
                created_at=NOON,
            )
        )
    there.report(MAC, 10, minute=1)
    assert there.told() == [(MAC, "pending")]


def test_session_that_was_let_in_without_a_limit_is_no_slice(database: Database) -> None:
    there = Home(database)
    there.let_in(OTHER, octets=None)
    there.report(OTHER, 1_000, minute=1)
    assert there.told() == []


@pytest.mark.parametrize("family", ["mikrotik", "uspot", "cambium", "pfsense", "accel-ppp", "hostapd"])
def test_router_that_takes_no_octets_by_coa_is_told_nothing(database: Database, family: str) -> None:
    there = Home(database, family=family)
    there.let_in(OTHER, octets=600)
    there.report(OTHER, 599, minute=1)
    assert there.told() == []


def test_router_that_answers_no_change_is_told_nothing(home: Home) -> None:
    with home.database.write() as connection:
        hints.add(connection, [Notice(NAS, HintKind.COA_SILENT, "", 1)], now=NOON)
    home.report(OTHER, 599, minute=1)
    assert home.told() == []


def test_who_has_used_the_quota_up_is_ended_and_granted_nothing(home: Home) -> None:
    home.report(OTHER, QUOTA, minute=1)
    assert home.told() == []


@given(st.integers(1, 10**12), st.integers(0, 20))
def test_slices_are_what_is_left_and_none_is_too_small_to_be_worth_a_cut(left: int, others: int) -> None:
    part = slice_of(Grant(None, None, left, None, None, None), others=others).octets
    assert part is not None
    assert min(left, LEAST_OCTETS) <= part <= left
    assert part * (1 + others) <= left + others * LEAST_OCTETS


OCTETS = st.none() | st.integers(0, 1_000)
SLICES = st.builds(Slice, OCTETS, OCTETS, OCTETS)


@given(SLICES, SLICES)
def test_nobody_runs_short_of_what_would_not_become_more(rest: Slice, anew: Slice) -> None:
    for one, other in zip(rest, anew, strict=True):
        if one is not None and other is not None and one > other:
            assert exceeds(rest, anew)
    if runs_short(rest, anew):
        assert any(one is not None and (other is None or other > one) for one, other in zip(rest, anew, strict=True))


@given(OCTETS, OCTETS, OCTETS, st.integers(0, 2_000), st.integers(0, 2_000))
def test_rest_is_never_below_nothing(
    octets: int | None, down: int | None, up: int | None, down_used: int, up_used: int
) -> None:
    held = Limits(octets=octets, down_octets=down, up_octets=up)
    rest = rest_of(held, down_octets=down_used, up_octets=up_used)
    assert [one is None for one in rest] == [octets is None, down is None, up is None]
    assert all(one is None or one >= 0 for one in rest)
