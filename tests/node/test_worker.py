"""The worker between journals and database: exactly once, whatever happens to either; and its chores."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from app.db.engine import Database, open_database
from app.db.errors import AWAY
from app.db.tables.changes import changes as changes_table
from app.db.tables.changes import feed
from app.db.tables.columns import metadata
from app.db.tables.journals import accounting_events
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.local_time import WITA
from app.domain.schedules import Window
from app.node.journal.records import RecordType
from app.node.journal.status import journal_status
from app.node.running import announce
from app.services import users
from app.services.ceilings import set_ceilings
from app.services.sessions import session_totals
from app.services.windows import set_plan_window
from app.worker.loop import Worker, WorkerBusyError
from radius.codes import StatusType
from radius.messages import Accept
from tests.conftest import PostgresqlServer
from tests.factories import MAC
from tests.node.city import City, Node, Said
from tests.node.journals import until

Start = Callable[[City], Node]
Make = Callable[[City], Worker]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Make]:
    """Make a worker over the data directory of `start`; an earlier one is gone by then."""
    made: list[Worker] = []

    def make(city: City) -> Worker:
        if made:
            made.pop().close()
        made.append(
            Worker(
                city.database,
                city.keyring,
                data_dir=tmp_path,
                node="node",
                zone=WITA,
                journal_keep_seconds=3600,
                now=city.time.now,
                monotonic=city.time.monotonic,
                chance=os.urandom,
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def count(database: Database, table: str) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(metadata.tables[table])) or 0


def report_use(node: Node, octets: int, session: str = "81a00001") -> None:
    accept = node.ask(node.request("budi", "rahasia-123", session=session))
    assert isinstance(accept, Accept)
    said: Said = {"Acct_Session_Id": session, "Calling_Station_Id": MAC, "Class": accept.class_value}
    record = node.report(StatusType.INTERIM_UPDATE, Acct_Output_Octets=octets, Acct_Session_Time=60, **said)
    assert node.backend.account([record]) == [True]


def test_reports_and_verdicts_reach_the_database_once(both_city: City, start: Start, work: Make) -> None:
    both_city.add_user("budi")
    node = start(both_city)
    report_use(node, 1000)
    assert work(both_city).drain() == 2
    assert work(both_city).drain() == 0  # another worker goes on from what the database says
    assert session_totals(both_city.database).down_octets == 1000
    assert count(both_city.database, "accounting_events") == 1
    assert count(both_city.database, "access_log") == 1
    assert count(both_city.database, "devices") == 1


# D03
def test_worker_goes_on_over_restarts_of_the_node(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    for run in range(4):
        node = start(city)
        report_use(node, 1000 * (run + 1), session=f"81a0000{run}")
        if run % 2:
            work(city).drain()
    work(city).drain()
    assert session_totals(city.database).sessions == 4
    assert session_totals(city.database).down_octets == 10_000


# D03
def test_record_that_makes_no_sense_is_set_aside_and_stops_nothing(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    node = start(city)
    node.journal.append(
        [(RecordType.ACCOUNTING, b"?"), (99, b"of a newer release"), (RecordType.VERDICT, b"x" * 100)], patience=5
    )
    report_use(node, 1000)
    work(city).drain()
    assert count(city.database, "set_aside") == 3
    assert session_totals(city.database).down_octets == 1000


def test_a6_16_every_packet_is_kept_as_it_came_with_attributes_that_nobody_knows(
    city: City, start: Start, work: Make
) -> None:
    node = start(city)
    said: Said = {"Acct_Session_Id": "1", "Calling_Station_Id": MAC}
    record = node.report(StatusType.START, **said)
    unknown = b"\xfa\x04\xff\x00" + b"\x1a\x0c\x00\x0f\x42\x3f\x01\x06" + bytes(4)
    raw = record.raw[:2] + (len(record.raw) + len(unknown)).to_bytes(2) + record.raw[4:] + unknown
    node.backend.account([record._replace(raw=raw)])
    work(city).drain()
    with city.database.read() as connection:
        (packet,) = connection.scalars(select(accounting_events.c.packet))
    assert packet == raw


def test_accounting_without_a_session_is_kept_and_counted(city: City, start: Start, work: Make) -> None:
    node = start(city)
    node.backend.account([node.report(StatusType.START, Calling_Station_Id=MAC)])
    work(city).drain()
    assert count(city.database, "accounting_events") == 1
    assert session_totals(city.database).sessions == 0


def test_another_worker_is_refused(city: City, start: Start, work: Make, tmp_path: Path) -> None:
    work(city)
    with pytest.raises(WorkerBusyError):
        Worker(
            city.database,
            city.keyring,
            data_dir=tmp_path,
            node="node",
            zone=WITA,
            journal_keep_seconds=3600,
            now=city.time.now,
            monotonic=city.time.monotonic,
            chance=os.urandom,
        )


def test_position_moved_by_somebody_else_is_followed(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    node = start(city)
    report_use(node, 1000)
    worker = work(city)
    worker.drain()
    report_use(node, 2000)
    with city.database.write() as connection:
        connection.execute(text('UPDATE ingest_positions SET "offset" = 64'))  # a restored backup
    while worker.drain():
        pass
    worker.drain()
    assert session_totals(city.database).down_octets == 2000


def test_database_that_goes_away_is_waited_for(
    postgresql_server: PostgresqlServer,
    migrated_postgresql_name: str,
    city: City,
    start: Start,
    work: Make,
) -> None:
    name = postgresql_server.create(template=migrated_postgresql_name)
    database = open_database(postgresql_server.url(name))
    away = City(database, city.keyring)
    away.add_user("budi")
    node = start(away)
    report_use(node, 1000)
    worker = work(away)
    postgresql_server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    postgresql_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(AWAY):
        worker.drain()
    report_use(node, 2000)  # routers are acknowledged meanwhile
    assert journal_status(node.folder.parent.parent.parent, {}).pending == 4
    postgresql_server.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    worker.drain()
    assert session_totals(database).down_octets == 2000
    database.close()


def test_silent_sessions_are_closed_only_while_somebody_listens(
    city: City, start: Start, work: Make, tmp_path: Path
) -> None:
    city.add_user("budi")
    node = start(city)
    report_use(node, 1000)
    worker = work(city)
    worker.drain()

    def an_hour_passes() -> None:
        for _ in range(60):
            city.time.pass_by(60)
            worker.turn()

    an_hour_passes()
    assert session_totals(city.database).open == 1  # no radius process here: the silence may be our own
    beat = announce(tmp_path, "radius-0", {})
    for _ in range(60):
        city.time.pass_by(60)
        os.utime(beat, (city.time.at.timestamp(), city.time.at.timestamp()))
        worker.turn()
    assert session_totals(city.database).closed == 1


def test_old_feed_rows_grants_and_segments_are_cleared_away(city: City, start: Start, work: Make) -> None:
    account = city.add_user("budi")
    city.add_grant(MAC, account)
    for run in range(3):
        report_use(start(city), 1000, session=f"81a0000{run}")
    worker = work(city)
    worker.drain()
    city.time.pass_by(3 * 86_400)
    later = city.time.at + timedelta(days=20)
    city.time.at = max(city.time.at, later)
    worker.turn()
    with city.database.read() as connection:
        assert connection.scalar(select(func.min(feed.c.at))) is None
    assert count(city.database, "resume_grants") == 0
    assert worker.counters.segments_deleted == 2  # the newest stays: numbers go on from it


def test_a6_21_worker_judges_accounting_once_everything_is_merged_and_nodes_shorten_sessions(
    city: City, start: Start, work: Make
) -> None:
    city.add_user("budi")
    node, worker = start(city), work(city)
    for number in range(5):
        mac, session = f"02:aa:00:00:00:0{number}", f"81a0000{number}"
        accept = node.ask(node.request("budi", "rahasia-123", mac=mac, session=session))
        assert isinstance(accept, Accept)
        assert accept.authorization.session_timeout_seconds is None
    worker.drain()
    city.time.pass_by(300)
    worker.turn()
    node.learn()
    assert not node.known.accounts
    accept = node.ask(node.request("budi", "rahasia-123", session="81a00009"))
    assert isinstance(accept, Accept)
    assert accept.authorization.session_timeout_seconds == 600
    node.backend.account([node.report(StatusType.START, Acct_Session_Id="81a00009", Class=accept.class_value)])
    worker.drain()
    city.time.pass_by(600)
    worker.turn()
    node.learn()
    assert node.known.accounts


def test_little_is_gathered_and_much_is_merged_at_once(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    node = start(city)
    worker = work(city)
    report_use(node, 1000)
    assert worker.turn() >= 0.1  # each merge is news that every node reads
    node.backend.account(
        [node.report(StatusType.INTERIM_UPDATE, Acct_Session_Id="81a00001", Acct_Input_Octets=n) for n in range(500)]
    )
    assert worker.turn() < 0.1


def test_stop_ends_the_loop(city: City, start: Start, work: Make) -> None:
    worker = work(city)
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: worker.ready)
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_session_is_told_when_the_hour_changes_its_rate_and_ended_when_it_closes(
    city: City, start: Start, work: Make
) -> None:
    city.add_user("budi")
    every = tuple(range(7))
    for window in (
        Window("ramai", every, 13 * 60, 14 * 60, rates=(("down_bps", 1_000_000),)),
        Window("tutup", every, 14 * 60, 15 * 60, closed=True),
    ):
        set_plan_window(city.database, "Warga", window, **city.circumstances)
    node = start(city)
    accept = node.ask(node.request("budi", "rahasia-123"))
    assert isinstance(accept, Accept)
    said: Said = {"User_Name": "budi", "Acct_Session_Id": "81a00001", "Class": accept.class_value}
    node.backend.account([node.report(StatusType.START, **said)])
    worker = work(city)
    worker.drain()

    def told() -> list[tuple[str, str]]:
        worker.turn()
        with city.database.read() as connection:
            changes = connection.execute(select(changes_table).order_by(changes_table.c.created_at))
            return [(row.kind, row.reason) for row in changes]

    assert told() == []
    city.time.pass_by(3_600)
    assert told() == [("change", "hours")]
    city.time.pass_by(3_600)
    assert ("disconnect", "closed") in told()


def test_hours_that_begin_are_seen_as_soon_as_their_minute_has_begun(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    busy = Window("ramai", tuple(range(7)), 12 * 60 + 1, 14 * 60, rates=(("down_bps", 1_000_000),))
    set_plan_window(city.database, "Warga", busy, **city.circumstances)
    report_use(start(city), 1000)
    worker = work(city)
    worker.turn()
    city.time.pass_by(58)
    worker.turn()
    assert count(city.database, "changes") == 0
    city.time.pass_by(2)
    worker.turn()
    assert count(city.database, "changes") == 1


def test_who_could_not_be_put_out_is_asked_for_again_after_a_while(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    report_use(start(city), 1000)
    worker = work(city)
    worker.drain()
    users.suspend_user(city.database, "budi", suspended=True, **city.circumstances)
    failed = {"state": "failed", "attempts": 8, "finished_at": city.time.at}
    with city.database.write() as connection:
        connection.execute(changes_table.update().values(failed))

    def states() -> list[tuple[str, int]]:
        worker.turn()
        with city.database.read() as connection:
            found = connection.execute(select(changes_table.c.state, changes_table.c.attempts))
            return [(row.state, row.attempts) for row in found]

    city.time.pass_by(800)
    assert states() == [("failed", 8)]
    city.time.pass_by(400)
    assert states() == [("pending", 0)]


def test_what_time_alone_ends_is_told_to_open_sessions(city: City, start: Start, work: Make) -> None:
    """A ceiling that ends, and an account that is over."""
    account = city.add_user("budi")
    report_use(start(city), 1000)
    worker = work(city)
    worker.drain()
    ends_at = city.time.at + timedelta(minutes=1)
    held = Ceiling(account.id, MAC, CeilingSource.GOVERNOR, 512_000, None, ends_at, "antre", "governor")
    set_ceilings(city.database, [held], now=city.time.at, chance=city.chance)
    users.set_user(city.database, "budi", valid_until=ends_at, **city.circumstances)
    with city.database.write() as connection:
        connection.execute(changes_table.delete())
    worker.turn()
    assert count(city.database, "changes") == 0
    city.time.pass_by(60)
    worker.turn()
    with city.database.read() as connection:
        queued = connection.execute(select(changes_table.c.kind, changes_table.c.reason)).all()
    assert sorted(tuple(row) for row in queued) == [("change", "ceiling"), ("disconnect", "expired")]


def test_what_ends_at_a_minute_is_told_at_that_minute(city: City, start: Start, work: Make) -> None:
    account = city.add_user("budi")
    report_use(start(city), 1000)
    worker = work(city)
    worker.drain()
    ends_at = city.time.at.replace(second=0, microsecond=0) + timedelta(minutes=2)
    held = Ceiling(account.id, MAC, CeilingSource.PERSON, 512_000, None, ends_at, "rapat", "admin")
    set_ceilings(city.database, [held], now=city.time.at, chance=city.chance)
    users.set_user(city.database, "budi", valid_until=ends_at, **city.circumstances)
    city.time.pass_by((ends_at - city.time.at).total_seconds() - 0.5)
    worker.turn()
    with city.database.write() as connection:
        connection.execute(changes_table.delete())
    city.time.pass_by(0.5)
    worker.turn()
    with city.database.read() as connection:
        reasons = sorted(connection.scalars(select(changes_table.c.reason)))
    assert reasons == ["ceiling", "expired"]


def test_log_names_a_router_that_does_not_account(city: City, start: Start, work: Make) -> None:
    city.add_user("budi")
    node, worker = start(city), work(city)
    for number in range(5):
        assert isinstance(node.ask(node.request("budi", "rahasia-123", session=f"81a0000{number}")), Accept)
    worker.drain()
    city.time.pass_by(120)
    with capture_logs() as lines:
        worker.turn()
    said = [line for line in lines if line["event"] == "nas_does_not_account"]
    assert [(line["nas"], line["nas_id"]) for line in said] == [("gusung-1", city.nas.id)]
