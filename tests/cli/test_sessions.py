"""Sessions and usage, as scripts and people read them."""

import os
from datetime import timedelta
from typing import Any

import pytest

from app.db.engine import Database
from app.domain.addresses import AddressKind
from app.domain.local_time import WITA
from app.domain.reports import Reported, ReportKind, SessionReport
from app.services.ingest import merge
from tests.cli.conftest import Pesisir
from tests.factories import MAC, NOON


@pytest.fixture
def reported(city: Pesisir, stored: Database) -> Pesisir:
    """Siti's closed session and an open one of nobody's, behind gusung-1."""
    nas_id = city.ok("nas", "show", "gusung-1", "--json").json["id"]
    account_id = city.ok("user", "show", "siti", "--json").json["id"]

    def report(kind: ReportKind, session: str, minutes: int, octets: int, **more: Any) -> Reported:
        at = NOON + timedelta(minutes=minutes)
        said = SessionReport(kind, nas_id, "gusung-1", session, MAC, "x", at, octets, 3 * octets, minutes * 60, **more)
        return Reported(said, b"packet", at, "127.0.0.1:1813", nas_id)

    siti: dict[str, Any] = {"account_id": account_id, "acceptance_id": "acceptacceptacce", "ip": "10.5.50.7"}
    siti["addresses"] = ((AddressKind.DELEGATED_IPV6_PREFIX, "2001:db8:1::/56"),)
    items = [
        report(ReportKind.START, "s1", 0, 0, **siti),
        report(ReportKind.STOP, "s1", 5, 1_000_000, terminate_cause="User-Request", **siti),
        report(ReportKind.START, "s2", 0, 0),
        report(ReportKind.INTERIM, "s2", 1, 5),
    ]
    merge(stored, items, position=None, origin="test", zone=WITA, now=NOON, chance=os.urandom)
    return city


def test_session_in_json_has_the_documented_shape(reported: Pesisir) -> None:
    (session,) = reported.ok("session", "list", "--state", "closed", "--json").json
    assert len(session.pop("id")) == 16
    assert session == {
        "user": "siti",
        "device": MAC,
        "nas": "gusung-1",
        "site": "Gusung",
        "acct_session_id": "s1",
        "ip": "10.5.50.7",
        "state": "closed",
        "started_at": "2026-11-24T12:00:00+08:00",
        "ended_at": "2026-11-24T12:05:00+08:00",
        "session_time": 300,
        "up_octets": 1_000_000,
        "down_octets": 3_000_000,
        "terminate_cause": "User-Request",
        "flags": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((), {"s2"}, id="open ones unless asked otherwise"),
        pytest.param(("--state", "all"), {"s1", "s2"}, id="all"),
        pytest.param(("--state", "all", "--user", "siti"), {"s1"}, id="of a user"),
        pytest.param(("--state", "all", "--nas", "gusung-1"), {"s1", "s2"}, id="behind a nas"),
    ],
)
def test_sessions_are_chosen(reported: Pesisir, arguments: tuple[str, ...], expected: set[str]) -> None:
    listed = reported.ok("session", "list", *arguments, "--json").json
    assert {session["acct_session_id"] for session in listed} == expected


def test_limit_keeps_the_newest(reported: Pesisir) -> None:
    assert len(reported.ok("session", "list", "--state", "all", "--limit", "1", "--json").json) == 1


def test_session_of_nobody_is_flagged(reported: Pesisir) -> None:
    (session,) = reported.ok("session", "list", "--json").json
    assert (session["user"], session["flags"]) == (None, ["unmatched"])
    assert "unmatched" in reported.ok("session", "list").out


def test_one_session_is_shown_as_it_is_listed(reported: Pesisir) -> None:
    (session,) = reported.ok("session", "list", "--json").json
    assert reported.ok("session", "show", session["id"], "--json").json == session
    assert session["acct_session_id"] in reported.ok("session", "show", session["id"]).out


def test_totals_add_up_everything(reported: Pesisir) -> None:
    assert reported.ok("session", "totals", "--json").json == {
        "sessions": 2, "open": 1, "closed": 1, "up_octets": 1_000_005, "down_octets": 3_000_015,
    }  # fmt: skip


def test_usage_is_by_period(reported: Pesisir) -> None:
    octets = {"up_octets": 1_000_000, "down_octets": 3_000_000, "total_octets": 4_000_000, "uncounted_octets": 0}
    used = octets | {"online_seconds": 300}
    found = reported.ok("usage", "siti", "--json").json
    assert (found["user"], found["total"]) == ("siti", used)
    assert set(found) == {"user", "account_id", "day", "week", "month", "billing", "total"}
    assert "4 MB" in reported.ok("usage", "siti").out


def test_journal_that_was_never_written_waits_for_nothing(city: Pesisir) -> None:
    assert city.ok("journal", "status", "--json").json == {"pending": 0, "octets": 0, "oldest_at": None, "damaged": []}


def test_a6_20_session_show_has_what_the_router_said_of_ipv6(reported: Pesisir) -> None:
    (session,) = reported.ok("session", "list", "--state", "closed", "--json").json
    shown = reported.ok("session", "show", session["id"], "--json").json
    assert shown == session | {"delegated_ipv6_prefix": "2001:db8:1::/56"}
    text = reported.ok("session", "show", session["id"]).out
    assert "delegated ipv6 prefix" in text
    assert "framed ipv6 address" not in text
