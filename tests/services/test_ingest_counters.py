"""A6.09 through the database: wraps and restarted counters end in the same octets in any order and any batches."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import permutations

import pytest
from sqlalchemy import update

from app.db.engine import Database
from app.db.tables.journals import accounting_events
from app.db.tables.sessions import sessions
from app.db.tables.sites import sites
from app.domain.reports import ReportKind, SessionReport
from app.services.sessions import list_sessions
from tests.factories import make_report
from tests.services.ingesting import TODAY, city, column, say, used

__all__ = ["city"]
START, INTERIM, STOP = ReportKind.START, ReportKind.INTERIM, ReportKind.STOP
MB, WRAP = 10**6, 2**32


def narrow(report: SessionReport) -> SessionReport:
    return report._replace(has_gigawords=False)


RESTARTED = [
    make_report(START),
    make_report(INTERIM, minute=10, up=50 * MB, down=500 * MB),
    make_report(INTERIM, minute=20, up=MB, down=10 * MB),
    make_report(STOP, minute=30, up=60 * MB, down=700 * MB),
]
WRAPPED = [
    narrow(make_report(START)),
    narrow(make_report(INTERIM, minute=10, up=50 * MB, down=4_000 * MB)),
    narrow(make_report(INTERIM, minute=20, up=60 * MB, down=8_000 * MB - WRAP)),
    narrow(make_report(STOP, minute=30, up=70 * MB, down=12_000 * MB - 2 * WRAP)),
]


@pytest.mark.parametrize(
    ("reports", "up", "down", "flags"),
    [
        pytest.param(RESTARTED, 110 * MB, 1_200 * MB, "decreased,reset", id="counters begin anew"),
        pytest.param(WRAPPED, 70 * MB, 12_000 * MB, "decreased,wrapped", id="32 bits, twice past their end"),
    ],
)
def test_a6_09_any_order_one_by_one(
    city: Database, reports: Sequence[SessionReport], up: int, down: int, flags: str
) -> None:
    for day, order in enumerate(list(permutations(reports))[::3]):
        later = [report._replace(event_at=report.event_at + timedelta(days=10 * day)) for report in order]
        for report in (*later, later[0]):
            say(city, report)
    assert set(column(city, sessions, "up_octets", "down_octets", "flags")) == {(up, down, flags)}
    assert used(city) == {TODAY + timedelta(days=10 * day): up + down for day in range(8)}


def test_a6_09_counted_in_one_batch(city: Database) -> None:
    say(city, *WRAPPED[2:], *WRAPPED[:2])
    assert column(city, sessions, "down_octets", "flags") == [(12_000 * MB, "decreased,wrapped")]
    assert used(city) == {TODAY: 12_070 * MB}


def test_reports_from_before_readings_were_kept_are_joined_as_they_were(city: Database) -> None:
    say(city, RESTARTED[1])
    with city.write() as connection:
        marks = connection.scalar(sessions.select().with_only_columns(sessions.c.marks))
        assert marks is not None
        old = marks[: marks.index(',"head"')] + "}"
        connection.execute(update(sessions).values(marks=old))
        connection.execute(update(accounting_events).values(reading=None))
    say(city, RESTARTED[2])
    say(city, RESTARTED[3])
    assert column(city, sessions, "up_octets", "down_octets") == [(60 * MB, 700 * MB)]
    assert used(city) == {date(2026, 11, 24): 760 * MB}


def test_a6_10_more_than_the_sites_line_carries_is_recorded_flagged_and_not_charged(city: Database) -> None:
    with city.write() as connection:
        connection.execute(update(sites).values(capacity_bps=20 * MB))
    say(city, make_report(START), make_report(INTERIM, minute=1, up=10 * MB, down=50_000 * MB))
    (shown,) = list_sessions(city)
    assert (shown.up_octets, shown.down_octets, shown.flags) == (10 * MB, 50_000 * MB, ("implausible",))
    assert used(city) == {TODAY: 610 * MB}
    with city.write() as connection:
        connection.execute(update(sites).values(capacity_bps=None))
    say(city, make_report(STOP, minute=2, up=11 * MB, down=50_001 * MB))
    assert used(city) == {TODAY: 612 * MB}, "by the line that the session has begun behind"
