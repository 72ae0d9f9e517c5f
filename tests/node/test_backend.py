"""The node between a slow, failing or full disk and routers that wait; and what it knows again after a restart."""

from collections.abc import Callable

import pytest

from app.domain.nases import Family
from app.node.backend import DISK_PATIENCE_SECONDS
from app.node.journal.writer import Batch, Outcome
from radius.backend import Service
from radius.codes import StatusType
from radius.messages import Accept, Later, Reject
from tests.factories import MAC
from tests.node.city import MAC_SECRET, City, Node, Said, used_by
from tests.node.journals import until

Start = Callable[[City], Node]
STOPPED: Said = {"Acct_Session_Id": "81a00001", "Calling_Station_Id": MAC, "Acct_Output_Octets": 1000}


def patience_of(node: Node, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that grows by each wait for the disk: how long it may last."""
    asked: list[float] = []
    wait = node.journal.wait

    def counted(batch: Batch, *, patience: float) -> Outcome:
        asked.append(patience)
        return wait(batch, patience=patience)

    monkeypatch.setattr(node.journal, "wait", counted)
    return asked


def until_with_the_disk(node: Node) -> None:
    """Wait until the disk has begun with what was handed over."""
    until(lambda: node.journal.stalled(node.city.time.monotonic(), -1.0))


# D02
def test_batch_of_verdicts_is_one_sync(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    before = node.disk.syncs
    answers = node.backend.authorize([node.request("budi", "rahasia-123", session=f"{n}") for n in range(50)])
    assert all(isinstance(answer, Accept) for answer in answers)
    assert node.disk.syncs == before + 1


# A6.02, D01
def test_accounting_is_acknowledged_once_it_is_stored(city: City, start: Start) -> None:
    node = start(city)
    before = node.disk.syncs
    assert node.backend.account([node.report(StatusType.STOP, **STOPPED)] * 3) == [True] * 3
    assert node.disk.syncs == before + 1


# D01, D05
def test_failed_sync_leaves_accounting_unanswered_and_access_answered(city: City, start: Start) -> None:
    city.add_user("budi")
    node = start(city)
    node.disk.failures = 10_000
    assert node.backend.account([node.report(StatusType.STOP, **STOPPED)]) == [False]
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)
    assert node.backend.counters.unrecorded == 1
    assert node.backend.counters.unstored == 1
    assert not node.backend.ready(Service.ACCT)
    assert node.backend.ready(Service.AUTH)
    node.disk.failures = 0
    until(lambda: node.backend.ready(Service.ACCT))
    assert node.backend.account([node.report(StatusType.STOP, **STOPPED)]) == [True]


# D02
def test_access_answers_wait_for_a_stalled_disk_no_longer_than_150_ms(
    city: City, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.add_user("budi")
    node = start(city)
    patience = patience_of(node, monkeypatch)
    node.disk.moving.clear()
    assert isinstance(node.ask(node.request("budi", "rahasia-123")), Accept)
    assert patience == [DISK_PATIENCE_SECONDS] == [0.15]
    assert node.backend.counters.unrecorded == 1
    until_with_the_disk(node)
    city.time.pass_by(0.2)  # the node's own clock shows the stall: the next does not wait at all
    assert isinstance(node.ask(node.request("budi", "rahasia-123", session="81a00002")), Accept)
    assert patience == [0.15, 0.0]
    node.disk.moving.set()
    until(lambda: len(node.verdicts()) == 2)  # late, not lost


def test_accounting_waits_for_a_slow_disk_beside_the_loop(
    city: City, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = city.add_user("budi")
    node = start(city)
    accept = node.ask(node.request("budi", "rahasia-123"))
    assert isinstance(accept, Accept)
    record = node.report(StatusType.STOP, Class=accept.class_value, **STOPPED)
    node.disk.moving.clear()
    patience = patience_of(node, monkeypatch)
    assert isinstance(node.backend.account([record])[0], Later)
    assert patience == [0.15]
    city.time.pass_by(0.5)
    fast = node.report(StatusType.STOP, **STOPPED)
    first, second = node.backend.account([record, fast])
    assert isinstance(first, Later)
    assert isinstance(second, Later)
    node.disk.moving.set()
    until(lambda: node.journal.counters.records == 3)
    assert node.backend.account([fast, record]) == [True, True]
    assert used_by(node, account) == 1000
    assert node.journal.counters.records == 3  # nothing was written twice


def test_accounting_that_waits_too_long_is_left_to_the_router(city: City, start: Start) -> None:
    node = start(city)
    record = node.report(StatusType.STOP, **STOPPED)
    node.disk.moving.clear()
    assert isinstance(node.backend.account([record])[0], Later)
    city.time.pass_by(5)
    assert node.backend.account([record]) == [False]
    assert node.backend.counters.unstored == 1


def test_a_stalled_disk_gets_no_new_accounting(city: City, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    node = start(city)
    node.disk.moving.clear()
    assert isinstance(node.backend.account([node.report(StatusType.STOP, **STOPPED)])[0], Later)
    until_with_the_disk(node)
    city.time.pass_by(1.1)
    patience = patience_of(node, monkeypatch)
    assert node.backend.account([node.report(StatusType.STOP, **STOPPED)]) == [False]
    assert patience == []
    assert not node.backend.ready(Service.ACCT)
    node.disk.moving.set()
    until(lambda: node.backend.ready(Service.ACCT))


def test_used_ticket_stays_used_after_a_restart(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    ticket = city.ticket(account)
    first = node.ask(node.request(ticket.name, ticket.password))
    again = restarted(start, city)
    assert again.ask(again.request(ticket.name, ticket.password)) == first
    assert isinstance(again.ask(again.request(ticket.name, ticket.password, session="other")), Reject)


def test_session_and_its_usage_are_known_after_a_restart(city: City, start: Start) -> None:
    account = city.add_user("budi")
    node = start(city)
    accept = node.ask(node.request("budi", "rahasia-123"))
    assert isinstance(accept, Accept)
    said: Said = {**STOPPED, "Class": accept.class_value}
    node.backend.account([node.report(StatusType.INTERIM_UPDATE, **said)])
    city.time.pass_by(600)  # older than the last minutes, and not merged
    again = restarted(start, city)
    assert used_by(again, account) == 1000
    assert again.snapshot.sessions.online(account.id, city.time.at.timestamp()) == {MAC}
    repeated = again.ask(again.request("budi", "rahasia-123"))
    assert isinstance(repeated, Accept)
    assert repeated.class_value == accept.class_value


def test_device_that_logged_in_comes_back_after_a_restart(city: City, start: Start) -> None:
    node = start(city)
    ticket = city.ticket(city.add_user("budi"))
    node.learn()
    assert isinstance(node.ask(node.request(ticket.name, ticket.password)), Accept)
    again = restarted(start, city)
    assert isinstance(again.ask(again.request(MAC, MAC_SECRET)), Accept)


def restarted(start: Start, city: City) -> Node:
    node = start(city)
    node.read_again()
    return node


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("127.0.0.1", ["gusung-1"], id="exact address first"),
        pytest.param("127.0.5.7", ["narrow"], id="longest prefix"),
        pytest.param("127.9.0.1", ["wide"], id="shorter prefix"),
        pytest.param("2001:db8::7", ["six"], id="IPv6"),
        pytest.param("192.0.2.1", [], id="unknown"),
        pytest.param("2001:db9::7", [], id="unknown IPv6"),
    ],
)
def test_nas_is_found_by_its_source_address(city: City, start: Start, address: str, expected: list[str]) -> None:
    city.add_nas("wide", address="127.0.0.0/8")
    city.add_nas("narrow", address="127.0.5.0/24")
    city.add_nas("six", family=Family.GENERIC, address="2001:db8::/64")
    node = start(city)
    found = node.backend.find_nas(address)
    assert [node.snapshot.nases.by_id[nas.id].nas.name for nas in found] == expected


def test_mac_secret_does_not_show(city: City, start: Start) -> None:
    node = start(city)
    assert MAC_SECRET not in repr(node.known)


def leave(node: Node, cause: str, session: str = "81a00001") -> None:
    """Log a device in by a ticket, and let the router say why its session has ended."""
    account = node.city.add_user("budi")
    ticket = node.city.ticket(account)
    node.learn()
    accept = node.ask(node.request(ticket.name, ticket.password, session=session))
    assert isinstance(accept, Accept)
    said: Said = {"Acct_Session_Id": session, "Calling_Station_Id": MAC, "Class": accept.class_value}
    node.backend.account([node.report(StatusType.START, **said)])
    node.backend.account([node.report(StatusType.STOP, **said, Acct_Terminate_Cause=cause)])


@pytest.mark.parametrize(
    ("cause", "answer"),
    [
        pytest.param("User-Request", Reject, id="who logged out at the router does not come back"),
        pytest.param("Lost-Carrier", Accept, id="out of reach"),
        pytest.param("Idle-Timeout", Accept, id="idle"),
        pytest.param("Session-Timeout", Accept, id="out of time or quota"),
        pytest.param("Admin-Reset", Accept, id="ended by the server"),
        pytest.param("NAS-Reboot", Accept, id="reboot"),
    ],
)
def test_grant_dies_with_log_out_only(
    city: City, start: Start, cause: str, answer: type[Accept] | type[Reject]
) -> None:
    node = start(city)
    leave(node, cause)
    assert isinstance(node.ask(node.request(MAC, MAC_SECRET)), answer)
    again = restarted(start, city)
    assert isinstance(again.ask(again.request(MAC, MAC_SECRET)), answer)
