"""D09: a wall clock is set, forward or back, or begins in 1970: nothing expires by it, and nobody waits for it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.node.arrivals import Arrivals
from app.node.reports import event_time
from app.node.running import announce
from app.services import plans, users
from app.services.sessions import session_totals
from radius.attributes import Attributes
from radius.codes import StatusType
from radius.messages import Accept
from tests.factories import MAC, NOON
from tests.node.city import MAC_SECRET, City, Node, Said, worker_of

Start = Callable[[City], Node]
HOUR = timedelta(hours=1)
BOOT = datetime(1970, 1, 1, 0, 0, 40, tzinfo=UTC)


def log_in(node: Node, *, mac: str = MAC, session: str = "81a00001") -> bool:
    return isinstance(node.ask(node.request("budi", "rahasia-123", mac=mac, session=session)), Accept)


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_sessions_are_not_silent_because_the_clock_was_set(
    city: City, start: Start, tmp_path: Path, step: timedelta
) -> None:
    city.add_user("budi")
    node = start(city)
    assert log_in(node)
    said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC}
    assert node.backend.account([node.report(StatusType.START, **said)]) == [True]
    worker, beat = worker_of(city, tmp_path / "journal" / "nodenodenodenode" / "0"), announce(tmp_path, "radius-0", {})

    def pass_by(minutes: int) -> None:
        for _ in range(minutes):
            city.time.pass_by(60)
            os.utime(beat, (city.time.at.timestamp(), city.time.at.timestamp()))
            worker.turn()

    pass_by(5)
    city.time.at += step
    pass_by(14)
    assert session_totals(city.database).open == 1
    pass_by(80)
    assert session_totals(city.database).closed == 1
    worker.close()


def test_reservation_does_not_outlive_90_seconds_because_the_clock_was_set_back(city: City, start: Start) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    assert log_in(node)
    assert not log_in(node, mac="02:aa:00:00:00:02", session="81a00002")
    city.time.at -= HOUR
    city.time.pass_by(90)
    assert log_in(node, mac="02:aa:00:00:00:02", session="81a00002")


def test_device_that_logs_in_after_the_clock_was_set_back_takes_its_new_place(city: City, start: Start) -> None:
    city.add_user("budi")
    city.add_user("siti")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, device_limit=1)
    node = start(city)
    assert log_in(node)
    said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "User_Name": "budi"}
    assert node.backend.account([node.report(StatusType.START, **said)]) == [True]
    city.time.at -= HOUR
    assert isinstance(node.ask(node.request("siti", "rahasia-123", session="81a00002")), Accept)
    assert log_in(node, mac="02:aa:00:00:00:02", session="81a00003")


def test_grant_is_still_known_after_the_clock_was_set_past_its_end_and_back(city: City, start: Start) -> None:
    city.add_grant(MAC, city.add_user("budi"))
    node = start(city)
    city.time.at += timedelta(days=1)
    node.snapshot.tick(city.time.at)
    node.load()
    city.time.at -= timedelta(days=1)
    node.snapshot.tick(city.time.at)
    assert isinstance(node.ask(node.request(MAC, MAC_SECRET)), Accept)


def test_validity_does_not_begin_in_1970(city: City, start: Start, tmp_path: Path) -> None:
    city.add_user("budi")
    plans.set_plan(city.database, "Warga", chance=city.chance, now=city.time.at, validity_seconds=7 * 86_400)
    node = start(city)
    city.time.at = BOOT
    assert log_in(node)
    worker = worker_of(city, tmp_path / "journal" / "nodenodenodenode" / "0")
    worker.drain()
    city.time.at = NOON
    node.learn()
    assert log_in(node, session="81a00002")
    worker.drain()
    worker.close()
    used_at = users.show_user(city.database, "budi", now=city.time.at).account.first_used_at
    assert used_at is not None
    assert NOON <= used_at < NOON + timedelta(minutes=1)


def test_routers_clock_is_believed_where_ours_has_lost_its_battery() -> None:
    said = Attributes([("Event-Timestamp", NOON)])
    assert event_time(said, BOOT.timestamp()) == NOON
    assert event_time(Attributes([("Event-Timestamp", BOOT)]), BOOT.timestamp()) == BOOT


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
def test_session_is_one_though_the_clock_was_set_and_its_router_sends_no_time(
    city: City, start: Start, tmp_path: Path, step: timedelta
) -> None:
    city.add_user("budi")
    node = start(city)

    def tell(seconds: int) -> None:
        said: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Acct_Session_Time": seconds}
        report = node.report(StatusType.INTERIM_UPDATE, Acct_Output_Octets=1000 * seconds, **said)
        assert node.backend.account([report]) == [True]

    assert log_in(node)
    for minute in range(10):
        tell(60 * minute)
        city.time.at += step if minute == 4 else timedelta()
        city.time.pass_by(60)
    worker = worker_of(city, tmp_path / "journal" / "nodenodenodenode" / "0")
    worker.drain()
    worker.close()
    totals = session_totals(city.database)
    assert (totals.sessions, totals.down_octets) == (1, 540_000)


def test_arrivals_make_up_for_an_hour_within_two() -> None:
    arrivals, at = Arrivals(), NOON.timestamp()
    assert arrivals.shift(at, 1000.0) == 0.0
    assert arrivals.shift(at + 3600, 1000.0) == -3600.0
    assert arrivals.shift(at + 3600 + 60, 1060.0) == -3570.0
    assert arrivals.shift(at + 3600 + 7200, 8200.0) == 0.0
    assert arrivals.shift(at + 7200, 8200.0) == 3600.0


def test_arrivals_leave_1970_at_once() -> None:
    arrivals = Arrivals()
    assert arrivals.shift(BOOT.timestamp(), 40.0) == 0.0
    assert arrivals.shift(NOON.timestamp(), 41.0) == 0.0
