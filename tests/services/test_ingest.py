"""What is reported and decided ends in the database exactly once, whatever else is in the batch."""

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, insert, select, update

from app.db import accounts, resume, windows
from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.accounts import devices
from app.db.tables.changes import changes, feed
from app.db.tables.journals import access_log, accounting_events, ingest_positions, set_aside
from app.db.tables.nases import nases
from app.db.tables.plans import plan_quotas, plans
from app.db.tables.sessions import sessions, usage
from app.db.tables.sites import sites
from app.domain.local_time import WITA
from app.domain.quotas import Measure, Period, Tally
from app.domain.reports import (
    Decided,
    Item,
    Method,
    Move,
    NasRestart,
    Position,
    Reported,
    ReportKind,
    SessionReport,
    Unreadable,
    Unusable,
    UnusableReason,
)
from app.domain.resume import ResumeGrant
from app.domain.schedules import Window
from app.services.ingest import MergeResult, merge, stored_position
from app.services.usage import usages_of
from tests.factories import MAC, NOON, make_report

START, INTERIM, STOP = ReportKind.START, ReportKind.INTERIM, ReportKind.STOP
NAS, ACCOUNT = "nasanasanasanasa", "userauserauserau"
TODAY = date(2026, 11, 24)


@pytest.fixture
def city(database: Database) -> Database:
    """A plan with 1,000 octets a day, a site, and one account."""
    with database.write() as connection:
        connection.execute(insert(plans).values(id="plan", name="Warga", created_at=NOON))
        connection.execute(
            insert(plan_quotas),
            [
                {"plan_id": "plan", "period": period, "measure": "both", "amount": amount}
                for period, amount in (("day", 1_000), ("total", 5_000))
            ],
        )
        connection.execute(insert(sites).values(id="site", name="Gusung", created_at=NOON))
        connection.execute(
            insert(accounts_table).values(id=ACCOUNT, kind="user", plan_id="plan", created_at=NOON, version=1)
        )
        connection.execute(
            insert(nases).values(
                id=NAS,
                name="gusung-1",
                site_id="site",
                family="mikrotik",
                address="127.0.0.1/32",
                secret_sealed=b"",
                portal_secret_sealed=b"",
                mac_secret_sealed=b"",
                created_at=NOON,
            )
        )
    return database


def reported(report: SessionReport | NasRestart | Unusable, packet: bytes = b"packet") -> Reported:
    return Reported(report, packet, NOON, "127.0.0.1:40000", NAS)


def accepted(
    *,
    at: datetime = NOON,
    nas_id: str = NAS,
    mac: str = MAC,
    user_name: str = ACCOUNT,
    account_id: str = ACCOUNT,
    method: Method = Method.RESUME,
) -> Decided:
    return Decided(at, nas_id, mac, account_id, user_name, method, accepted=True, acceptance_id="0123456789abcdef")


def restart(minute: float, cause: str = "NAS-Reboot", nas_id: str = NAS) -> NasRestart:
    return NasRestart(nas_id, "gusung-1", NOON + timedelta(minutes=minute), cause)


def run(
    database: Database, items: Iterable[Item], *, position: Move | None = None, now: datetime = NOON
) -> MergeResult:
    return merge(database, list(items), position=position, origin="node/0", zone=WITA, now=now, chance=os.urandom)


def say(database: Database, *reports: SessionReport | NasRestart | Unusable) -> MergeResult:
    return run(database, [reported(report) for report in reports])


def column(database: Database, table: Table, *names: str) -> Sequence[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*(table.c[name] for name in names)))]


def used(database: Database) -> dict[date, int]:
    with database.read() as connection:
        rows = connection.execute(select(usage)).all()
    return {row.day: row.up_octets + row.down_octets for row in rows}


def online_seconds(database: Database) -> dict[date, int]:
    with database.read() as connection:
        rows = connection.execute(select(usage)).all()
    return {row.day: row.seconds for row in rows}


def count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


# ---- the position


FIRST = Move(None, Position("node", 0, 1, "segment", 100))
SECOND = Move(FIRST.after, Position("node", 0, 1, "segment", 200))


def test_a_batch_that_was_merged_is_not_merged_again(city: Database) -> None:
    items = [reported(make_report(INTERIM, minute=5, up=10))]
    assert run(city, items, position=FIRST) == MergeResult(merged=True, position=FIRST.after, events=1)
    assert run(city, items, position=FIRST) == MergeResult(merged=False, position=FIRST.after)
    assert (count(city, accounting_events), used(city)) == (1, {TODAY: 10})
    assert stored_position(city, "node", 0) == FIRST.after


def test_a_batch_after_a_gap_is_refused(city: Database) -> None:
    assert run(city, [reported(make_report())], position=SECOND) == MergeResult(merged=False, position=None)
    assert count(city, sessions) == 0
    assert stored_position(city, "node", 0) is None


# D03
def test_a_failure_in_the_middle_leaves_nothing_behind(city: Database) -> None:
    def broken(_: int) -> bytes:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        merge(city, [reported(make_report())], position=FIRST, origin="node/0", zone=WITA, now=NOON, chance=broken)
    assert count(city, accounting_events) == 0
    assert stored_position(city, "node", 0) is None


# A6.06, A6.12, D03
def test_two_processes_that_read_the_same_records_count_them_once(city: Database) -> None:
    items = [reported(make_report(INTERIM, minute=minute, up=minute * 10)) for minute in range(1, 50)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: run(city, items, position=FIRST), range(4)))
    assert sorted(result.merged for result in results) == [False, False, False, True]
    assert used(city) == {TODAY: 490}


# D06
def test_two_nodes_that_each_saw_half_of_a_session_add_up(city: Database) -> None:
    batches = [[reported(make_report(INTERIM, minute=m, up=m)) for m in range(start, 60, 4)] for start in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda items: run(city, items), batches))
    assert (count(city, sessions), used(city)) == (1, {TODAY: 59})


# ---- sessions


def test_a_session_carries_its_site_and_the_name_that_the_router_uses(city: Database) -> None:
    say(city, make_report(user_name="02-AA-00-00-00-01"))
    assert column(city, sessions, "site_id", "user_name", "ip", "state") == [
        ("site", "02-AA-00-00-00-01", "10.5.50.2", "open")
    ]


def test_a_report_that_bridges_two_sessions_joins_them(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10, seconds=0, up=100), make_report(INTERIM, minute=30, seconds=60, up=300))
    assert count(city, sessions) == 2
    assert used(city) == {TODAY: 400}
    say(city, make_report(INTERIM, minute=29, seconds=19 * 60, up=290))
    assert count(city, sessions) == 1
    assert used(city) == {TODAY: 300}
    ((session_id,),) = column(city, sessions, "id")
    assert set(column(city, accounting_events, "session_id")) == {(session_id,)}


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 1, 2), id="as it happened"),
        pytest.param((2, 1, 0), id="backwards"),
        pytest.param((1, 2, 0), id="the report last"),
    ],
)
def test_restarts_end_a_session_in_any_order(city: Database, order: tuple[int, ...]) -> None:
    said: list[SessionReport | NasRestart] = [
        make_report(INTERIM, minute=10),
        restart(20, "NAS-Request"),
        restart(22),
    ]
    for index in order:
        say(city, said[index])
    assert column(city, sessions, "state", "stopped_at", "stop_cause") == [
        ("closed", NOON + timedelta(minutes=10), "NAS-Request")
    ]


def test_a_report_from_before_a_restart_does_not_reopen_its_session(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10))
    say(city, restart(20))
    say(city, make_report(INTERIM, minute=15, up=5))
    assert column(city, sessions, "state", "up_octets") == [("closed", 5)]


def test_a_router_of_the_same_name_elsewhere_ends_nothing(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10), restart(20, nas_id="another"))
    assert column(city, sessions, "state") == [("open",)]


# ---- who is charged


@pytest.mark.parametrize(
    "accept_first", [pytest.param(True, id="accept first"), pytest.param(False, id="report first")]
)
def test_accounting_that_names_no_accept_is_matched_by_nas_device_and_user_name(
    city: Database, accept_first: bool
) -> None:
    items: list[Item] = [accepted(), reported(make_report(INTERIM, minute=5, up=10, account_id=None))]
    for item in items if accept_first else reversed(items):
        run(city, [item])
    assert used(city) == {TODAY: 10}
    assert column(city, sessions, "account_id", "flags") == [(ACCOUNT, "")]


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(accepted(nas_id="another"), id="another NAS"),
        pytest.param(accepted(mac="02:aa:00:00:00:02"), id="another device"),
        pytest.param(accepted(user_name="another"), id="another user name"),
        pytest.param(accepted(at=NOON - timedelta(minutes=11)), id="too long before the start"),
        pytest.param(accepted(at=NOON + timedelta(minutes=1)), id="after the start"),
    ],
)
def test_another_accept_does_not_match(city: Database, accept: Decided) -> None:
    run(city, [accept, reported(make_report(INTERIM, minute=5, up=10, account_id=None))])
    assert used(city) == {}
    assert column(city, sessions, "account_id", "flags") == [(None, "unmatched")]


def test_a_session_of_an_account_that_is_gone_is_kept_and_charged_to_nobody(city: Database) -> None:
    say(city, make_report(INTERIM, minute=5, up=10))
    with city.write() as connection:
        connection.execute(delete(usage))
        connection.execute(delete(accounts_table))
    say(city, make_report(INTERIM, minute=6, up=20))
    assert column(city, sessions, "up_octets", "flags") == [(20, "orphaned")]
    assert used(city) == {}


# ---- what tells of no session


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        pytest.param(Unusable(UnusableReason.NO_SESSION_ID), "no_session_id", id="A6.15 no Acct-Session-Id"),
        pytest.param(Unusable(UnusableReason.NO_STATUS_TYPE), "no_status_type", id="A6.15 no Acct-Status-Type"),
        pytest.param(make_report(STOP, minute=1, up=2**50 + 1), "implausible", id="more than any line carries"),
        pytest.param(make_report(STOP, minute=1, up=2**64), "implausible", id="more than the database holds"),
    ],
)
def test_unusable_accounting_is_kept_and_makes_no_session(
    city: Database, report: SessionReport | Unusable, outcome: str
) -> None:
    say(city, report)
    assert column(city, accounting_events, "outcome", "session_id", "packet") == [(outcome, None, b"packet")]
    assert count(city, sessions) == 0


def test_a_record_that_cannot_be_read_is_set_aside(city: Database) -> None:
    result = run(city, [Unreadable(b"\xff", "record type 9"), reported(make_report())])
    assert (result.set_aside, result.events) == (1, 1)
    assert column(city, set_aside, "reason", "record", "origin") == [("record type 9", b"\xff", "node/0")]


def test_a_record_that_the_database_refuses_stops_no_other(city: Database) -> None:
    items: list[Item] = [
        reported(make_report(INTERIM, minute=1, up=10)),
        reported(make_report(acct_session_id="2", mac="\ud800"), b"poison"),
        accepted(mac="\ud800"),
        reported(make_report(INTERIM, minute=2, up=20)),
    ]
    result = run(city, items, position=FIRST)
    assert (result.merged, result.events, result.set_aside) == (True, 2, 2)
    assert column(city, set_aside, "record")[0] == (b"poison",)
    assert used(city) == {TODAY: 20}
    assert stored_position(city, "node", 0) == FIRST.after


def test_names_with_nul_or_broken_characters_are_stored_readably(city: Database) -> None:
    items: list[Item] = [
        reported(make_report(user_name="a\0b", acct_session_id="\ud800")),
        Decided(NOON, NAS, MAC, None, "a\0\udcffb", Method.PASSWORD, accepted=False, reason="wrong_credentials"),
    ]
    assert run(city, items).set_aside == 0
    assert column(city, sessions, "user_name", "acct_session_id") == [("a\ufffdb", "?")]
    assert column(city, access_log, "user_name", "outcome") == [("a\ufffd?b", "reject")]


# ---- limits


@pytest.mark.parametrize(
    ("octets", "queued"),
    [
        pytest.param(999, 0, id="one octet left"),
        pytest.param(1_000, 1, id="just used up"),
        pytest.param(1_001, 1, id="passed"),
    ],
)
# A6.18
def test_a_report_that_uses_up_a_quota_queues_a_disconnect(city: Database, octets: int, queued: int) -> None:
    say(city, make_report(INTERIM, minute=1, up=octets))
    found = column(city, changes, "kind", "reason", "state")
    assert found == [("disconnect", "quota_exhausted", "pending")] * queued


def test_every_open_session_is_told_once(city: Database) -> None:
    say(city, make_report(INTERIM, minute=1, up=600), make_report(acct_session_id="2", mac="02:aa:00:00:00:02"))
    say(city, make_report(INTERIM, minute=2, up=1_600))
    say(city, make_report(INTERIM, minute=3, up=2_600))
    told = column(city, changes, "session_id")
    assert sorted(told) == sorted(column(city, sessions, "id"))


def test_who_was_let_in_before_all_servers_knew_is_ended_as_soon_as_the_session_is_heard_of(city: Database) -> None:
    say(city, make_report(STOP, minute=1, up=1_000))
    say(city, make_report(acct_session_id="2", mac="02:aa:00:00:00:02"))
    assert column(city, changes, "kind", "reason") == [("disconnect", "quota_exhausted")]


def test_a_session_that_has_ended_is_told_nothing(city: Database) -> None:
    say(city, make_report(STOP, minute=1, up=9_000))
    assert count(city, changes) == 0


def test_octets_of_yesterday_do_not_use_up_today(city: Database) -> None:
    run(city, [reported(make_report(INTERIM, minute=1, up=4_000))], now=NOON + timedelta(days=1))
    assert count(city, changes) == 0


def test_a_total_quota_counts_days_long_past(city: Database) -> None:
    with city.write() as connection:
        connection.execute(
            insert(usage).values(account_id=ACCOUNT, day=date(2025, 1, 1), up_octets=4_900, down_octets=0)
        )
    say(city, make_report(INTERIM, minute=1, up=100))
    assert count(city, changes) == 1


# ---- verdicts


def test_an_accept_is_logged_and_its_device_noted(city: Database) -> None:
    later = NOON + timedelta(minutes=5)
    run(city, [accepted(at=later), accepted()])
    run(city, [accepted(at=NOON + timedelta(minutes=1))])
    assert count(city, access_log) == 3
    assert column(city, devices, "account_id", "mac", "last_seen_at") == [(ACCOUNT, MAC, later)]


def test_the_first_accept_by_password_begins_the_validity(city: Database) -> None:
    run(city, [accepted(method=Method.PASSWORD, at=NOON + timedelta(minutes=2)), accepted(method=Method.PASSWORD)])
    run(city, [accepted(method=Method.PASSWORD, at=NOON + timedelta(days=1))])
    assert column(city, accounts_table, "first_used_at") == [(NOON,)]


@pytest.mark.parametrize(
    ("validity", "told"), [pytest.param(None, False, id="a plan without"), pytest.param(86_400, True, id="a plan with")]
)
def test_nodes_are_told_of_a_first_use_only_where_a_validity_begins(
    city: Database, validity: int | None, told: bool
) -> None:
    with city.write() as connection:
        connection.execute(update(plans).values(validity_seconds=validity))
    for at in (NOON, NOON + timedelta(minutes=1)):
        run(city, [accepted(method=Method.PASSWORD, at=at)])
    items = [json.loads(str(items)).get("account") for (items,) in column(city, feed, "items")]
    assert items.count([ACCOUNT]) == int(told)


def test_an_accept_of_an_account_that_is_gone_is_logged_all_the_same(city: Database) -> None:
    run(city, [accepted(account_id="goneagoneagoneag", method=Method.PASSWORD)])
    assert (count(city, access_log), count(city, devices)) == (1, 0)


# ---- the feed


def test_nodes_are_told_in_one_row(city: Database) -> None:
    run(city, [reported(make_report(INTERIM, minute=1, up=10)), accepted()], position=FIRST)
    ((session_id,),) = column(city, sessions, "id")
    ((origin, items),) = column(city, feed, "origin", "items")
    assert origin == "node/0"
    assert json.loads(str(items)) == {"usage": [ACCOUNT], "session": [session_id], "position": ["node/0"]}


def test_a_duplicate_tells_nodes_nothing_but_the_position(city: Database) -> None:
    items = [reported(make_report(INTERIM, minute=1, up=10))]
    run(city, items, position=FIRST)
    run(city, items, position=SECOND)
    assert json.loads(str(column(city, feed, "items")[-1][0])) == {"position": ["node/0"]}


def test_what_comes_by_http_moves_no_position(city: Database) -> None:
    assert run(city, [reported(make_report())]) == MergeResult(merged=True, position=None, events=1)
    assert count(city, ingest_positions) == 0


def test_nothing_to_merge_writes_nothing(city: Database) -> None:
    run(city, [])
    assert count(city, feed) == 0


def test_a_batch_longer_than_any_limit_of_parameters(city: Database) -> None:
    items = [
        reported(
            make_report(
                INTERIM, minute=1, up=1, acct_session_id=f"{n:08x}", mac=f"02:aa:00:00:{n >> 8:02x}:{n & 255:02x}"
            )
        )
        for n in range(7_000)
    ]
    run(city, items)
    assert (count(city, sessions), used(city)) == (7_000, {TODAY: 7_000})


# ---- log-out at the router


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


# ---- time online


LAPTOP = "02:aa:00:00:00:02"


def test_two_devices_at_once_are_online_once(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10, up=1))
    say(city, make_report(INTERIM, minute=15, up=1, mac=LAPTOP), make_report(INTERIM, minute=12, up=2))
    assert online_seconds(city) == {TODAY: 15 * 60}


def test_what_turns_out_to_have_been_idle_is_given_back(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10, up=5))
    say(city, make_report(INTERIM, minute=4, up=5))
    assert online_seconds(city) == {TODAY: 4 * 60}


def test_what_a_session_used_that_is_anothers_goes_with_it(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10, up=5), make_report(INTERIM, minute=3, up=5, mac=LAPTOP))
    with city.write() as connection:
        connection.execute(
            insert(accounts_table).values(
                id="otherotherothero", kind="user", plan_id="plan", created_at=NOON, version=1
            )
        )
    say(city, make_report(START, account_id="otherotherothero", acceptance_id="00000000000000aa"))
    found = column(city, usage, "account_id", "seconds", "up_octets")
    assert set(found) == {(ACCOUNT, 3 * 60, 5), ("otherotherothero", 10 * 60, 5)}


def test_day_of_an_older_release_is_put_together_from_its_sessions(city: Database) -> None:
    say(city, make_report(INTERIM, minute=10, up=5, mac=LAPTOP))
    with city.write() as connection:
        connection.execute(update(usage).values(seconds=0, online=None, online_until=0))
    say(city, make_report(INTERIM, minute=3, up=5))
    assert online_seconds(city) == {TODAY: 10 * 60}


def test_time_that_is_used_up_ends_the_session(city: Database) -> None:
    with city.write() as connection:
        connection.execute(insert(plan_quotas).values(plan_id="plan", period="week", measure="time", amount=600))
    say(city, make_report(INTERIM, minute=9, up=5))
    assert column(city, changes, "kind", "reason") == []
    say(city, make_report(INTERIM, minute=10, up=6))
    assert column(city, changes, "kind", "reason") == [("disconnect", "quota_exhausted")]


@pytest.mark.parametrize(
    ("measure", "up", "down", "ends"),
    [("down", 500, 99, False), ("down", 0, 100, True), ("up", 99, 500, False), ("up", 100, 0, True)],
)
def test_quota_of_one_direction_counts_that_one(city: Database, measure: str, up: int, down: int, ends: bool) -> None:
    with city.write() as connection:
        connection.execute(insert(plan_quotas).values(plan_id="plan", period="billing", measure=measure, amount=100))
        connection.execute(update(accounts_table).values(billing_day=31))
        connection.execute(  # of the billing period before, which ended on 30 October
            insert(usage).values(account_id=ACCOUNT, day=date(2026, 10, 30), up_octets=90, down_octets=90)
        )
    say(city, make_report(INTERIM, minute=9, up=up, down=down))
    assert bool(column(city, changes, "kind")) is ends


# ---- steps of a quota


def stepped(city: Database) -> None:
    """Let the plan hold down to 1M from 400 octets on, and let the router have told that the session began faster."""
    with city.write() as connection:
        connection.execute(update(plans).values(down_bps=4_000_000, up_bps=2_000_000))
        connection.execute(
            insert(plan_quotas).values(
                plan_id="plan", period="day", measure="down", amount=400, used_up="1000000/1000000"
            )
        )


def accept_with(limits: str) -> Decided:
    return dataclasses.replace(accepted(), acceptance_id="0123456789abcdef", limits=limits)


FAST = '{"down_bps": 4000000, "up_bps": 2000000}'
SLOWED = '{"down_bps": 1000000, "up_bps": 1000000}'


def test_session_that_passes_a_step_is_told_once(city: Database) -> None:
    stepped(city)
    run(city, [accept_with(FAST), reported(make_report(INTERIM, minute=5, down=399))])
    assert column(city, changes, "kind", "reason") == []
    say(city, make_report(INTERIM, minute=6, down=400))
    say(city, make_report(INTERIM, minute=7, down=500))
    assert column(city, changes, "kind", "reason") == [("change", "quota_step")]


def test_every_open_session_is_told_of_a_step_whichever_passes_it(city: Database) -> None:
    stepped(city)
    other = dataclasses.replace(accept_with(FAST), acceptance_id="fedcba9876543210", mac="02:aa:00:00:00:02")
    second = make_report(acct_session_id="2", mac=other.mac, acceptance_id=other.acceptance_id)
    run(city, [accept_with(FAST), other, reported(make_report(INTERIM, minute=5, down=399)), reported(second)])
    say(city, make_report(INTERIM, minute=6, down=400))
    assert sorted(column(city, changes, "session_id")) == sorted(column(city, sessions, "id"))


def test_session_whose_accept_is_merged_after_its_reports_is_told_then(city: Database) -> None:
    stepped(city)
    say(city, make_report(INTERIM, minute=6, down=400))
    assert column(city, changes, "kind", "reason") == []  # nobody knows what its router was told
    run(city, [accept_with(FAST)])
    assert column(city, changes, "kind", "reason") == [("change", "quota_step")]


def test_session_that_came_back_slower_is_told_nothing(city: Database) -> None:
    stepped(city)
    run(city, [accept_with(SLOWED), reported(make_report(INTERIM, minute=5, down=500))])
    assert column(city, changes, "kind", "reason") == []


def test_first_report_of_a_new_day_gives_the_speed_back(city: Database) -> None:
    stepped(city)
    run(city, [accept_with(SLOWED), reported(make_report(INTERIM, minute=5, down=500))])
    tomorrow = NOON + timedelta(hours=13)
    run(city, [reported(make_report(INTERIM, minute=13 * 60, down=501))], now=tomorrow)
    assert column(city, changes, "kind", "reason", "created_at") == [("change", "quota_step", tomorrow)]


def test_what_could_not_be_told_is_not_tried_at_every_report(city: Database) -> None:
    stepped(city)
    run(city, [accept_with(FAST), reported(make_report(INTERIM, minute=5, down=400))])
    with city.write() as connection:
        connection.execute(update(changes).values(state="failed", finished_at=NOON))
    say(city, make_report(INTERIM, minute=6, down=500))
    assert len(column(city, changes, "kind")) == 1
    run(city, [reported(make_report(INTERIM, minute=70, down=600))], now=NOON + timedelta(minutes=70))
    assert len(column(city, changes, "kind")) == 2


# ---- free of charge


def test_what_is_used_while_it_is_free_counts_for_no_quota(city: Database) -> None:
    with city.write() as connection:  # an hour after NOON, for an hour
        windows.put_of_plan(connection, "plan", Window("siang", tuple(range(7)), 13 * 60, 14 * 60, free=True))
    say(city, make_report(INTERIM, minute=60, down=500), make_report(INTERIM, minute=90, down=2_500))
    assert column(city, usage, "down_octets", "free_down_octets", "seconds", "free_seconds") == [
        (2_500, 2_000, 5_400, 1_800)
    ]
    with city.read() as connection:
        (account,) = accounts.by_ids(connection, [ACCOUNT], now=NOON)
        used = usages_of(connection, [account], TODAY)[ACCOUNT]
    assert used.used(Tally(Period.DAY, Measure.BOTH)) == 500
    assert column(city, changes, "kind") == []
    run(city, [reported(make_report(INTERIM, minute=121, down=3_500))], now=NOON + timedelta(minutes=121))
    assert column(city, changes, "kind") == []
    run(city, [reported(make_report(INTERIM, minute=130, down=4_100))], now=NOON + timedelta(minutes=130))
    assert column(city, changes, "kind") == [("disconnect",)]
