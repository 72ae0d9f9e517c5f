"""What the server engine takes, answers, repeats and counts; the sections are those of the standard."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from radius import (
    AccessQuery,
    Arrival,
    Attributes,
    Challenge,
    Code,
    DropReason,
    Packet,
    PapPassword,
    Reject,
    Service,
    StatusQuery,
)
from radius.server_engine import Answered, PendingAccess, PendingAccounting, ServerEngine
from radius.signatures import prepared, verify_message, verify_reply
from tests.radius.engines import (
    ACCEPT,
    ACCT,
    ARAP,
    AUTH,
    CHAP,
    EAP,
    MS_CHAP,
    PAP,
    answered,
    flip_last_octet,
    make_engine,
    names,
    pending,
    pending_accounting,
)
from tests.radius.support import (
    NOW,
    NOW_AT,
    OTHER_SECRET,
    SECRET,
    SOURCE,
    FakeBackend,
    make_accounting,
    make_arrival,
    make_datagram,
    make_nas,
    make_query,
)

# Section A1 of the standard, what is taken


def test_a1_01_unknown_source_is_dropped() -> None:
    arrival = make_arrival(source=("198.51.100.1", 1))
    assert make_engine().receive(make_datagram(make_query()), arrival) is DropReason.UNKNOWN_NAS


def test_ipv6_source_is_found() -> None:
    backend = FakeBackend()
    backend.add("2001:db8::7", make_nas())
    arrival = make_arrival(source=("2001:db8::7", 1812))
    assert isinstance(ServerEngine(backend).receive(make_datagram(make_query()), arrival), PendingAccess)


def test_a1_01_nas_ip_address_is_not_asked_for_the_nas() -> None:
    arrival = make_arrival(source=("198.51.100.1", 1))
    datagram = make_datagram(make_query(NAS_IP_Address=SOURCE[0]))
    assert make_engine().receive(datagram, arrival) is DropReason.UNKNOWN_NAS


def test_request_is_told_to_the_application() -> None:
    request = pending(make_engine().receive(make_datagram(make_query()), AUTH)).request
    assert request.nas_id == "nas"
    assert request.user_name == "budi"
    assert request.credential == PapPassword(b"rahasia")
    assert request.source == SOURCE
    assert (request.received, request.received_at) == (NOW, NOW_AT)


@pytest.mark.parametrize("service", [Service.AUTH, Service.ACCT])
@pytest.mark.parametrize("code", range(256))
def test_a1_05_other_codes_are_dropped(service: Service, code: int) -> None:
    datagram = bytes((code,)) + make_datagram(make_query())[1:]
    received = make_engine().receive(datagram, make_arrival(service))
    allowed = code in ({1, 12} if service is Service.AUTH else {4, 12})
    assert (received is DropReason.BAD_CODE) is not allowed


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        pytest.param(b"", DropReason.TOO_SHORT, id="a1_02 nothing"),
        pytest.param(make_datagram(make_query())[:-1], DropReason.BAD_LENGTH, id="a1_02 cut short"),
        pytest.param(b"\x01\x00\x00\x15" + bytes(17), DropReason.MALFORMED, id="a1_06 half an attribute"),
    ],
)
def test_a1_02_malformed_datagram_is_dropped_and_counted(datagram: bytes, reason: DropReason) -> None:
    engine = make_engine()
    assert engine.receive(datagram, AUTH) is reason
    assert engine.counters.by_nas["nas"].auth.drops == {reason: 1}


def test_a1_04_padding_is_not_signed() -> None:
    engine = make_engine()
    assert isinstance(engine.receive(make_datagram(make_query()) + b"pad", AUTH), PendingAccess)
    assert isinstance(engine.receive(make_datagram(make_accounting()) + b"pad", ACCT), PendingAccounting)


def test_a1_10_unknown_attributes_never_drop_a_packet() -> None:
    query = make_query()
    query.attributes.add_raw(250, b"?").add_raw(26, b"\x00\x00\xff\xff\x01\x03?").add_raw(26, b"?")
    assert isinstance(make_engine().receive(make_datagram(query), AUTH), PendingAccess)


@pytest.mark.parametrize(
    "pairs",
    [[PAP, CHAP], [PAP, EAP], [CHAP, EAP], [PAP, ARAP], [PAP, MS_CHAP], [EAP, MS_CHAP], [PAP, CHAP, EAP]],
    ids=lambda pairs: "+".join(name for name, _ in pairs),
)
def test_a1_13_mixed_credentials_are_dropped(pairs: list[tuple[str, bytes]]) -> None:
    datagram = make_datagram(AccessQuery(Attributes(pairs)))
    assert make_engine().receive(datagram, AUTH) is DropReason.MIXED_CREDENTIALS


def test_a1_14_neither_credential_nor_signature_is_dropped() -> None:
    query = AccessQuery(Attributes([("User-Name", "budi")]))
    assert make_engine().receive(make_datagram(query, sign=False), AUTH) is DropReason.NO_CREDENTIAL


def test_a1_14_signed_request_without_credential_is_the_applications() -> None:
    query = AccessQuery(Attributes([("User-Name", "budi")]))
    assert pending(make_engine().receive(make_datagram(query), AUTH)).request.credential is None


@pytest.mark.parametrize(
    "name",
    [
        "Calling-Station-Id",
        "NAS-Identifier",
        "NAS-IP-Address",
        "Framed-IP-Address",
        "Acct-Session-Id",
        "Class",
    ],
)
def test_a1_20_identity_said_twice_is_dropped(name: str) -> None:
    value = b"10.0.0.1" if name == "Class" else "10.0.0.1"
    query = make_query()
    query.attributes.add(name, value)
    assert isinstance(make_engine().receive(make_datagram(query), AUTH), PendingAccess)
    query.attributes.add(name, value)
    assert make_engine().receive(make_datagram(query), AUTH) is DropReason.REPEATED_ATTRIBUTE


def test_a1_20_other_attributes_may_repeat() -> None:
    query = make_query()
    query.attributes.add("Reply-Message", "a").add("Reply-Message", "b")
    assert isinstance(make_engine().receive(make_datagram(query), AUTH), PendingAccess)


def test_a1_12_most_attributes_are_the_applications_to_say() -> None:
    query = make_query()
    for _ in range(250):
        query.attributes.add("Reply-Message", "x")
    datagram = make_datagram(query)
    assert make_engine().receive(datagram, AUTH) is DropReason.TOO_MANY_ATTRIBUTES
    assert isinstance(ServerEngine(FakeBackend(make_nas()), max_attributes=300).receive(datagram, AUTH), PendingAccess)


# Section A5 of the standard, duplicates


def test_a5_01_copy_of_an_answered_request_gets_the_same_octets() -> None:
    engine = make_engine()
    datagram = make_datagram(make_query())
    reply = engine.reply(pending(engine.receive(datagram, AUTH)), ACCEPT, NOW)
    assert engine.receive(datagram, AUTH) == Answered(reply, "nas", repeated=True)
    assert engine.counters.by_nas["nas"].auth.repeated_replies == 1
    assert engine.counters.by_nas["nas"].accepts == 1


def test_a5_01_copy_of_a_request_in_work_is_dropped() -> None:
    engine = make_engine()
    datagram = make_datagram(make_query())
    engine.receive(datagram, AUTH)
    assert engine.receive(datagram, AUTH) is DropReason.DUPLICATE_IN_PROGRESS


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(make_arrival(source=(SOURCE[0], 40001)), id="other port"),
        pytest.param(make_arrival(local=1), id="other socket of ours"),
    ],
)
def test_a5_01_same_octets_from_elsewhere_are_a_new_request(other: Arrival) -> None:
    engine = make_engine()
    datagram = make_datagram(make_query())
    engine.receive(datagram, AUTH)
    assert isinstance(engine.receive(datagram, other), PendingAccess)


def test_a5_02_same_identifier_with_another_authenticator_is_a_new_request() -> None:
    engine = make_engine()
    engine.reply(pending(engine.receive(make_datagram(make_query()), AUTH)), ACCEPT, NOW)
    assert isinstance(engine.receive(make_datagram(make_query(), chance=b"n" * 32), AUTH), PendingAccess)


def test_a5_04_copies_of_accounting_and_status_get_the_same_octets() -> None:
    engine = make_engine()
    accounting, status = make_datagram(make_accounting()), make_datagram(StatusQuery())
    reply = engine.acknowledge(pending_accounting(engine.receive(accounting, ACCT)), NOW)
    assert engine.receive(accounting, ACCT) == Answered(reply, "nas", repeated=True)
    first = answered(engine.receive(status, ACCT))
    again = engine.receive(status, ACCT)
    assert isinstance(again, Answered)
    assert again.repeated
    assert again.reply == first.raw


@pytest.mark.parametrize("reason", [DropReason.UNDECIDED, DropReason.TOO_OLD, DropReason.OVERLOAD])
def test_request_without_an_answer_is_new_when_it_comes_again(reason: DropReason) -> None:
    engine = make_engine()
    datagram = make_datagram(make_query())
    engine.leave(pending(engine.receive(datagram, AUTH)), reason)
    assert isinstance(engine.receive(datagram, AUTH), PendingAccess)
    assert engine.counters.by_nas["nas"].auth.drops == {reason: 1}


def test_record_that_was_not_stored_is_not_acknowledged_from_the_cache() -> None:
    engine = make_engine()
    datagram = make_datagram(make_accounting())
    engine.leave(pending_accounting(engine.receive(datagram, ACCT)), DropReason.NOT_STORED)
    assert isinstance(engine.receive(datagram, ACCT), PendingAccounting)


# Section A6 of the standard, accounting


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda datagram: datagram[:4] + bytes(16) + datagram[20:], id="all zero"),
        pytest.param(flip_last_octet, id="one octet changed"),
    ],
)
def test_a6_01_bad_request_authenticator_is_dropped(spoil: Callable[[bytes], bytes]) -> None:
    datagram = spoil(make_datagram(make_accounting()))
    assert make_engine().receive(datagram, ACCT) is DropReason.BAD_AUTHENTICATOR


def test_a6_01_optional_message_authenticator_is_checked() -> None:
    query = make_accounting()
    query.attributes.add("Message-Authenticator", b"x" * 16)
    assert make_engine().receive(make_datagram(query), ACCT) is DropReason.BAD_MESSAGE_AUTHENTICATOR


def test_a6_03_response_has_proxy_state_only() -> None:
    engine = make_engine()
    query = make_accounting()
    query.attributes.add("Proxy-State", b"p")
    datagram = make_datagram(query)
    reply = engine.acknowledge(pending_accounting(engine.receive(datagram, ACCT)), NOW)
    assert verify_reply(prepared(SECRET), reply, datagram[4:20])
    assert names(Packet.parse(reply)) == ["Proxy-State"]


def test_record_has_the_packet_as_it_came() -> None:
    datagram = make_datagram(make_accounting())
    record = pending_accounting(make_engine().receive(datagram + b"pad", ACCT)).record
    assert record.raw == datagram
    assert record.status_type == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"\x00\x00\x00\x02", 2, id="known"),
        pytest.param(b"\x00\x00\x00\x0f", 15, id="unknown"),
        pytest.param(b"\x02", None, id="invalid"),
    ],
)
def test_a6_15_status_type_is_told_as_it_is(raw: bytes, status: int | None) -> None:
    query = make_accounting()
    query = replace(query, attributes=Attributes().add_raw(40, raw))
    assert pending_accounting(make_engine().receive(make_datagram(query), ACCT)).record.status_type == status


def test_a6_15_record_without_a_status_type_reaches_the_application() -> None:
    query = replace(make_accounting(), attributes=Attributes([("User-Name", "x")]))
    assert pending_accounting(make_engine().receive(make_datagram(query), ACCT)).record.status_type is None


# Section A8 of the standard, Status-Server


@pytest.mark.parametrize(
    ("arrival", "code"),
    [pytest.param(AUTH, Code.ACCESS_ACCEPT, id="auth"), pytest.param(ACCT, Code.ACCOUNTING_RESPONSE, id="acct")],
)
def test_a8_01_status_server_is_answered_and_signed(arrival: Arrival, code: Code) -> None:
    datagram = make_datagram(StatusQuery())
    reply = answered(make_engine().receive(datagram, arrival))
    assert reply.code == code
    assert reply.signature_at == 22
    assert verify_message(prepared(SECRET), reply.raw, 22, datagram[4:20])


def test_a8_01_unsigned_status_server_is_dropped() -> None:
    datagram = b"\x0c\x00\x00\x14" + b"r" * 16
    assert make_engine().receive(datagram, AUTH) is DropReason.MISSING_MESSAGE_AUTHENTICATOR


def test_a8_01_badly_signed_status_server_is_dropped() -> None:
    datagram = make_datagram(StatusQuery(), secret=OTHER_SECRET)
    assert make_engine().receive(datagram, AUTH) is DropReason.BAD_MESSAGE_AUTHENTICATOR


def test_a8_02_status_server_is_silent_while_not_ready_and_answers_after() -> None:
    backend = FakeBackend(make_nas())
    engine = ServerEngine(backend)
    backend.is_ready = False
    assert engine.receive(make_datagram(StatusQuery()), ACCT) is DropReason.NOT_READY
    backend.is_ready = True
    assert answered(engine.receive(make_datagram(StatusQuery()), ACCT)).code == Code.ACCOUNTING_RESPONSE


def test_a8_03_status_server_is_limited_per_second_and_no_login() -> None:
    engine = make_engine()
    results = [engine.receive(make_datagram(StatusQuery(), chance=bytes((n,)) * 32), AUTH) for n in range(1, 12)]
    assert isinstance(results[9], Answered)
    assert results[10] is DropReason.OVERLOAD
    later = make_arrival(now=NOW + 1)
    assert isinstance(engine.receive(make_datagram(StatusQuery(), chance=b"z" * 32), later), Answered)
    assert engine.counters.by_nas["nas"].access_requests == 0


# Section A10 of the standard, counters


def test_a10_03_counters() -> None:
    engine = make_engine()
    for chance, answer in ((b"1", ACCEPT), (b"2", Reject()), (b"3", Challenge(b"s"))):
        engine.reply(pending(engine.receive(make_datagram(make_query(), chance=chance * 32), AUTH)), answer, NOW)
    engine.acknowledge(pending_accounting(engine.receive(make_datagram(make_accounting()), ACCT)), NOW)
    engine.receive(b"", AUTH)
    engine.receive(b"", make_arrival(source=("198.51.100.1", 1)))
    counters = engine.counters.by_nas["nas"]
    assert (counters.access_requests, counters.accepts, counters.rejects, counters.challenges) == (3, 1, 1, 1)
    assert (counters.accounting_requests, counters.accounting_responses) == (1, 1)
    assert engine.counters.drops() == {DropReason.TOO_SHORT: 1, DropReason.UNKNOWN_NAS: 1}


def test_a10_03_every_datagram_of_a_port_is_received_once_whatever_becomes_of_it() -> None:
    """RFC 4669: requests less duplicates, bad ones, dropped ones and responses are what is still in work."""
    engine = make_engine()
    engine.reply(pending(engine.receive(make_datagram(make_query()), AUTH)), ACCEPT, NOW)
    engine.receive(make_datagram(make_query()), AUTH)  # a repeated reply
    engine.leave(pending(engine.receive(make_datagram(make_query(), chance=b"2" * 32), AUTH)), DropReason.UNDECIDED)
    engine.receive(make_datagram(make_query(), chance=b"3" * 32), AUTH)  # in work
    engine.receive(make_datagram(make_query(), chance=b"3" * 32), AUTH)
    engine.receive(b"", AUTH)
    for number in range(11):  # the last one too much for a second
        engine.receive(make_datagram(StatusQuery(), chance=bytes((number,)) * 32), AUTH)
    engine.leave(pending_accounting(engine.receive(make_datagram(make_accounting()), ACCT)), DropReason.NOT_STORED)
    counters = engine.counters.by_nas["nas"]
    assert (counters.received(Service.AUTH), counters.received(Service.ACCT)) == (17, 1)
    assert counters.auth.drops == dict.fromkeys(
        [DropReason.UNDECIDED, DropReason.DUPLICATE_IN_PROGRESS, DropReason.TOO_SHORT, DropReason.OVERLOAD], 1
    )
    assert counters.acct.drops == {DropReason.NOT_STORED: 1}


def test_a10_03_drops_of_nobody_are_told_apart_by_port() -> None:
    engine = make_engine()
    engine.receive(make_datagram(make_accounting()), make_arrival(Service.ACCT, source=("198.51.100.1", 1)))
    assert engine.counters.by_nas == {}
    assert (engine.counters.nobody.received(Service.AUTH), engine.counters.nobody.received(Service.ACCT)) == (0, 1)


def test_a5_06_datagram_too_old_is_counted_for_its_nas() -> None:
    engine = make_engine()
    assert engine.skip(AUTH) is DropReason.TOO_OLD
    assert engine.counters.by_nas["nas"].auth.drops == {DropReason.TOO_OLD: 1}
