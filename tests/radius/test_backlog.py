"""A5.06: what an overloaded server works on first, and what it loses first."""

import socket
import threading
from contextlib import closing, suppress

import pytest

from radius import AccessQuery, Attributes, Code, DropReason, PapPassword, Query, Service, StatusQuery
from radius.client_engine import AccountingQuery
from radius.net.backlog import Backlog, Worth, worth
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from tests.radius.serving import make_backend, read_late, wait_until
from tests.radius.support import make_accounting, make_datagram, make_query

START = make_datagram(make_accounting())
LOGIN = make_datagram(make_query())
INTERIM = make_datagram(make_accounting("Interim-Update"))


def with_state(name: str = "budi") -> AccessQuery:
    return AccessQuery(Attributes([("User-Name", name), ("State", b"s")]), PapPassword(b"rahasia"))


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        pytest.param(make_datagram(with_state()), Worth.CONVERSATION, id="Access-Request with State"),
        pytest.param(LOGIN, Worth.LOGIN, id="Access-Request without"),
        pytest.param(START, Worth.OTHER, id="Start"),
        pytest.param(make_datagram(make_accounting("Stop")), Worth.OTHER, id="Stop"),
        pytest.param(make_datagram(make_accounting("Accounting-On")), Worth.OTHER, id="Accounting-On"),
        pytest.param(INTERIM, Worth.INTERIM, id="Interim-Update"),
        pytest.param(make_datagram(StatusQuery()), Worth.OTHER, id="Status-Server"),
        pytest.param(b"", Worth.OTHER, id="nothing"),
        pytest.param(b"\x04" + bytes(20), Worth.OTHER, id="a lone octet after the header"),
        pytest.param(b"\x04" + bytes(19) + b"\x2c\x00\x28\x06\0\0\0\3", Worth.OTHER, id="an attribute of no length"),
        pytest.param(LOGIN[:30], Worth.LOGIN, id="cut off"),
    ],
)
def test_worth(datagram: bytes, expected: Worth) -> None:
    assert worth(datagram) is expected


def test_what_matters_most_is_taken_first_and_in_its_order() -> None:
    backlog: Backlog[str] = Backlog(10)
    for item, value in (("i", 3), ("l1", 2), ("o1", 1), ("c", 0), ("l2", 2), ("o2", 1)):
        assert backlog.put(item, Worth(value)) is None
    assert (backlog.take(3), len(backlog)) == (["c", "o1", "o2"], 3)
    assert (backlog.take(9), len(backlog)) == (["l1", "l2", "i"], 0)


def test_what_matters_least_is_lost_first_the_oldest_of_it() -> None:
    backlog: Backlog[str] = Backlog(2)
    lost = [
        backlog.put(item, Worth(value))
        for item, value in (("i1", 3), ("i2", 3), ("l1", 2), ("l2", 2), ("o", 1), ("c", 0), ("l3", 2), ("o2", 1))
    ]
    assert lost == [None, None, "i1", "i2", "l1", "l2", "l3", "o"]
    assert backlog.take(9) == ["c", "o2"]


def test_an_overloaded_server_answers_conversations_before_logins_and_loses_interims() -> None:
    """A5.07: what is lost was never acknowledged, so the router keeps it; and it is counted."""
    backend = make_backend()
    server = UdpServer(
        backend,
        [Listen(Service.AUTH, "127.0.0.1", 0), Listen(Service.ACCT, "127.0.0.1", 0)],
        batch=1,
        most_waiting=6,
        overloaded_seconds=0.0,
    )
    auth, acct = server.addresses
    said: list[tuple[tuple[str, int], Query]] = [
        *((acct, AccountingQuery(Attributes([("Acct-Status-Type", "Interim-Update")]))) for _ in range(3)),
        *((auth, make_query(user_name=f"login-{number}")) for number in range(4)),
        (acct, make_accounting("Stop")),
        (auth, with_state("conversation")),
    ]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.bind(("127.0.0.1", 0))
        for number, (port, query) in enumerate(said):
            asking.sendto(make_datagram(query, chance=bytes((number + 1,)) * 32), port)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_until(lambda: len(backend.requests) == 5 and len(backend.records) == 1)
        server.stop()
        thread.join(5)
        asking.settimeout(0.2)
        answers = []
        with suppress(TimeoutError):
            while True:
                answers.append(asking.recv(4096)[0])
    assert answers.count(Code.ACCOUNTING_RESPONSE) == 1
    names = [request.user_name for request in backend.requests]
    assert names == ["conversation", "login-0", "login-1", "login-2", "login-3"]
    assert [record.status_type for record in backend.records] == [2]
    assert server.engine.counters.drops() == {DropReason.OVERLOAD: 3}


def test_nothing_older_than_the_patience_is_worked_on_out_of_the_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = make_backend()
    listens = [Listen(Service.AUTH, "127.0.0.1", 0)]
    server = UdpServer(backend, listens, overloaded_seconds=0.0, patience_seconds=0.5)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.sendto(LOGIN, server.addresses[0])
        read_late(monkeypatch, 1.0)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_until(lambda: bool(server.engine.counters.drops()))
        server.stop()
        thread.join(5)
    assert server.engine.counters.drops() == {DropReason.TOO_OLD: 1}
    assert backend.requests == []
