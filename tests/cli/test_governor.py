"""`pesisir governor show` and `history`, and the switch that they hang on."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from app.db.engine import open_database
from app.db.governing import Round
from app.db.governor_moves import GovernorMove
from app.db.tables.sessions import sessions
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.governed import Lever
from app.domain.service_classes import ServiceClass
from app.services.ceilings import set_ceilings
from app.services.governing import AUTHOR, keep_rounds
from app.services.sites import show_site
from app.services.uplinks import show_uplink
from tests.cli.conftest import Pesisir
from tests.factories import MAC

REASON = "took 14.0 Mbps for minutes while 40 others waited for the line; rises when there is room"


@pytest.fixture
def uplink(pesisir: Pesisir) -> str:
    pesisir.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    return "Telkom"


@pytest.mark.parametrize("mode", ["observe", "on", "off"])
def test_governor_is_off_until_it_is_switched(pesisir: Pesisir, uplink: str, mode: str) -> None:
    assert pesisir.ok("uplink", "show", uplink, "--json").json["governor"] == "off"
    pesisir.ok("uplink", "set", uplink, "--governor", mode)
    assert pesisir.ok("uplink", "show", uplink, "--json").json["governor"] == mode
    assert pesisir.ok("governor", "show", "--json").json[0]["governor"] == mode


def test_one_that_has_no_readings_says_that_it_does_not_know(pesisir: Pesisir, uplink: str) -> None:
    assert "not known" not in pesisir.ok("governor", "show").out
    pesisir.ok("uplink", "set", uplink, "--governor", "on")
    assert "not known" in pesisir.ok("governor", "show").out


def test_other_words_are_refused(pesisir: Pesisir, uplink: str) -> None:
    assert pesisir.run("uplink", "set", uplink, "--governor", "perhaps").code == 2


def test_a_line_that_was_never_looked_at_says_nothing(pesisir: Pesisir, uplink: str) -> None:
    shown = pesisir.ok("governor", "show")
    assert "Telkom" in shown.out
    assert "nobody is held down" in shown.err
    (told,) = pesisir.ok("governor", "show", "--json").json
    assert (told["looked_at"], told["load_bps"], told["held"]) == (None, None, [])


def test_who_is_held_down_is_shown_with_since_until_and_why(city: Pesisir, data_dir: Path) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    account = city.ok("user", "show", "siti", "--json").json["id"]
    now = datetime.now(UTC)
    database = open_database(f"sqlite:///{data_dir / 'pesisir.db'}")
    site = show_site(database, "Gusung").id
    with database.write() as connection:
        connection.execute(
            insert(sessions).values(
                id="sessionsessionab", nas_id="n", nas_scope="gusung", acct_session_id="1", mac=MAC, started_at=now,
                last_report_at=now, account_id=account, site_id=site, marks="[]", state="open",
            )
        )  # fmt: skip
    held = Ceiling(account, MAC, CeilingSource.GOVERNOR, 1_536_000, None, now + timedelta(minutes=15), REASON, AUTHOR)
    set_ceilings(database, [held], now=now, chance=os.urandom)
    uplink = show_uplink(database, "Telkom").uplink.id
    keep_rounds(database, [Round(uplink, now, 41, 57_000_000, 40, 1_536_000, 0)])
    database.close()

    (told,) = city.ok("governor", "show", "--json").json
    assert (told["load_bps"], told["others_waiting"], told["level_bps"]) == (57_000_000, 40, 1_536_000)
    (one,) = told["held"]
    assert (one["user"], one["device"], one["down_bps"], one["reason"]) == ("siti", MAC, 1_536_000, REASON)
    assert one["since"] < one["until"]
    shown = " ".join(city.ok("governor", "show").out.split())
    assert "95 %" in shown
    assert "1536k" in shown
    assert REASON in shown


def test_history_says_of_whom_from_what_to_what_and_why(city: Pesisir, data_dir: Path) -> None:
    assert "nothing was moved" in city.ok("governor", "history").err
    city.ok("uplink", "add", "Telkom", "--down", "60M", "--up", "20M")
    account = city.ok("user", "show", "siti", "--json").json["id"]
    now = datetime.now(UTC)
    database = open_database(f"sqlite:///{data_dir / 'pesisir.db'}")
    site, uplink = show_site(database, "Gusung").id, show_uplink(database, "Telkom").uplink.id
    moves = [
        GovernorMove(now, uplink, Lever.CEILING, None, 1_536_000, REASON, True, account, MAC, site),
        GovernorMove(now, uplink, Lever.SITE, None, 8_000_000, "why", False, site_id=site),
        GovernorMove(now, uplink, Lever.FLOOR, 4_000_000, None, "why", False, service_class=ServiceClass.OFFICE),
    ]
    keep_rounds(database, [], (), moves)
    database.close()

    floor, held, ceiling = city.ok("governor", "history", "--uplink", "Telkom", "--json").json
    assert {key: value for key, value in ceiling.items() if key != "at"} == {
        "uplink": "Telkom", "what": "ceiling", "user": "siti", "device": MAC, "site": "Gusung", "service_class": None,
        "from_bps": None, "to_bps": 1_536_000, "reason": REASON, "observed": True,
    }  # fmt: skip
    assert (held["what"], held["site"], held["user"], held["to_bps"]) == ("site", "Gusung", None, 8_000_000)
    assert (floor["service_class"], floor["from_bps"], floor["to_bps"]) == ("office", 4_000_000, None)
    lines = [" ".join(line.split()) for line in city.ok("governor", "history").out.splitlines()]
    assert "Telkom class office 4M its own why" in lines[1]
    assert "Telkom site Gusung its own 8M why" in lines[2]
    assert f"Telkom siti {MAC} its own 1536k (only observed) {REASON}" in lines[3]
    assert len(city.ok("governor", "history", "--limit", "1", "--json").json) == 1
    assert city.run("governor", "history", "--uplink", "Telkm").code == 3
