"""A worn card behind real UDP: accounting waits for it, log-ins do not, and nothing is acknowledged before it is safe."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.node.backend import DISK_PATIENCE_SECONDS
from radius.attributes import Attributes
from radius.backend import Service
from radius.client_engine import AccessQuery, AccountingQuery, Query, Timing
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, Silence, exchange
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from tests.flows.logins import ROUTER_TIMING
from tests.node.city import SECRET, City, Node
from tests.node.conftest import city, start
from tests.node.journals import until

__all__ = ["city", "start"]


@pytest.fixture
def node(city: City, start: Callable[[City], Node]) -> Node:
    city.add_user("budi")
    made = start(city)
    made.authorizer._monotonic = made.backend._monotonic = time.monotonic
    return made


@pytest.fixture
def server(node: Node) -> Iterator[UdpServer]:
    made = UdpServer(node.backend, [Listen(Service.AUTH, "127.0.0.1", 0), Listen(Service.ACCT, "127.0.0.1", 0)])
    node.journal._on_late = made.wake
    node.journal._monotonic = time.monotonic
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    node.disk.moving.set()
    made.stop()
    thread.join(10)


def ask(address: tuple[str, int], query: Query, *, seconds: float = 30) -> Answered | Silence:
    return exchange(address, SECRET.encode(), query, timing=Timing(first_seconds=seconds, give_up_seconds=seconds))


def access(session: str) -> AccessQuery:
    said = Attributes(
        [("User-Name", "budi"), ("Acct-Session-Id", session), ("Calling-Station-Id", "02-AA-00-00-00-01")]
    )
    return AccessQuery(said, PapPassword(b"rahasia-123"))


def accounting(session: str) -> AccountingQuery:
    return AccountingQuery(Attributes([("Acct-Status-Type", "Start"), ("Acct-Session-Id", session)]))


def test_log_ins_go_on_while_accounting_waits_for_the_disk(node: Node, server: UdpServer) -> None:
    auth, acct = server.addresses
    node.disk.moving.clear()
    replies: list[Answered | Silence] = []
    waiting = threading.Thread(target=lambda: replies.append(ask(acct, accounting("1"))))
    waiting.start()
    until(lambda: node.journal.stalled(time.monotonic(), DISK_PATIENCE_SECONDS))
    for session in ("a", "b", "c"):
        began = time.monotonic()
        answered = ask(auth, access(session))
        assert isinstance(answered, Answered)
        assert answered.reply.code is Code.ACCESS_ACCEPT
        assert time.monotonic() - began < ROUTER_TIMING.give_up_seconds
    assert replies == []
    node.disk.moving.set()
    waiting.join(10)
    (answered,) = replies
    assert isinstance(answered, Answered)
    assert answered.reply.code is Code.ACCOUNTING_RESPONSE
    assert answered.attempts == 1


@pytest.mark.long
def test_disk_that_stays_away_is_silence_on_the_accounting_port(node: Node, server: UdpServer) -> None:
    _, acct = server.addresses
    node.disk.failures = 1_000_000
    assert isinstance(ask(acct, accounting("1"), seconds=0.5), Silence)
    assert isinstance(ask(acct, accounting("1"), seconds=0.5), Silence)
    node.disk.failures = 0
    assert isinstance(ask(acct, accounting("1"), seconds=5), Answered | Silence)
    assert isinstance(ask(acct, accounting("1"), seconds=5), Answered)
