"""What reports make of a session: identity, ends, counters, days."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.joining import apply_report, find_sessions, same_session, settle
from app.domain.local_time import WITA
from app.domain.reports import NasRestart, ReportKind, SessionReport
from app.domain.sessions import Flag, Session, SessionState, apply_restart, apply_restarts, close_stale
from app.domain.usage import DayUsage, usage_by_day, usage_moved
from tests.factories import NOON, make_report

START, INTERIM, STOP = ReportKind.START, ReportKind.INTERIM, ReportKind.STOP
TOLERANCE = 0.5  # minutes


def session_of(*reports: SessionReport) -> Session:
    session = None
    for report in reports:
        session = apply_report(session, report, zone=WITA)
    assert session is not None
    return settle(session, [report.reading for report in reports], zone=WITA)


def restart(minute: float, cause: str = "NAS-Reboot") -> NasRestart:
    return NasRestart("nasanasanasanasa", "gusung-1", NOON + timedelta(minutes=minute), cause)


@pytest.mark.parametrize(
    ("report", "same"),
    [
        pytest.param(make_report(INTERIM, minute=20), True, id="the next interim"),
        pytest.param(make_report(STOP, minute=5), True, id="a late stop"),
        pytest.param(make_report(INTERIM, minute=500), True, id="after hours of silence"),
        pytest.param(make_report(START, minute=10 + TOLERANCE), True, id="a start just within the tolerance"),
        pytest.param(make_report(START, minute=10.6), False, id="a start after the last report"),
        pytest.param(make_report(START, minute=16 * 24 * 60), False, id="a start 16 days later"),
        pytest.param(make_report(STOP, minute=30, seconds=60), False, id="a stop that implies a later start"),
        pytest.param(make_report(INTERIM, minute=20, seconds=None), True, id="no session time, soon after"),
        pytest.param(make_report(INTERIM, minute=10 + 24 * 60, seconds=None), True, id="no session time, a day after"),
        pytest.param(make_report(INTERIM, minute=11 + 24 * 60, seconds=None), False, id="no session time, later still"),
        pytest.param(make_report(INTERIM, minute=20, user_name="x"), False, id="A6.05 another user"),
        pytest.param(make_report(INTERIM, minute=20, mac="02:aa:00:00:00:02"), False, id="A6.05 another MAC"),
        pytest.param(make_report(INTERIM, minute=20, acct_session_id="2"), False, id="another Acct-Session-Id"),
        pytest.param(make_report(INTERIM, minute=20, nas_scope="x"), False, id="another router"),
        pytest.param(make_report(INTERIM, minute=20, nas_id="x"), False, id="a router of the same name elsewhere"),
        pytest.param(
            make_report(INTERIM, minute=20, acceptance_id="another"), True, id="A6.04 re-authenticated: another Class"
        ),
        pytest.param(
            make_report(INTERIM, minute=20, seconds=401 * 86_400), True, id="an absurd session time says nothing"
        ),
    ],
)
def test_same_session(report: SessionReport, same: bool) -> None:
    session = session_of(make_report(START), make_report(INTERIM, minute=10))
    assert same_session(session, report) is same
    assert find_sessions([session], report) == [session] * same


# A6.06
def test_a_lost_start_is_rebuilt_from_the_session_time() -> None:
    assert session_of(make_report(INTERIM, minute=10)).started_at == NOON


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(make_report(START), id="start"),
        pytest.param(make_report(INTERIM, minute=5, up=10, down=10), id="interim"),
        pytest.param(make_report(INTERIM, minute=15, up=10, down=10), id="interim with a later time"),
    ],
)
def test_a6_07_late_reports_neither_reopen_a_session_nor_lower_its_totals(late: SessionReport) -> None:
    session = session_of(make_report(STOP, minute=10, up=100, down=200, cause="User-Request"), late)
    assert session.state is SessionState.CLOSED
    assert (session.up_octets, session.down_octets) == (100, 200)
    assert session.stop is not None
    assert session.stop.cause == "User-Request"


def test_a6_09_a_smaller_reading_without_a_session_time_is_flagged_and_never_negative() -> None:
    session = session_of(
        make_report(INTERIM, minute=10, up=100, seconds=None), make_report(INTERIM, minute=20, up=40, seconds=None)
    )
    assert session.flags == {Flag.DECREASED}
    assert usage_by_day(session, zone=WITA) == {date(2026, 11, 24): DayUsage(100, 0)}


def test_a6_09_counters_that_begin_again_are_added_and_flagged() -> None:
    session = session_of(make_report(INTERIM, minute=10, up=100, down=50), make_report(INTERIM, minute=20, up=40))
    assert session.flags == {Flag.DECREASED, Flag.RESET}
    assert usage_by_day(session, zone=WITA) == {date(2026, 11, 24): DayUsage(140, 50)}


@pytest.mark.parametrize(
    ("restart_minute", "closed"),
    [
        pytest.param(-1, False, id="before the start"),
        pytest.param(0, False, id="in the second of the start"),
        pytest.param(9, False, id="before the last report"),
        pytest.param(10, True, id="in the second of the last report"),
        pytest.param(11, True, id="after the last report"),
    ],
)
def test_a6_13_a_restart_ends_what_began_before_it_and_was_not_heard_of_since(
    restart_minute: float, closed: bool
) -> None:
    session = apply_restart(session_of(make_report(START), make_report(INTERIM, minute=10)), restart(restart_minute))
    assert (session.state is SessionState.CLOSED) is closed
    if session.stop is not None:
        assert (session.stop.at, session.stop.cause) == (NOON + timedelta(minutes=10), "NAS-Reboot")


def test_a_report_from_before_the_restart_moves_the_end_but_does_not_reopen() -> None:
    session = apply_restart(session_of(make_report(INTERIM, minute=10)), restart(30))
    session = apply_report(session, make_report(INTERIM, minute=20, up=7), zone=WITA)
    assert session.stop is not None
    assert (session.stop.at, session.up_octets) == (NOON + timedelta(minutes=20), 7)


def test_a_report_from_after_the_restart_reopens() -> None:
    session = apply_restart(session_of(make_report(INTERIM, minute=10)), restart(30))
    assert apply_report(session, make_report(INTERIM, minute=31), zone=WITA).state is SessionState.OPEN


def test_the_first_restart_after_the_last_report_gives_the_cause() -> None:
    session = apply_restarts(session_of(make_report(START)), [restart(40), restart(30, "NAS-Request")])
    assert session.stop is not None
    assert session.stop.cause == "NAS-Request"


def test_a_stop_replaces_an_estimate() -> None:
    session = close_stale(session_of(make_report(INTERIM, minute=10)))
    assert session.flags == {Flag.ESTIMATED}
    stopped = apply_report(session, make_report(STOP, minute=12, cause="Idle-Timeout"), zone=WITA)
    assert stopped.stop is not None
    assert (stopped.stop.cause, stopped.flags) == ("Idle-Timeout", frozenset())


@pytest.mark.parametrize(
    ("minute", "state"),
    [
        pytest.param(9, SessionState.CLOSED, id="older than the estimate"),
        pytest.param(10, SessionState.CLOSED, id="the same moment"),
        pytest.param(11, SessionState.OPEN, id="news"),
    ],
)
def test_an_interim_reopens_an_estimate_only_with_news(minute: int, state: SessionState) -> None:
    session = close_stale(session_of(make_report(INTERIM, minute=10)))
    assert apply_report(session, make_report(INTERIM, minute=minute), zone=WITA).state is state


NIGHT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # 23.30 WITA
MIDNIGHT_MINUTE = 30
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)


def test_the_reports_nearest_to_midnight_divide_what_was_used_between_them() -> None:
    said = [
        make_report(INTERIM, minute=20, up=200, begins_at=NIGHT),
        make_report(INTERIM, minute=60, up=1_000, begins_at=NIGHT),
    ]
    assert usage_by_day(session_of(*said), zone=WITA) == {TUESDAY: DayUsage(400, 0), WEDNESDAY: DayUsage(600, 0)}
    nearer = make_report(INTERIM, minute=28, up=220, begins_at=NIGHT)
    assert usage_by_day(session_of(*said, nearer), zone=WITA) == {
        TUESDAY: DayUsage(220 + 780 * 2 // 32, 0),
        WEDNESDAY: DayUsage(1_000 - 220 - 780 * 2 // 32, 0),
    }


@pytest.mark.parametrize(
    ("minute", "day"),
    [
        pytest.param(MIDNIGHT_MINUTE - 1 / 60, TUESDAY, id="the last second of a day"),
        pytest.param(MIDNIGHT_MINUTE, TUESDAY, id="midnight: all of it was used before"),
    ],
)
def test_octets_up_to_midnight_belong_to_the_day_before(minute: float, day: date) -> None:
    session = session_of(make_report(START, begins_at=NIGHT), make_report(STOP, minute=minute, up=9, begins_at=NIGHT))
    assert usage_by_day(session, zone=WITA) == {day: DayUsage(9, 0)}


def test_a_session_of_many_days_has_a_share_for_each() -> None:
    session = session_of(make_report(START, begins_at=NIGHT), make_report(STOP, minute=60 * 49, up=49, begins_at=NIGHT))
    used = usage_by_day(session, zone=WITA)
    assert used == {
        date(2026, 11, 25): DayUsage(24, 0),  # the half hour before its beginning had less than an octet
        date(2026, 11, 26): DayUsage(24, 0),
        date(2026, 11, 27): DayUsage(1, 0),
    }


def test_a_session_that_gets_its_account_late_is_charged_whole() -> None:
    unmatched = session_of(make_report(INTERIM, minute=5, up=10, account_id=None))
    assert unmatched.flags == {Flag.UNMATCHED}
    matched = apply_report(unmatched, make_report(INTERIM, minute=6, up=15), zone=WITA)
    assert matched.flags == frozenset()
    assert usage_moved([unmatched], [matched], zone=WITA) == {("userauserauserau", TUESDAY): DayUsage(15, 0)}
    assert usage_moved([], [unmatched], zone=WITA) == {}
