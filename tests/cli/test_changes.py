"""Sessions ended and held down by hand: who asked, why, and what became of it, in JSON and in words."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.cli.change_words import state_words
from app.db.engine import Database
from app.db.tables.overrides import ceilings
from app.db.tables.sessions import sessions
from app.domain.changes import Change, ChangeKind, ChangeState, Result, Way
from app.domain.local_time import WITA
from app.domain.reports import Reported, ReportKind, SessionReport
from app.services.ingest import merge
from tests.cli.conftest import Pesisir
from tests.factories import MAC, NOON


@pytest.fixture
def session(city: Pesisir, stored: Database) -> str:
    """Siti's open session, by its id."""
    nas_id = city.ok("nas", "show", "gusung-1", "--json").json["id"]
    account_id = city.ok("user", "show", "siti", "--json").json["id"]
    at = datetime.now(UTC) - timedelta(minutes=1)
    said = SessionReport(
        ReportKind.START, nas_id, "gusung-1", "s1", MAC, "x", at, 0, 0, 0, account_id=account_id, acceptance_id="8" * 16
    )
    item = Reported(said, b"packet", at, "127.0.0.1:1813", nas_id)
    merge(stored, [item], position=None, origin="test", zone=WITA, now=at, chance=os.urandom)
    found: str = city.ok("session", "list", "--json").json[0]["id"]
    return found


def test_a7_10_disconnect_is_kept_with_its_author_and_reason(city: Pesisir, session: str) -> None:
    said = city.ok("session", "disconnect", session, "--reason", "salah perangkat", "--by", "Ibu Ratna")
    assert f"pesisir session show {session}" in said.err
    (change,) = city.ok("change", "list", "--json").json
    assert change["author"].startswith("Ibu Ratna (cli:")
    expected: dict[str, str | None] = {
        "session": session,
        "user": "siti",
        "device": MAC,
        "nas": "gusung-1",
        "kind": "disconnect",
    }
    expected |= {"reason": "by_hand", "note": "salah perangkat", "state": "pending", "way": None, "result": None}
    assert {name: change[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("command", "said", "told"),
    [
        (("disconnect", "--reason", "rapat"), "would end", "end (rapat; cli:"),
        (("change", "--down", "1M", "--reason", "rapat"), "would be held down until 20", "new limits (rapat; cli:"),
    ],
    ids=["disconnect", "change"],
)
def test_dry_run_says_who_would_be_told_what_and_tells_nobody(
    city: Pesisir, session: str, command: tuple[str, ...], said: str, told: str
) -> None:
    verb, *options = command
    shown = city.ok("session", verb, session, *options, "--dry-run")
    assert shown.out.startswith(said)
    lines = dict(line.split("  ", 1) for line in shown.out.splitlines())
    assert [lines[name].strip() for name in ("user", "device", "nas")] == ["siti", MAC, "gusung-1"]
    assert lines["told"].strip().startswith(told)
    assert shown.err == "a dry run: nothing was changed\n"
    assert city.ok("change", "list", "--state", "all", "--json").json == []
    city.ok("session", verb, session, *options)
    assert len(city.ok("change", "list", "--state", "all", "--json").json) == 1


def test_list_without_an_open_change_says_where_the_others_are(city: Pesisir, session: str) -> None:
    hint = "nothing is open; what is done or failed: pesisir change list --state all\n"
    assert city.ok("change", "list").err == f"none\n{hint}"
    assert hint not in city.ok("change", "list", "--state", "all").err
    city.ok("session", "disconnect", session, "--reason", "x")
    assert hint not in city.ok("change", "list").err


def test_dry_run_refuses_what_would_be_refused(city: Pesisir, session: str) -> None:
    assert city.run("session", "disconnect", "nosuchsession", "--reason", "x", "--dry-run").code == 3
    assert city.run("session", "change", session, "--down", "none", "--dry-run").code == 2


def test_a7_10_disconnect_without_a_reason_is_refused(city: Pesisir, session: str) -> None:
    assert city.run("session", "disconnect", session).code == 2
    assert city.run("session", "disconnect", session, "--reason", " ").code == 2
    assert city.ok("change", "list", "--state", "all", "--json").json == []


def test_a7_10_ceiling_is_kept_with_its_author_and_reason(city: Pesisir, session: str, stored: Database) -> None:
    city.ok("session", "change", session, "--down", "512k", "--reason", "rapat", "--by", "Ibu Ratna")
    (change,) = city.ok("session", "show", session, "--json").json["changes"]
    assert (change["kind"], change["reason"], change["note"]) == ("change", "ceiling", "rapat")
    with stored.read() as connection:
        row = connection.execute(ceilings.select()).one()
    assert (row.down_bps, row.up_bps, row.reason, row.source) == (512_000, None, "rapat", "person")
    assert row.author == change["author"]
    assert row.until.astimezone(WITA).time().isoformat() == "00:00:00"
    city.ok("session", "change", session, "--up", "1M")
    city.ok("session", "change", session, "--down", "none")
    with stored.read() as connection:
        row = connection.execute(ceilings.select()).one()
    assert (row.down_bps, row.up_bps) == (None, 1_000_000)
    assert "lifted" in city.ok("session", "change", session, "--up", "none").err


def test_what_cannot_be_changed_is_said(city: Pesisir, session: str, stored: Database) -> None:
    assert city.run("session", "change", session).code == 2
    assert city.run("session", "change", session, "--down", "none").code == 2
    assert city.run("session", "change", session, "--down", "512k", "--until", "2020-01-01").code == 2
    assert city.run("session", "disconnect", "abcdefgh23456722", "--reason", "x").code == 3
    with stored.write() as connection:
        connection.execute(update(sessions).values(stopped_at=NOON, stop_cause="", stop_reported=True))
        connection.execute(update(sessions).values(marks='{"days": [], "proof": 0, "stop": [0, false]}'))
    assert city.run("session", "disconnect", session, "--reason", "x").code == 4


def test_changes_are_listed_by_state_and_nas_in_words(city: Pesisir, session: str) -> None:
    city.ok("session", "disconnect", session, "--reason", "salah perangkat")
    shown = city.ok("change", "list", "--nas", "gusung-1").out
    assert "end (salah perangkat; " in shown
    assert "pending: it is sent within a second" in shown
    assert "pending: it is sent within a second" in city.ok("session", "show", session).out
    assert city.ok("change", "list", "--state", "failed", "--json").json == []
    assert city.run("change", "list", "--nas", "nobody").code == 3


def change(state: ChangeState, result: str, way: Way | None = None) -> Change:
    return Change("id", "session", ChangeKind.CHANGE, "policy", state, NOON, NOON, attempts=8, result=result, way=way)


@pytest.mark.parametrize("state", ChangeState)
@pytest.mark.parametrize("result", ["", *Result, "refused:401", "silent:bad_authenticator", "of another release"])
def test_whatever_came_of_a_change_has_words(state: ChangeState, result: str) -> None:
    assert state_words(change(state, result)).startswith(f"{state.value}: ")


def test_words_say_why() -> None:
    refused = state_words(change(ChangeState.FAILED, "refused:403"))
    assert refused == "failed: the router refused: it takes itself for another NAS, Error-Cause 403"
    resumed = state_words(change(ChangeState.DONE, "acknowledged", Way.RESUME))
    assert resumed == "done: the router has ended it; the device comes back within its new limits"
