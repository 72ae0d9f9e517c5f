"""What is reported and decided ends in the database exactly once, whatever else is in the batch."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.accounts import devices
from app.db.tables.changes import feed
from app.db.tables.journals import access_log, accounting_events, ingest_positions, set_aside
from app.db.tables.plans import plans
from app.db.tables.sessions import sessions, usage
from app.domain.local_time import WITA
from app.domain.reports import (
    Decided,
    Item,
    Method,
    Move,
    NasRestart,
    Position,
    SessionReport,
    Unreadable,
    Unusable,
    UnusableReason,
)
from app.services.ingest import MergeResult, merge, stored_position
from tests.factories import MAC, NOON, make_report
from tests.rows import NAS
from tests.services.ingesting import (
    ACCOUNT,
    INTERIM,
    STOP,
    TODAY,
    accepted,
    city,
    column,
    count,
    reported,
    restart,
    run,
    say,
    used,
)

__all__ = ["city"]

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
