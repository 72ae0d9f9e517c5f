"""What is probably wrong with a NAS, where an operator looks: nas show, nas list, doctor."""

from datetime import UTC, datetime, timedelta

import pytest

from app.cli.hint_words import remedy, words
from app.db import hints, nases
from app.db.engine import Database
from app.db.hints import Notice
from app.domain.hints import HintKind
from tests.cli.conftest import Pesisir

DETAILS = {
    HintKind.CLOCK_OFF: "-2400",
    HintKind.COUNTS_AS_CLIENT: "18 20",
    HintKind.NO_ACCOUNTING: "5 6",
    HintKind.IDENTIFIER_MISMATCH: "Router\x1b[2J",
}


def notice(
    stored: Database, kind: HintKind, *, times: int = 1, at: datetime | None = None, nas: str = "gusung-1"
) -> None:
    with stored.write() as connection:
        found = nases.by_name(connection, nas)
        assert found is not None
        hints.add(connection, [Notice(found.id, kind, DETAILS.get(kind, ""), times)], now=at or datetime.now(UTC))


@pytest.mark.parametrize("kind", HintKind)
def test_every_hint_has_words_and_a_remedy(kind: HintKind) -> None:
    assert words(kind, DETAILS.get(kind, ""), 3)
    assert remedy(kind, "gusung-1")


@pytest.mark.parametrize(
    ("kind", "detail", "times", "said"),
    [
        pytest.param(HintKind.CLOCK_OFF, "-2400", 3, "its clock is 40m 00s slow", id="slow"),
        pytest.param(HintKind.CLOCK_OFF, "7200", 3, "its clock is 2h 00m fast", id="fast"),
        pytest.param(
            HintKind.SECRET_MISMATCH, "", 1, "secret mismatch? 1 packet made with another one", id="with a number"
        ),
        pytest.param(HintKind.SECRET_MISMATCH, "", 0, "secret mismatch?", id="without"),
        pytest.param(
            HintKind.NO_ACCOUNTING,
            "",
            0,
            "it lets people in and does not account: until it does, sessions last ten minutes",
            id="a node that does not know how many",
        ),
    ],
)
def test_words(kind: HintKind, detail: str, times: int, said: str) -> None:
    assert words(kind, detail, times) == said


def test_nas_show_says_what_was_seen_and_what_to_do(city: Pesisir, stored: Database) -> None:
    notice(stored, HintKind.SECRET_MISMATCH, times=7)
    shown = city.ok("nas", "show", "gusung-1").out
    assert "! secret mismatch? 7 packets made with another one (last at " in shown
    assert "next: enter the secret of pesisir nas config 'gusung-1' there" in shown
    (hint,) = city.ok("nas", "show", "gusung-1", "--json").json["hints"]
    assert (hint["hint"], hint["times"]) == ("secret_mismatch", 7)
    assert datetime.fromisoformat(hint["last_at"]).utcoffset() == timedelta(hours=8)


def test_nas_without_hints_has_none(city: Pesisir) -> None:
    assert "!" not in city.ok("nas", "show", "gusung-1").out
    assert city.ok("nas", "list", "--json").json[0]["hints"] == []


def test_a2_02_both_protections_off_is_a_lasting_warning_everywhere(city: Pesisir) -> None:
    city.ok("nas", "set", "gusung-1", "--require-message-authenticator", "no", "--limit-proxy-state", "no")
    assert "! unprotected: " in city.ok("nas", "show", "gusung-1").out
    assert "unprotected" in city.ok("nas", "list").out
    assert "router gusung-1" in city.run("doctor").out
    city.ok("nas", "set", "gusung-1", "--limit-proxy-state", "yes")
    for command in (("nas", "show", "gusung-1"), ("nas", "list"), ("doctor",)):
        assert "unprotected" not in city.run(*command).out


def test_a1_17_short_and_shared_secrets_are_said_of_the_nas(city: Pesisir) -> None:
    for name in ("kantor-1", "kantor-2"):
        city.ok(
            "nas", "add", name, "--address", "10.1.1.1", "--identifier", name, "--family", "generic", "--site", "Gusung",
            "--secret-file", "-", stdin="short\n",
        )  # fmt: skip
    hinted = {nas["name"]: [hint["hint"] for hint in nas["hints"]] for nas in city.ok("nas", "list", "--json").json}
    both = ["short_secret", "shared_secret"]
    assert hinted == {"gusung-1": [], "kantor-1": both, "kantor-2": both}


def test_doctor_says_what_nodes_have_noticed(city: Pesisir, stored: Database) -> None:
    for kind in (HintKind.DOWNGRADE, HintKind.CLOCK_OFF, HintKind.NO_ACCOUNTING, HintKind.IDENTIFIER_MISMATCH):
        notice(stored, kind)
    out = city.run("doctor").out
    assert "possible downgrade attack" in out
    assert "its clock is 40m 00s slow" in out
    assert "of 6 Accepts 5 had no accounting" in out
    assert "\x1b" not in out


def test_doctor_names_a_few_of_many_routers(city: Pesisir, stored: Database) -> None:
    for number in range(2, 9):
        city.ok(
            "nas", "add", f"gusung-{number}", "--address", f"10.1.1.{number}", "--family", "generic", "--site", "Gusung"
        )
    for number in range(1, 9):
        notice(stored, HintKind.DOWNGRADE, nas=f"gusung-{number}")
    out = city.run("doctor").out
    assert out.count("possible downgrade attack") == 5
    assert "downgrade, too: gusung-6, gusung-7, gusung-8" in out


def test_hint_of_long_ago_is_not_shown(city: Pesisir, stored: Database) -> None:
    notice(stored, HintKind.SECRET_MISMATCH, at=datetime.now(UTC) - timedelta(hours=2))
    assert "mismatch" not in city.ok("nas", "show", "gusung-1").out


def test_c3_07_identifier_that_a_router_sends_cannot_speak_to_the_terminal(city: Pesisir, stored: Database) -> None:
    notice(stored, HintKind.IDENTIFIER_MISMATCH)
    assert "\x1b" not in city.ok("nas", "show", "gusung-1").out + city.ok("nas", "list").out


def test_a2_09_nas_that_was_seen_to_sign_can_be_pinned(city: Pesisir, stored: Database) -> None:
    said = "pesisir nas set 'gusung-1' --require-message-authenticator yes"
    assert said not in city.ok("nas", "show", "gusung-1").err
    with stored.write() as connection:
        nas = nases.by_name(connection, "gusung-1")
        assert nas is not None
        nases.change(connection, nas.id, {"learned_message_authenticator": True})
    assert said in city.ok("nas", "show", "gusung-1").err
    city.ok("nas", "set", "gusung-1", "--require-message-authenticator", "yes")
    assert said not in city.ok("nas", "show", "gusung-1").err


def test_a2_02_taking_both_protections_away_is_warned_of_at_once(city: Pesisir) -> None:
    both = ("--require-message-authenticator", "no", "--limit-proxy-state", "no")
    done = city.ok("nas", "set", "gusung-1", *both)
    assert "warning: unprotected: neither must it sign nor is Proxy-State limited" in done.err
    assert "unprotected" not in city.ok("nas", "set", "gusung-1", *both[:3], "yes").err
