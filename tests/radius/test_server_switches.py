"""Switches of a NAS: what it calls itself, Status-Server, and answers that explain a silence."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from radius import Attributes, Code, Demand, DropReason, Nas, Packet, PapPassword, Service, StatusQuery
from radius.client_engine import AccessQuery, AccountingQuery
from radius.server_engine import Answered, PendingAccess, PendingAccounting, ServerEngine
from radius.signatures import prepared, verify_message, verify_reply
from tests.radius.support import SECRET, FakeBackend, make_accounting, make_arrival, make_datagram, make_nas, make_query

AUTH, ACCT = make_arrival(), make_arrival(Service.ACCT)
HERE = (ip_address("192.0.2.0").packed, ip_address("192.0.2.7").packed)
NAMED = replace(make_nas(identifier="gusung-1"), addresses=HERE)


def make_engine(nas: Nas) -> ServerEngine:
    return ServerEngine(FakeBackend(nas))


def said(identity: dict[str, str]) -> AccessQuery:
    return AccessQuery(Attributes([("User-Name", "budi"), *identity.items()]), PapPassword(b"rahasia"))


def accounted(identity: dict[str, str]) -> AccountingQuery:
    return AccountingQuery(Attributes([("Acct-Status-Type", "Start"), ("Acct-Session-Id", "1"), *identity.items()]))


@pytest.mark.parametrize(
    ("identity", "identifiers", "addresses", "nameless"),
    [
        pytest.param({}, 0, 0, 1, id="A1.15 nothing at all"),
        pytest.param({"NAS-Identifier": "gusung-1"}, 0, 0, 0, id="the registered name"),
        pytest.param({"NAS-Identifier": "samalona"}, 1, 0, 0, id="another name"),
        pytest.param({"NAS-IP-Address": "192.0.2.0"}, 0, 0, 0, id="the first address"),
        pytest.param({"NAS-IP-Address": "192.0.2.7"}, 0, 0, 0, id="the last address"),
        pytest.param({"NAS-IP-Address": "192.0.2.8"}, 0, 1, 0, id="one beyond"),
        pytest.param({"NAS-IP-Address": "192.168.88.1"}, 0, 1, 0, id="an address behind NAT"),
        pytest.param({"NAS-IPv6-Address": "2001:db8::1"}, 0, 0, 0, id="an address of the other family"),
    ],
)
def test_a1_16_what_a_router_calls_itself_is_counted(
    identity: dict[str, str], identifiers: int, addresses: int, nameless: int
) -> None:
    engine, strict = make_engine(NAMED), make_engine(replace(NAMED, strict_identity=True))
    received = engine.receive(make_datagram(said(identity)), AUTH)
    assert isinstance(received, PendingAccess)
    counters = engine.counters.by_nas["nas"]
    found = (counters.identifier_mismatches, counters.address_mismatches, counters.nameless)
    assert found == (identifiers, addresses, nameless)
    contradicts = bool(identifiers or addresses)
    refused = strict.receive(make_datagram(said(identity)), AUTH)
    assert isinstance(refused, Answered if contradicts else PendingAccess)
    if isinstance(refused, Answered):
        assert refused.reply[0] == Code.ACCESS_REJECT
        assert refused.reason == "nas_mismatch"
    stored = strict.receive(make_datagram(accounted(identity)), ACCT)
    assert stored is DropReason.NAS_MISMATCH if contradicts else isinstance(stored, PendingAccounting)


def test_a1_16_a_nas_that_covers_no_known_addresses_fits_any() -> None:
    engine = make_engine(replace(make_nas(), strict_identity=True))
    query = said({"NAS-IP-Address": "10.0.0.1"})
    assert isinstance(engine.receive(make_datagram(query), AUTH), PendingAccess)


@pytest.mark.parametrize("arrival", [AUTH, ACCT], ids=["auth", "acct"])
@pytest.mark.parametrize("answers", [True, False])
def test_a8_03_status_server_has_a_switch(arrival: object, answers: bool) -> None:
    engine = make_engine(replace(make_nas(), answers_status=answers))
    received = engine.receive(make_datagram(StatusQuery()), arrival)  # type: ignore[arg-type] # both are arrivals
    assert isinstance(received, Answered) is answers
    assert (received is DropReason.BAD_CODE) is not answers
    assert engine.counters.by_nas["nas"].access_requests == 0


DEBUGGED = replace(make_nas(require=Demand.YES), debug_answers=True)
SILENCE = DropReason.MISSING_MESSAGE_AUTHENTICATOR


def unsigned(number: int = 0) -> bytes:
    return make_datagram(make_query(), sign=False, chance=bytes((number,)) * 32)


def test_a2_11_a_router_that_must_sign_is_told_so() -> None:
    datagram = unsigned()
    received = make_engine(DEBUGGED).receive(datagram, AUTH)
    assert isinstance(received, Answered)
    packet = Packet.parse(received.reply)
    assert (packet.code, packet.signature_at) == (Code.ACCESS_REJECT, 22)
    assert packet.attributes.integer("Error-Cause") == 510
    assert verify_reply(prepared(SECRET), received.reply, datagram[4:20])
    assert verify_message(prepared(SECRET), received.reply, 22, datagram[4:20])


def test_a2_11_it_is_counted_as_dropped_and_told_once_a_second() -> None:
    engine = make_engine(DEBUGGED)
    told = [isinstance(engine.receive(unsigned(number), AUTH), Answered) for number in range(3)]
    assert told == [True, False, False]
    assert isinstance(engine.receive(unsigned(3), make_arrival(now=1001.0)), Answered)
    assert engine.counters.drops() == {SILENCE: 4}


def test_a2_11_it_ends_once_the_router_signs() -> None:
    engine = make_engine(DEBUGGED)
    engine.receive(make_datagram(make_query(), chance=b"s" * 32), AUTH)
    assert engine.receive(unsigned(), AUTH) is SILENCE


def test_a2_11_it_stays_ended_after_a_restart() -> None:
    told: dict[str, Demand] = {}
    engine = ServerEngine(FakeBackend(DEBUGGED), on_learned=told.__setitem__)
    engine.receive(make_datagram(make_query(), chance=b"s" * 32), AUTH)
    again = ServerEngine(FakeBackend(DEBUGGED), learned=told)
    assert again.receive(unsigned(), AUTH) is SILENCE


def test_a2_11_it_begins_again_where_an_admin_wants_it() -> None:
    engine = ServerEngine(FakeBackend(DEBUGGED), learned={"nas": Demand.YES})
    engine.correct("nas", None)
    assert isinstance(engine.receive(unsigned(), AUTH), Answered)


@pytest.mark.parametrize(
    ("nas", "datagram", "reason"),
    [
        pytest.param(make_nas(require=Demand.YES), unsigned(), SILENCE, id="off unless asked for"),
        pytest.param(
            DEBUGGED,
            make_datagram(make_query(), secret=b"x" * 32),
            DropReason.BAD_MESSAGE_AUTHENTICATOR,
            id="a wrong signature",
        ),
    ],
)
def test_a2_11_nothing_else_is_explained(nas: Nas, datagram: bytes, reason: DropReason) -> None:
    assert make_engine(nas).receive(datagram, AUTH) is reason


def test_accounting_is_never_explained() -> None:
    engine = make_engine(DEBUGGED)
    datagram = make_datagram(make_accounting(), secret=b"x" * 32)
    assert engine.receive(datagram, ACCT) is DropReason.BAD_AUTHENTICATOR
