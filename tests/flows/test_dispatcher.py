"""Changes on their way to simulated routers of each family: real datagrams, real repetition, what people see."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.db.engine import Database, open_database
from app.db.tables.sessions import sessions
from app.domain.nases import Family
from app.services import nases
from app.services.keyring import Keyring
from radius.client_engine import Timing
from tests.conftest import PostgresqlServer
from tests.flows.dispatching import QUICK, Lab, Ports, reaches
from tests.node.journals import until


@pytest.fixture
def lab(sqlite_database: Database, keyring: Keyring) -> Iterator[Lab]:
    ports = Ports()
    yield Lab(sqlite_database, keyring, ports)
    ports.close()


@pytest.fixture
def both_lab(database: Database, keyring: Keyring) -> Iterator[Lab]:
    ports = Ports()
    yield Lab(database, keyring, ports)
    ports.close()


# Each family in its own manner


def test_coovachilli_is_told_by_coa_and_keeps_its_other_limits(both_lab: Lab) -> None:
    who = both_lab.online(Family.COOVACHILLI)
    both_lab.hold_down(who)
    with both_lab.dispatching():
        until(reaches(both_lab, who, "done", "acknowledged", "coa"))
    assert who.limits is not None
    assert (who.limits.down_bps, who.limits.up_bps, who.limits.total_octets) == (512_000, 256_000, 1_000_000)


def test_mikrotik_is_told_its_rate_by_coa(lab: Lab) -> None:
    who = lab.online(Family.MIKROTIK)
    lab.hold_down(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "coa"))
    assert who.limits is not None
    assert (who.limits.down_bps, who.limits.up_bps, who.limits.total_octets) == (512_000, 256_000, 1_000_000)


@pytest.mark.parametrize("family", [Family.USPOT, Family.GENERIC])
def test_rate_that_no_coa_carries_cuts_the_session(lab: Lab, family: Family) -> None:
    who = lab.online(family)
    lab.hold_down(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "resume"))
    assert who.limits is None


@pytest.mark.parametrize(
    "family",
    [Family.MIKROTIK, Family.COOVACHILLI, Family.USPOT, Family.HOSTAPD, Family.STRONGSWAN, Family.GENERIC],
)
def test_every_family_ends_a_session_when_it_is_asked_as_it_wants(lab: Lab, family: Family) -> None:
    who = lab.online(family)
    lab.end(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "disconnect"))
    assert who.limits is None


def test_a7_07_change_that_is_refused_becomes_a_cut(lab: Lab) -> None:
    """Like hostapd it takes no CoA, though it is registered as one that does."""
    who = lab.online(Family.COOVACHILLI, manner="hostapd")
    lab.hold_down(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "resume"))
    assert who.limits is None


def test_a7_05_session_that_the_router_has_forgotten_is_closed_here(lab: Lab) -> None:
    who = lab.online(Family.MIKROTIK)
    who.router.sessions.clear()
    lab.end(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "no_session", "disconnect"))
    with lab.database.read() as connection:
        assert connection.execute(select(sessions.c.state)).scalar_one() == "closed"


# Silence


def test_a7_06_wrong_secret_is_silence_and_nobody_is_shown_as_gone(lab: Lab) -> None:
    who = lab.online(Family.MIKROTIK, secret="quite-another-secret")
    lab.end(who)
    with lab.dispatching(QUICK) as dispatcher:
        until(reaches(lab, who, "unknown", "silent", "disconnect"))
        assert dispatcher.counters.silent == {who.router.settings.name: 1}
    with lab.database.read() as connection:
        assert connection.execute(select(sessions.c.state)).scalar_one() == "open"


def test_router_that_still_has_the_old_secret_is_reached(lab: Lab) -> None:
    who = lab.online(Family.MIKROTIK)
    name = who.router.settings.name
    nases.set_nas(lab.database, lab.keyring, name, now=datetime.now(UTC), secret="the-new-secret-of-gusung")
    lab.end(who)
    with lab.dispatching(Timing(give_up_seconds=2.0)):
        until(reaches(lab, who, "done", "acknowledged", "disconnect"))


def test_black_holed_router_delays_nobody_else(lab: Lab) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        lost = [lab.online(Family.MIKROTIK, port=hole.getsockname()[1]) for _ in range(3)]
        for who in lost:
            lab.end(who)
        well = lab.online(Family.MIKROTIK)
        lab.end(well)
        with lab.dispatching():
            until(reaches(lab, well, "done", "acknowledged", "disconnect"))
            assert {lab.stored(who)[0] for who in lost} == {"sent"}
    assert {lab.stored(who)[0] for who in lost} == {"pending"}  # who stops gives back what is on its way


@pytest.mark.lab
@pytest.mark.alone
def test_change_reaches_its_router_within_two_seconds(lab: Lab) -> None:
    who = lab.online(Family.MIKROTIK)
    with lab.dispatching():
        lab.hold_down(who)
        asked = monotonic()
        until(reaches(lab, who, "done", "acknowledged", "coa"))
        assert monotonic() - asked < 2


def test_many_changes_of_one_router_all_arrive(lab: Lab) -> None:
    people = [lab.online(Family.MIKROTIK) for _ in range(20)]
    for who in people:
        lab.hold_down(who)
    with lab.dispatching() as dispatcher:
        for who in people:
            until(reaches(lab, who, "done", "acknowledged", "coa"))
        assert dispatcher.counters.results == {("coa", "acknowledged"): 20}


def test_a7_08_change_goes_whence_the_session_was_last_heard_of(lab: Lab) -> None:
    """Though its NAS is a whole network."""
    who = lab.online(Family.MIKROTIK)
    name = who.router.settings.name
    nases.set_nas(lab.database, lab.keyring, name, now=datetime.now(UTC), address="127.0.0.0/8")
    lab.end(who)
    with lab.dispatching():
        until(reaches(lab, who, "done", "acknowledged", "disconnect"))


def test_explicit_address_is_where_changes_go(lab: Lab) -> None:
    who = lab.online(Family.MIKROTIK)
    name = who.router.settings.name
    nases.set_nas(lab.database, lab.keyring, name, now=datetime.now(UTC), address="192.0.2.0/24")
    lab.end(who)
    with lab.dispatching():
        until(reaches(lab, who, "failed", "nowhere", None))
        nases.set_nas(lab.database, lab.keyring, name, now=datetime.now(UTC), coa_address="localhost")
        lab.end(who)
        until(reaches(lab, who, "done", "acknowledged", "disconnect"))


def test_a_database_that_is_away_is_said_once_and_once_when_it_is_back(
    postgresql_server: PostgresqlServer, migrated_postgresql_name: str, keyring: Keyring
) -> None:
    name = postgresql_server.create(template=migrated_postgresql_name)
    database, ports = open_database(postgresql_server.url(name)), Ports()
    lab = Lab(database, keyring, ports)
    who = lab.online(Family.MIKROTIK)
    with capture_logs() as logs, lab.dispatching() as dispatcher:
        postgresql_server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        postgresql_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        until(lambda: dispatcher.counters.away >= 2)
        postgresql_server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        until(lambda: any(one["event"] == "outbox_reached" for one in logs))
        lab.end(who)
        until(reaches(lab, who, "done", "acknowledged", "disconnect"))
    told = [one for one in logs if one["event"].startswith("outbox_")]
    assert [one["event"] for one in told] == ["outbox_away", "outbox_reached"]
    assert told[1]["after_seconds"] > 0
    database.close()
    ports.close()
