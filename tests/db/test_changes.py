"""The outbox of changes: claimed once, finished once, never lost."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.db import changes
from app.db.engine import Database
from app.domain.changes import Change, ChangeKind, ChangeState
from tests.factories import NOON

MINUTE = timedelta(minutes=1)


def make_change(
    number: int = 1, *, session_id: str = "s1", kind: ChangeKind = ChangeKind.DISCONNECT, due_at: datetime = NOON
) -> Change:
    return Change(f"change{number}", session_id, kind, "suspended", ChangeState.PENDING, due_at, NOON)


def store(database: Database, *new: Change) -> None:
    with database.write() as connection:
        for change in new:
            changes.add(connection, change)


def claim(database: Database, change_id: str = "change1", *, now: datetime = NOON) -> bool:
    with database.write() as connection:
        return changes.claim(connection, change_id, retry_at=now + MINUTE)


def test_what_is_due_comes_earliest_first(database: Database) -> None:
    store(
        database,
        make_change(1, due_at=NOON),
        make_change(2, due_at=NOON - MINUTE),
        make_change(3, due_at=NOON + timedelta(seconds=1)),
    )
    with database.read() as connection:
        assert [due.change.id for due in changes.due(connection, now=NOON)] == ["change2", "change1"]


def test_of_two_workers_one_claims(database: Database) -> None:
    store(database, make_change())
    gate, claims = threading.Barrier(2), list[bool]()

    def work() -> None:
        gate.wait()
        claims.append(claim(database))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claims) == [False, True]


@pytest.mark.parametrize("state", [ChangeState.DONE, ChangeState.FAILED, ChangeState.PENDING])
def test_answer_is_recorded_once(database: Database, state: ChangeState) -> None:
    store(database, make_change())
    claim(database)
    with database.write() as connection:
        assert changes.finish(connection, "change1", state=state, result="ack", due_at=NOON)
        assert not changes.finish(connection, "change1", state=state, result="again", due_at=NOON)
        (stored,) = changes.of_session(connection, "s1")
    assert (stored.state, stored.result, stored.attempts) == (state, "ack", 1)


def test_change_of_a_worker_that_died_is_pending_again(database: Database) -> None:
    store(database, make_change())
    claim(database)
    with database.write() as connection:
        assert changes.requeue_lost(connection, now=NOON + MINUTE - timedelta(seconds=1)) == 0
        assert changes.requeue_lost(connection, now=NOON + MINUTE) == 1
    assert claim(database, now=NOON + MINUTE)


def test_what_is_over_is_forgotten_save_what_a_person_asked_for(database: Database) -> None:
    by_hand = replace(make_change(2), author="admin", note="salah perangkat")
    governed = replace(make_change(4), author="governor", note="antre")
    store(database, make_change(1), by_hand, make_change(3, session_id="s2"), governed)
    for change_id in ("change1", "change2", "change4"):
        claim(database, change_id)
        with database.write() as connection:
            changes.finish(connection, change_id, state=ChangeState.DONE, result="ended", due_at=NOON)
    with database.write() as connection:
        assert changes.forget(connection, before=NOON) == 0
        assert changes.forget(connection, before=NOON + MINUTE) == 2
        left = [*changes.of_session(connection, "s1"), *changes.of_session(connection, "s2")]
    assert [(change.id, change.state) for change in left] == [
        ("change2", ChangeState.DONE),
        ("change3", ChangeState.PENDING),
    ]


def test_only_unclaimed_changes_of_the_reason_are_withdrawn(database: Database) -> None:
    store(database, make_change(1), make_change(2, session_id="s2"), make_change(3, session_id="s3"))
    claim(database, "change2")
    with database.write() as connection:
        assert changes.withdraw(connection, ["s1"], kind=ChangeKind.DISCONNECT, reasons=["logged_out"]) == 0
        assert changes.withdraw(connection, ["s1"], kind=ChangeKind.CHANGE, reasons=["suspended"]) == 0
        assert changes.withdraw(connection, ["s1", "s2"], kind=ChangeKind.DISCONNECT, reasons=["suspended"]) == 1
        unanswered = changes.unanswered(connection, ["s1", "s2", "s3"], kind=ChangeKind.DISCONNECT)
        assert unanswered == {"s2", "s3"}
        assert changes.unanswered(connection, ["s1", "s2"], kind=ChangeKind.CHANGE) == set()
