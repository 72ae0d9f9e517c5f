"""What is merged uses quotas up, by octets and by time, and whose sessions are told of it."""

import dataclasses
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, update

from app.db import accounts, windows
from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.changes import changes
from app.db.tables.plans import plan_quotas, plans
from app.db.tables.sessions import sessions, usage
from app.domain.quotas import Measure, Period, Tally
from app.domain.reports import Decided
from app.domain.schedules import Window
from app.services.usage import usages_of
from tests.factories import NOON, make_report
from tests.services.ingesting import (
    ACCOUNT,
    INTERIM,
    START,
    STOP,
    TODAY,
    accepted,
    city,
    column,
    count,
    online_seconds,
    reported,
    run,
    say,
)

__all__ = ["city"]

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
