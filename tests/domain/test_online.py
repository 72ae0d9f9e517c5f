"""Time online: counted once for several devices, without what is idle at the end, in whatever order it is told."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.joining import apply_report
from app.domain.local_time import WITA
from app.domain.online import Moved, Place, Stretch, Stretches, by_day, moved, online, places_of, seconds, union
from app.domain.reports import ReportKind, SessionReport
from app.domain.sessions import Session
from tests.domain.test_sessions_order import histories, replay
from tests.factories import NOON, make_report

START, INTERIM, STOP = ReportKind.START, ReportKind.INTERIM, ReportKind.STOP
STRETCHES = st.lists(st.builds(lambda at, length: Stretch(at, at + length), st.integers(0, 60), st.integers(1, 20)))


@given(STRETCHES)
def test_union_has_every_second_once(stretches: list[Stretch]) -> None:
    joined = union(stretches)
    every = {second for since, until in stretches for second in range(since, until)}
    assert [second for since, until in joined for second in range(since, until)] == sorted(every)
    assert seconds(joined) == len(every)
    assert all(left.until < right.since for left, right in itertools.pairwise(joined))


@given(STRETCHES, STRETCHES)
def test_union_of_unions_is_the_union_of_all(some: list[Stretch], others: list[Stretch]) -> None:
    assert union((*union(some), *union(others))) == union([*some, *others])


def test_stretch_is_cut_at_local_midnight() -> None:
    midnight = int(NOON.timestamp()) + 12 * 3_600
    cut = list(by_day(Stretch(midnight - 60, midnight + 30), WITA))
    assert cut == [
        (date(2026, 11, 24), Stretch(midnight - 60, midnight)),
        (date(2026, 11, 25), Stretch(midnight, midnight + 30)),
    ]


def joined(*reports: SessionReport) -> Session:
    session: Session | None = None
    for report in reports:
        session = apply_report(session, report, zone=WITA)
    assert session is not None
    return session


@pytest.mark.parametrize(
    ("reports", "minutes"),
    [
        pytest.param([make_report(INTERIM, minute=5, up=10)], 5, id="from the start to the report"),
        pytest.param(
            [make_report(INTERIM, minute=5, up=10), make_report(STOP, minute=15, up=10)], 5, id="without the idle tail"
        ),
        pytest.param(
            [make_report(INTERIM, minute=5, up=10), make_report(STOP, minute=15, up=10, down=1)],
            15,
            id="one more octet",
        ),
        pytest.param(
            [
                make_report(INTERIM, minute=5, up=10),
                make_report(INTERIM, minute=9, up=10),
                make_report(INTERIM, minute=12, up=11),
            ],
            12,
            id="with a pause",
        ),
        pytest.param([make_report(START), make_report(STOP, minute=15)], 0, id="nothing moved"),
        pytest.param(
            [
                make_report(START)._replace(has_octets=False),
                make_report(STOP, minute=15)._replace(has_octets=False),
            ],
            15,
            id="a router that counts no octets",
        ),
    ],
)
def test_session_is_online_until_its_last_data_has_moved(reports: Sequence[SessionReport], minutes: int) -> None:
    stretch = online(joined(*reports))
    assert (0 if stretch is None else stretch.until - stretch.since) == 60 * minutes


def days_of(sessions: set[Session]) -> dict[Place, Stretches]:
    found: dict[Place, list[Stretch]] = {}
    for session in sessions:
        for place, stretch in places_of(session, WITA):
            found.setdefault(place, []).append(stretch)
    return {place: union(stretches) for place, stretches in found.items()}


def after(before: Mapping[Place, Stretches], change: Moved, sessions: set[Session]) -> dict[Place, Stretches]:
    """Do as the database does: join what is given, and put together anew where something was taken."""
    anew = days_of(sessions)
    days = dict(before)
    for place, stretches in change.given.items():
        days[place] = union((*days.get(place, ()), *stretches))
    for place in change.taken:
        days[place] = anew.get(place, ())
    return {place: stretches for place, stretches in days.items() if stretches}


@settings(max_examples=100, deadline=None)
@given(histories, st.data())
def test_joined_step_by_step_is_what_all_sessions_say(history: list[SessionReport], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(history))
    days: dict[Place, Stretches] = {}
    before: set[Session] = set()
    for end in range(1, len(shuffled) + 1):
        now = replay(shuffled[:end])
        change = moved([(before - now, None), *(([], session) for session in now - before)], WITA)
        days, before = after(days, change, now), now
    assert days == days_of(replay(history))


def test_two_devices_at_once_count_once() -> None:
    phone = joined(make_report(INTERIM, minute=30, up=1))
    laptop = joined(
        make_report(INTERIM, minute=20, up=1, mac="02:aa:00:00:00:02", begins_at=NOON + timedelta(minutes=20))
    )
    ((_, stretches),) = days_of({phone, laptop}).items()
    assert seconds(stretches) == 40 * 60
