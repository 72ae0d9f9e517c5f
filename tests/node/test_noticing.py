"""What a node notices about the NASes it serves: A1.16, A2.10, A6.11, and secrets that do not fit."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest
from structlog.testing import capture_logs

from app.db import hints
from app.db.engine import Database
from app.domain.hints import SHOWN_FOR, Hint, HintKind
from app.domain.nases import Direction, Family, Nas, NasSecrets
from app.domain.reports import ReportKind
from app.node.nases import NasTable, known_nas
from app.node.notices import KEEP_SECONDS, NoticeBoard
from app.node.noticing import (
    CLOCK_LOOK_SECONDS,
    CLOCK_OFF_SECONDS,
    LOG_SECONDS,
    OFTEN,
    OFTEN_SECONDS,
    SESSIONS,
    Noticing,
)
from radius import AccessQuery, AccessRequest, Attributes, Code, Demand, DropReason, PapPassword, Service
from radius.client_engine import ClientEngine
from radius.net.events import Event
from radius.packet import Packet
from radius.server_engine import ServerEngine
from radius.values import Value
from tests.factories import NOON, make_report, make_site
from tests.node.city import Time
from tests.radius.support import SECRET, FakeBackend, make_arrival, make_datagram, make_nas, make_query

NAS_ID = "nas"
MB = 1_000_000


def make_table(direction: Direction = Direction.AUTO) -> NasTable:
    nas = Nas(NAS_ID, "gusung-1", "site", Family.COOVACHILLI, ip_network("192.0.2.7"), direction=direction)
    secrets = NasSecrets("a-secret-of-gusung", "", "a-mac-secret")
    return NasTable([known_nas(nas, make_site(), secrets, now=NOON)])


class Watch:
    """What notices, its board, and a clock that stands still."""

    def __init__(self, table: NasTable) -> None:
        self.time = Time()
        self.board = NoticeBoard(lambda nas_id: nas_id, monotonic=self.time.monotonic)
        self.noticing = Noticing(self.board, lambda: table, monotonic=self.time.monotonic)

    @property
    def noticed(self) -> list[tuple[HintKind, str]]:
        return [(one.kind, one.detail) for one in self.board.of(NAS_ID)]

    def report(self, kind: ReportKind = ReportKind.INTERIM, *, up: int = 0, down: int = 0, **said: Value) -> None:
        attributes = Attributes([(name.replace("_", "-"), value) for name, value in said.items()])
        report = make_report(kind=kind, up=up, down=down)._replace(nas_id=NAS_ID)
        self.noticing.note_report(report, attributes, self.time.at.timestamp())

    def clock(self, seconds: float, *, delay: int = 0, looks: int = 3) -> None:
        for _ in range(looks):
            stamp = self.time.at + timedelta(seconds=seconds)
            self.report(Event_Timestamp=stamp, Acct_Delay_Time=delay)
            self.time.pass_by(CLOCK_LOOK_SECONDS)


@pytest.fixture
def watch() -> Watch:
    return Watch(make_table())


def make_engine(
    require: Demand = Demand.NO, *, learned: Demand | None = None, identifier: str | None = None
) -> ServerEngine:
    nas = make_nas(NAS_ID, require=require, identifier=identifier)
    return ServerEngine(FakeBackend(nas), learned={} if learned is None else {NAS_ID: learned})


def send(engine: ServerEngine, number: int, *, secret: bytes = SECRET, sign: bool = True, **more: str) -> None:
    datagram = make_datagram(make_query(**more), secret=secret, sign=sign, chance=bytes((number,)) * 32)
    engine.receive(datagram, make_arrival())


def test_wrong_signatures_now_and_then_are_no_wrong_secret(watch: Watch) -> None:
    engine = make_engine()
    for number in range(OFTEN - 1):
        send(engine, number, secret=b"another")
    watch.noticing.look(engine)
    assert watch.noticed == []
    watch.time.pass_by(OFTEN_SECONDS + 1)
    send(engine, 100, secret=b"another")
    watch.noticing.look(engine)
    assert watch.noticed == []


def test_wrong_signatures_again_and_again_are_a_wrong_secret(watch: Watch) -> None:
    engine = make_engine()
    for number in range(OFTEN):
        send(engine, number, secret=b"another")
        watch.noticing.look(engine)
        watch.time.pass_by(10)
    assert watch.noticed == [(HintKind.SECRET_MISMATCH, "")]
    watch.time.pass_by(SHOWN_FOR[HintKind.SECRET_MISMATCH].total_seconds())
    assert watch.noticed == []


def refused(password: bytes, *, signed: bool = False) -> Event:
    query = AccessQuery(Attributes([("User-Name", "siti")]), PapPassword(b"x"))
    datagram = ClientEngine(SECRET, sign=signed).ask(query, now=0.0, chance=b"c" * 32).datagram
    attributes = Packet.parse(datagram).attributes
    request = AccessRequest(NAS_ID, "siti", PapPassword(password), attributes, ("192.0.2.7", 1), 0.0, 0.0)
    return Event(
        Service.AUTH, ("192.0.2.7", 1), NAS_ID, datagram, Code.ACCESS_REJECT, b"", "", False, 0.0, 0.0, request
    )


@pytest.mark.parametrize(
    ("event", "mismatch"),
    [
        pytest.param(refused(b"\xff\x01noise"), True, id="noise"),
        pytest.param(refused(b"text\x01"), True, id="control characters"),
        pytest.param(refused(b"rahasia-yang-salah"), False, id="a wrong password that is text"),
        pytest.param(refused("sandi-é".encode()), False, id="UTF-8"),
        pytest.param(refused(b"\xff\x01noise", signed=True), False, id="noise, and the signature fits"),
    ],
)
def test_unsigned_passwords_that_are_no_text_are_a_wrong_secret(watch: Watch, event: Event, mismatch: bool) -> None:
    for _ in range(OFTEN):
        watch.noticing.note_reject(event)
    watch.noticing.look(make_engine())
    assert watch.noticed == []  # a NAS of which the engine knows nothing
    engine = make_engine()
    send(engine, 1)
    watch.noticing.look(engine)
    assert (watch.noticed == [(HintKind.SECRET_MISMATCH, "")]) is mismatch


def test_a2_10_unsigned_request_of_a_nas_that_signs_is_a_possible_downgrade(watch: Watch) -> None:
    engine = make_engine()
    send(engine, 1)
    watch.noticing.look(engine)
    assert watch.noticed == []
    send(engine, 2, sign=False)
    watch.noticing.look(engine)
    assert watch.noticed == [(HintKind.DOWNGRADE, "")]


def test_a2_10_unsigned_request_that_is_dropped_is_a_possible_downgrade_too(watch: Watch) -> None:
    engine = make_engine(Demand.AUTO, learned=Demand.YES)
    send(engine, 1, sign=False)
    assert engine.counters.drops() == {DropReason.MISSING_MESSAGE_AUTHENTICATOR: 1}
    watch.noticing.look(engine)
    assert watch.noticed == [(HintKind.DOWNGRADE, "")]


def test_a1_20_identity_that_is_said_twice_is_an_alarm(watch: Watch) -> None:
    engine = make_engine()
    query = make_query(Calling_Station_Id="02-AA-00-00-00-01")
    engine.receive(make_datagram(query, chance=b"1" * 32), make_arrival())
    watch.noticing.look(engine)
    assert watch.noticed == []
    query.attributes.add("Calling-Station-Id", "02-AA-00-00-00-02")
    engine.receive(make_datagram(query, chance=b"2" * 32), make_arrival())
    watch.noticing.look(engine)
    assert watch.noticed == [(HintKind.IDENTITY_TWICE, "")]


def test_nas_that_must_sign_and_never_has_is_no_attack(watch: Watch) -> None:
    engine = make_engine(Demand.YES)
    send(engine, 1, sign=False)
    watch.noticing.look(engine)
    assert watch.noticed == [(HintKind.UNSIGNED, "")]


def test_a1_16_other_identifier_is_named(watch: Watch) -> None:
    engine = make_engine(identifier="gusung-1")
    send(engine, 1, NAS_Identifier="gusung-1")
    watch.noticing.look(engine)
    assert watch.noticed == []
    send(engine, 2, NAS_Identifier="Router\0")
    watch.noticing.look(engine)
    assert watch.noticed == [(HintKind.IDENTIFIER_MISMATCH, "Router\\x00")]  # PostgreSQL has no NUL in text


@pytest.mark.parametrize(
    ("address", "event"),
    [
        pytest.param(None, "nas_without_identity", id="A1.15 nothing"),
        pytest.param("10.0.0.1", "nas_address_differs", id="A1.16 another address"),
    ],
)
def test_what_a_router_calls_itself_is_logged_once_a_day(watch: Watch, address: str | None, event: str) -> None:
    query = make_query() if address is None else make_query(NAS_IP_Address=address)
    here = ip_address("192.0.2.7").packed
    engine = ServerEngine(FakeBackend(replace(make_nas(NAS_ID), addresses=(here, here))))
    with capture_logs() as lines:
        for number in range(4):
            if number == 3:
                watch.time.pass_by(LOG_SECONDS)
            engine.receive(make_datagram(query, chance=bytes((number,)) * 32), make_arrival())
            watch.noticing.look(engine)
    assert [(line["event"], line["nas"]) for line in lines] == [(event, "gusung-1")] * 2


@pytest.mark.parametrize(
    ("seconds", "delay", "noticed"),
    [
        pytest.param(-2400, 0, "-2400", id="40 minutes slow"),
        pytest.param(2400, 0, "2400", id="40 minutes fast"),
        pytest.param(-(CLOCK_OFF_SECONDS - 1), 0, None, id="a little slow"),
        pytest.param(-CLOCK_OFF_SECONDS, 0, "-120", id="just too slow"),
        pytest.param(-2400, 2400, None, id="the router says that it waited"),
    ],
)
def test_clock_that_is_off_is_noticed(watch: Watch, seconds: int, delay: int, noticed: str | None) -> None:
    watch.clock(seconds, delay=delay)
    assert watch.noticed == ([] if noticed is None else [(HintKind.CLOCK_OFF, noticed)])


def test_one_late_report_is_no_wrong_clock(watch: Watch) -> None:
    watch.clock(-2400, looks=2)
    watch.clock(-1, looks=1)
    assert watch.noticed == []


def test_reports_of_one_minute_are_one_look(watch: Watch) -> None:
    for _ in range(10):
        watch.report(Event_Timestamp=watch.time.at - timedelta(hours=1), Acct_Delay_Time=0)
    assert watch.noticed == []


def test_clock_that_was_set_right_is_forgotten(watch: Watch) -> None:
    watch.clock(-2400)
    watch.clock(0)
    assert watch.noticed == []


def test_sessions_that_sent_far_more_than_they_got_are_counted_from_the_other_side(watch: Watch) -> None:
    for number in range(SESSIONS):
        assert watch.noticed == []
        watch.report(ReportKind.STOP, up=1 * MB if number < 4 else 40 * MB, down=10 * MB)
    assert watch.noticed == [(HintKind.COUNTS_AS_CLIENT, f"{SESSIONS - 4} {SESSIONS}")]


@pytest.mark.parametrize(
    ("kind", "up", "down"),
    [
        pytest.param(ReportKind.STOP, 3 * MB, 1 * MB, id="somebody who sends pictures"),
        pytest.param(ReportKind.STOP, MB - 1, 0, id="hardly anything"),
        pytest.param(ReportKind.INTERIM, 40 * MB, MB, id="not over yet"),
        pytest.param(ReportKind.STOP, MB, 40 * MB, id="the right way"),
    ],
)
def test_other_sessions_say_nothing_about_the_direction(watch: Watch, kind: ReportKind, up: int, down: int) -> None:
    for _ in range(2 * SESSIONS):
        watch.report(kind, up=up, down=down)
    assert watch.noticed == []


@pytest.mark.parametrize(
    ("registered", "said", "noticed"),
    [
        pytest.param(Direction.AUTO, 2, False, id="believed anyway"),
        pytest.param(Direction.CLIENT, 2, False, id="as registered"),
        pytest.param(Direction.RFC, 2, True, id="client, registered as rfc"),
        pytest.param(Direction.CLIENT, 1, True, id="rfc, registered as client"),
    ],
)
def test_router_that_says_how_it_counts_is_believed(registered: Direction, said: int, noticed: bool) -> None:
    watch = Watch(make_table(registered))
    for _ in range(SESSIONS):
        watch.report(ReportKind.STOP, up=40 * MB, down=MB, ChilliSpot_Acct_View_Point=said)
    assert watch.noticed == ([(HintKind.COUNTS_AS_CLIENT, "")] if noticed else [])


def kept(database: Database) -> dict[str, list[Hint]]:
    with database.read() as connection:
        return hints.read_all(connection)


def test_what_is_noticed_is_kept_and_added_up(watch: Watch, database: Database) -> None:
    watch.board.notice(NAS_ID, HintKind.DOWNGRADE, times=2)
    watch.board.notice(NAS_ID, HintKind.DOWNGRADE, times=3)
    watch.board.keep(database, NOON)
    assert kept(database) == {}  # not at once: a flood is one write in half a minute
    for times in (5, 12):
        watch.time.pass_by(KEEP_SECONDS)
        watch.board.keep(database, NOON)
        (hint,) = kept(database)[NAS_ID]
        assert hint == Hint(HintKind.DOWNGRADE, "", times, NOON, NOON)
        watch.board.notice(NAS_ID, HintKind.DOWNGRADE, times=7)


def test_clock_set_right_is_taken_back_from_the_database(watch: Watch, database: Database) -> None:
    with database.write() as connection:
        hints.add(connection, [hints.Notice(NAS_ID, HintKind.CLOCK_OFF, "2400", 1)], now=NOON)
    watch.clock(0)
    watch.time.pass_by(KEEP_SECONDS)
    watch.board.keep(database, NOON)
    assert kept(database) == {}


def rename(database: Database, old: str, new: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def test_what_could_not_be_kept_is_kept_later(watch: Watch, sqlite_database: Database) -> None:
    watch.board.notice(NAS_ID, HintKind.DOWNGRADE, times=2)
    watch.board.notice(NAS_ID, HintKind.UNSIGNED, times=1)
    watch.board.end(NAS_ID, HintKind.CLOCK_OFF)
    rename(sqlite_database, "nas_hints", "elsewhere")
    watch.time.pass_by(KEEP_SECONDS)
    watch.board.keep(sqlite_database, NOON)
    watch.board.notice(NAS_ID, HintKind.DOWNGRADE, times=3)
    watch.board.end(NAS_ID, HintKind.UNSIGNED)
    rename(sqlite_database, "elsewhere", "nas_hints")
    watch.time.pass_by(KEEP_SECONDS)
    watch.board.keep(sqlite_database, NOON)
    assert [(hint.kind, hint.times) for hint in kept(sqlite_database)[NAS_ID]] == [(HintKind.DOWNGRADE, 5)]
