"""What a node's memory keeps of its own reports, and for how long."""

from random import Random

import pytest

from app.db.snapshot import SessionFacts
from app.domain.local_time import WITA
from app.domain.reports import ReportKind, SessionReport
from app.node.octets import Place
from app.node.sessions import RESERVATION_SECONDS, Presence, Sessions
from tests.factories import NOON, make_report
from tests.node.city import unmerged_by

INTERIM, STOP = ReportKind.INTERIM, ReportKind.STOP
USER = "userauserauserau"


def report(number: int, up: int, kind: ReportKind = INTERIM) -> SessionReport:
    return make_report(kind, minute=10, up=up, acct_session_id=f"{number}", mac=f"02:aa:00:00:00:{number:02x}")


def test_report_counts_until_the_database_holds_it() -> None:
    sessions = Sessions(WITA)
    sessions.take_report(report(1, 100), Place(1, 10))
    sessions.take_report(report(2, 1_000), Place(1, 20))
    assert unmerged_by(sessions, USER) == 1_100
    sessions.take_position(Place(1, 10))
    assert unmerged_by(sessions, USER) == 1_000
    sessions.take_position(Place(1, 20))
    assert unmerged_by(sessions, USER) == 0


def test_session_that_has_reported_again_counts_until_the_last_report_is_merged() -> None:
    sessions = Sessions(WITA)
    for at, number, up in ((10, 1, 100), (20, 2, 1_000), (30, 1, 300)):
        sessions.take_report(report(number, up), Place(1, at))
    sessions.take_position(Place(1, 20))
    assert unmerged_by(sessions, USER) == 300
    sessions.take_position(Place(1, 30))
    assert unmerged_by(sessions, USER) == 0


def test_session_that_has_ended_is_forgotten_once_it_is_merged() -> None:
    sessions = Sessions(WITA)
    sessions.take_report(report(1, 100), Place(1, 10))
    sessions.take_report(report(1, 300, STOP), Place(1, 20))
    sessions.take_position(Place(1, 20))
    assert sessions.copied() == ({}, {})


def test_what_was_stored_is_merged_in_its_own_order() -> None:
    sessions, again = Sessions(WITA), Sessions(WITA)
    for number in range(1, 20):
        sessions.take_report(report(number, number), Place(1, 10 * number))
    devices, octets = sessions.copied()
    keys = list(octets)
    Random(1).shuffle(keys)
    again = Sessions.restored(WITA, devices, {key: octets[key] for key in keys}, Place(1, 50))
    assert unmerged_by(again, USER) == sum(range(6, 20))
    again.take_position(Place(1, 100))
    assert unmerged_by(again, USER) == sum(range(11, 20))


def test_fresh_load_keeps_what_only_the_node_knows() -> None:
    older = Sessions(WITA)
    for number in (3, 1, 2):
        older.take_report(report(number, 10**number), Place(1, 10 * number))
    told = report(1, 10)
    stored = SessionFacts(
        told.nas_id,
        told.nas_scope,
        "1",
        told.mac,
        told.user_name,
        USER,
        told.acceptance_id,
        NOON,
        10,
        0,
        NOON,
        open=True,
    )
    fresh = Sessions(WITA, [stored])
    fresh.carry_unmerged(older, Place(1, 10))
    assert unmerged_by(fresh, USER) == 1_100
    fresh.take_position(Place(1, 20))
    assert unmerged_by(fresh, USER) == 1_000


def accept(account_id: str, since: float) -> Presence:
    return Presence(account_id, "acceptance", "nas", "gusung-1", "1", account_id, since, since + RESERVATION_SECONDS)


@pytest.mark.parametrize(
    ("since", "replayed", "whose"),
    [
        pytest.param(1_000.0, False, "siti", id="at the same moment"),
        pytest.param(990.0, False, "budi", id="it has waited for its decision"),
        pytest.param(989.9, False, "siti", id="longer than any waits: the clock was set back"),
        pytest.param(989.9, True, "budi", id="read again from the journal"),
    ],
)
def test_accept_takes_the_place_of_what_is_not_newer(since: float, replayed: bool, whose: str) -> None:
    sessions = Sessions(WITA)
    sessions.reserve("02:aa:00:00:00:01", accept("budi", 1_000.0))
    sessions.reserve("02:aa:00:00:00:01", accept("siti", since), replayed=replayed)
    assert sessions.online(whose, 1_000.0) == {"02:aa:00:00:00:01"}


# A6.17
def test_request_that_has_waited_sees_the_places_that_were_taken_meanwhile() -> None:
    sessions = Sessions(WITA)
    sessions.reserve("02:aa:00:00:00:01", accept("budi", 1_003.0))
    assert sessions.online("budi", 1_000.0) == {"02:aa:00:00:00:01"}
    sessions.reserve("02:aa:00:00:00:02", accept("siti", 1_000.0))
    assert len(sessions) == 2


# D09, D18
def test_reservations_of_before_a_step_back_are_forgotten_too() -> None:
    sessions = Sessions(WITA)
    for number in range(100):
        sessions.reserve(f"02:aa:00:00:00:{number:02x}", accept("budi", 5_000.0))
    sessions.reserve("02:bb:00:00:00:01", accept("siti", 1_400.0))
    assert len(sessions) == 1
