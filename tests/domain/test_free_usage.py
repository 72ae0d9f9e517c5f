"""What is used while it is free of charge: counted like the rest, kept apart, and the same in whatever order it is told."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.joining import apply_report
from app.domain.ledger import Ledger
from app.domain.local_time import WITA, day_begins_at
from app.domain.marks import Cuts, Mark, day_marks, part_of
from app.domain.online import Stretch, seconds_within
from app.domain.reports import ReportKind, SessionReport
from app.domain.schedules import Span
from app.domain.sessions import Session
from app.domain.usage import DayUsage, usage_by_day
from tests.factories import NOON, make_report

INTERIM = ReportKind.INTERIM
TODAY = date(2026, 11, 24)
MIDNIGHT = day_begins_at(TODAY + timedelta(days=1), WITA)
NIGHT = Span(MIDNIGHT - timedelta(hours=1), MIDNIGHT + timedelta(hours=5))  # 23.00 to 05.00
CUTS: Cuts = (5 * 60, 23 * 60)


def joined(*reports: SessionReport, cuts: Cuts = CUTS) -> Session:
    session: Session | None = None
    for report in reports:
        session = apply_report(session, report, zone=WITA, cuts=cuts)
    assert session is not None
    return session


def at(hours: float, down: int) -> SessionReport:
    """Report so many hours after noon what was used since noon."""
    return make_report(INTERIM, minute=60 * hours, down=down)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([at(10, 100)], {TODAY: (100, 0)}, id="before it is free"),
        pytest.param([at(11, 100), at(12, 300)], {TODAY: (300, 200)}, id="an hour of it"),
        pytest.param([at(10.5, 100), at(11.5, 300)], {TODAY: (300, 100)}, id="its beginning between two reports"),
        pytest.param(
            [at(11, 100), at(12, 300), at(17, 800), at(18, 1_000)],
            {TODAY: (300, 200), TODAY + timedelta(days=1): (700, 500)},
            id="the whole night",
        ),
        pytest.param(
            [at(10, 0), at(20, 1_000)], {TODAY: (200, 100), TODAY + timedelta(days=1): (800, 500)}, id="silent"
        ),
    ],
)
def test_what_is_free_is_counted_apart(reports: Sequence[SessionReport], expected: dict[date, tuple[int, int]]) -> None:
    usage = usage_by_day(joined(*reports), zone=WITA, free=[NIGHT])
    assert {day: (used.down_octets, used.free_down_octets) for day, used in usage.items()} == expected


def test_reports_are_kept_on_both_sides_of_a_cut() -> None:
    marks = day_marks([Mark(MIDNIGHT + timedelta(minutes=m), m, 0) for m in (1, 299, 301, 1_000)], WITA, CUTS)
    assert [(one.begins, one.first.up_octets, one.last.up_octets) for one in marks] == [(0, 1, 299), (300, 301, 1_000)]
    assert part_of(MIDNIGHT, WITA, ()) == (TODAY + timedelta(days=1), 0)


histories = st.lists(
    st.builds(
        lambda minutes, up, down: make_report(INTERIM, minute=minutes, up=up, down=down),
        st.integers(1, 2_000),
        st.integers(0, 10**9),
        st.integers(0, 10**9),
    ),
    min_size=1,
    max_size=10,
)
SPANS = st.lists(
    st.tuples(st.integers(0, 2_000), st.integers(1, 300)).map(
        lambda at: Span(NOON + timedelta(minutes=at[0]), NOON + timedelta(minutes=at[0] + at[1]))
    ),
    max_size=1,
)


def replayed(history: Sequence[SessionReport], cuts: Cuts) -> list[Session]:
    numbers = count()
    ledger = Ledger(WITA, {}, lambda: f"{next(numbers):016d}", cuts)
    for report in history:
        ledger.record(report)
    ledger.settle({session_id: [] for session_id in ledger.unsettled()})
    return [session._replace(id="") for session in ledger.sessions()]


@settings(max_examples=100, deadline=None)
@given(histories, st.sets(st.integers(1, 1_439), max_size=3), SPANS, st.data())
def test_free_is_part_of_the_whole_and_no_order_changes_either(
    history: list[SessionReport], minutes: set[int], spans: list[Span], data: st.DataObject
) -> None:
    cuts = tuple(sorted(minutes))
    (session,) = replayed(history, cuts)
    usage = usage_by_day(session, zone=WITA, free=spans)
    assert sum(used.octets for used in usage.values()) == session.charged.up_octets + session.charged.down_octets
    assert all(0 <= used.free_down_octets <= used.down_octets for used in usage.values())
    assert all(0 <= used.free_up_octets <= used.up_octets for used in usage.values())
    (other,) = replayed(data.draw(st.permutations(history)), cuts)
    assert usage_by_day(other, zone=WITA, free=spans) == usage
    without = {day: DayUsage(used.up_octets, used.down_octets) for day, used in usage.items()}
    plain = usage_by_day(session, zone=WITA)
    assert {day: used for day, used in without.items() if used.octets} == {d: u for d, u in plain.items() if u.octets}


def test_seconds_within_times() -> None:
    stretches = [Stretch(0, 100), Stretch(200, 300)]
    assert seconds_within(stretches, [Stretch(50, 250)]) == 100
    assert seconds_within(stretches, [Stretch(100, 200), Stretch(290, 900)]) == 10
    assert seconds_within(stretches, []) == 0
