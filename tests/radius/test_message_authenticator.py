"""Section A2 of the standard: who must sign, what is learnt of it, and what a missing signature means."""

import pytest

from radius import AccessQuery, Attributes, Demand, DropReason, Nas
from radius.server_engine import PendingAccess, PendingAccounting, ServerEngine
from radius.signatures import prepared
from tests.radius.engines import ACCT, AUTH, EAP, flip_last_octet, make_engine
from tests.radius.support import SECRET, FakeBackend, make_accounting, make_datagram, make_nas, make_query


def test_bad_message_authenticator_is_dropped_and_touches_no_cache() -> None:
    engine = make_engine()
    datagram = make_datagram(make_query())
    assert engine.receive(flip_last_octet(datagram), AUTH) is DropReason.BAD_MESSAGE_AUTHENTICATOR
    assert isinstance(engine.receive(datagram, AUTH), PendingAccess)


@pytest.mark.parametrize(
    ("require", "limit", "signed", "proxied", "expected"),
    [
        pytest.param(
            Demand.YES, Demand.NO, False, False, DropReason.MISSING_MESSAGE_AUTHENTICATOR, id="a2_03 required"
        ),
        pytest.param(Demand.YES, Demand.NO, True, False, None, id="a2_03 required and there"),
        pytest.param(Demand.NO, Demand.YES, False, False, None, id="a2_04 not required"),
        pytest.param(Demand.AUTO, Demand.YES, False, False, None, id="a2_09 auto, not known to sign"),
        pytest.param(Demand.NO, Demand.YES, False, True, DropReason.PROXY_STATE_UNSIGNED, id="a2_05 unsigned"),
        pytest.param(Demand.NO, Demand.AUTO, False, True, DropReason.PROXY_STATE_UNSIGNED, id="a2_05 unsigned, auto"),
        pytest.param(Demand.NO, Demand.YES, True, True, None, id="a2_05 signed"),
        pytest.param(Demand.NO, Demand.NO, False, True, None, id="a2_05 no limit"),
    ],
)
def test_a2_03_to_05_demands(
    require: Demand, limit: Demand, signed: bool, proxied: bool, expected: DropReason | None
) -> None:
    query = make_query()
    if proxied:
        query.attributes.add("Proxy-State", b"1")
    engine = make_engine(make_nas(require=require, limit=limit))
    received = engine.receive(make_datagram(query, sign=signed), AUTH)
    assert received is expected if expected else isinstance(received, PendingAccess)


@pytest.mark.parametrize(
    ("own", "default", "signed", "expected"),
    [
        pytest.param(
            Demand.AUTO, Demand.YES, False, DropReason.MISSING_MESSAGE_AUTHENTICATOR, id="it decides for auto"
        ),
        pytest.param(Demand.AUTO, Demand.YES, True, None, id="it decides for auto, signed"),
        pytest.param(Demand.AUTO, Demand.NO, False, None, id="it lets auto be"),
        pytest.param(Demand.NO, Demand.YES, False, None, id="a NAS may have its own no"),
        pytest.param(Demand.YES, Demand.NO, False, DropReason.MISSING_MESSAGE_AUTHENTICATOR, id="and its own yes"),
    ],
)
def test_a2_01_default_is_demanded_of_a_nas_that_leaves_it_open(
    own: Demand, default: Demand, signed: bool, expected: DropReason | None
) -> None:
    engine = ServerEngine(FakeBackend(make_nas(require=own)), require_message_authenticator=default)
    received = engine.receive(make_datagram(make_query(), sign=signed), AUTH)
    assert received is expected if expected else isinstance(received, PendingAccess)


@pytest.mark.parametrize(
    ("own", "default", "limited"),
    [
        pytest.param(Demand.AUTO, Demand.AUTO, True, id="auto limits"),
        pytest.param(Demand.AUTO, Demand.NO, False, id="no"),
        pytest.param(Demand.YES, Demand.NO, True, id="its own yes"),
        pytest.param(Demand.NO, Demand.YES, False, id="its own no"),
    ],
)
def test_a2_01_default_of_proxy_state(own: Demand, default: Demand, limited: bool) -> None:
    query = make_query()
    query.attributes.add("Proxy-State", b"1")
    engine = ServerEngine(FakeBackend(make_nas(require=Demand.NO, limit=own)), limit_proxy_state=default)
    received = engine.receive(make_datagram(query, sign=False), AUTH)
    assert (received is DropReason.PROXY_STATE_UNSIGNED) is limited


def test_a2_09_nothing_is_learnt_of_absence_where_a_default_decides() -> None:
    told: list[tuple[str, Demand]] = []
    engine = ServerEngine(
        FakeBackend(make_nas()), require_message_authenticator=Demand.NO, on_learned=lambda *one: told.append(one)
    )
    engine.receive(make_datagram(make_query(), sign=False), AUTH)
    assert told == []


@pytest.mark.parametrize("require", list(Demand))
def test_a2_04_signature_that_is_there_is_always_checked(require: Demand) -> None:
    engine = make_engine(make_nas(require=require))
    datagram = flip_last_octet(make_datagram(make_query()))
    assert engine.receive(datagram, AUTH) is DropReason.BAD_MESSAGE_AUTHENTICATOR


def test_a2_04_eap_is_signed_whatever_is_demanded() -> None:
    engine = make_engine(make_nas(require=Demand.NO))
    datagram = make_datagram(AccessQuery(Attributes([EAP])), sign=False)
    assert engine.receive(datagram, AUTH) is DropReason.MISSING_MESSAGE_AUTHENTICATOR


def test_a2_06_signature_may_stand_anywhere() -> None:
    body = b"\x01\x03a" + b"\x50\x12" + bytes(16) + b"\x04\x06\x0a\x00\x00\x01"
    unsigned = b"\x01\x05" + (20 + len(body)).to_bytes(2) + b"r" * 16 + body
    signature = prepared(SECRET).hmac_md5(unsigned)
    datagram = unsigned[:25] + signature + unsigned[41:]
    assert isinstance(make_engine().receive(datagram, AUTH), PendingAccess)


def test_a2_08_demands_do_not_concern_accounting() -> None:
    engine = make_engine(make_nas(require=Demand.YES))
    assert isinstance(engine.receive(make_datagram(make_accounting()), ACCT), PendingAccounting)


def make_learner(nas: Nas) -> tuple[ServerEngine, list[tuple[str, Demand]]]:
    told: list[tuple[str, Demand]] = []
    return ServerEngine(FakeBackend(nas), on_learned=lambda nas_id, demand: told.append((nas_id, demand))), told


def test_a2_09_auto_learns_that_a_nas_signs() -> None:
    engine, told = make_learner(make_nas())
    engine.receive(make_datagram(make_query()), AUTH)
    assert told == [("nas", Demand.YES)]
    unsigned = make_datagram(make_query(), sign=False)
    assert engine.receive(unsigned, AUTH) is DropReason.MISSING_MESSAGE_AUTHENTICATOR


def test_a2_09_auto_learns_that_a_nas_does_not_sign() -> None:
    engine, told = make_learner(make_nas())
    engine.receive(make_datagram(make_query(), sign=False), AUTH)
    engine.receive(make_datagram(make_query(), chance=b"d" * 32), AUTH)
    assert told == [("nas", Demand.NO)]


def test_a2_09_eap_teaches_nothing() -> None:
    engine, told = make_learner(make_nas())
    engine.receive(make_datagram(AccessQuery(Attributes([EAP]))), AUTH)
    assert told == []


def test_a2_09_entry_for_many_addresses_never_learns() -> None:
    engine, told = make_learner(make_nas(exact_address=False))
    engine.receive(make_datagram(make_query()), AUTH)
    assert told == []


def test_a2_09_what_was_learnt_earlier_holds() -> None:
    engine = ServerEngine(FakeBackend(make_nas()), learned={"nas": Demand.YES})
    unsigned = make_datagram(make_query(), sign=False)
    assert engine.receive(unsigned, AUTH) is DropReason.MISSING_MESSAGE_AUTHENTICATOR


@pytest.mark.parametrize("require", [Demand.YES, Demand.NO])
def test_a2_10_signature_is_remembered_whatever_is_demanded(require: Demand) -> None:
    engine, told = make_learner(make_nas(require=require))
    engine.receive(make_datagram(make_query(), sign=False, chance=b"1" * 32), AUTH)
    assert told == []
    engine.receive(make_datagram(make_query(), chance=b"2" * 32), AUTH)
    engine.receive(make_datagram(make_query(), chance=b"3" * 32), AUTH)
    assert told == [("nas", Demand.YES)]


def test_a2_09_what_another_node_has_learnt_holds_here() -> None:
    engine, told = make_learner(make_nas())
    engine.correct("nas", Demand.YES)
    unsigned = make_datagram(make_query(), sign=False)
    assert engine.receive(unsigned, AUTH) is DropReason.MISSING_MESSAGE_AUTHENTICATOR
    assert told == []


def test_a2_09_what_is_forgotten_is_learnt_anew() -> None:
    engine, told = make_learner(make_nas())
    engine.receive(make_datagram(make_query()), AUTH)
    engine.correct("nas", None)
    unsigned = make_datagram(make_query(), sign=False, chance=b"u" * 32)
    assert isinstance(engine.receive(unsigned, AUTH), PendingAccess)
    assert told == [("nas", Demand.YES), ("nas", Demand.NO)]
    assert engine.counters.by_nas["nas"].downgrades == 0


def test_a2_10_unsigned_after_signed_is_counted_as_a_downgrade() -> None:
    engine = make_engine(make_nas(require=Demand.NO))
    engine.receive(make_datagram(make_query(), sign=False, chance=b"1" * 32), AUTH)
    assert engine.counters.by_nas["nas"].downgrades == 0
    engine.receive(make_datagram(make_query(), chance=b"2" * 32), AUTH)
    engine.receive(make_datagram(make_query(), sign=False, chance=b"3" * 32), AUTH)
    assert engine.counters.by_nas["nas"].downgrades == 1


def test_a2_10_signature_of_before_a_restart_is_not_forgotten() -> None:
    engine = ServerEngine(FakeBackend(make_nas(require=Demand.NO)), learned={"nas": Demand.YES})
    engine.receive(make_datagram(make_query(), sign=False), AUTH)
    assert engine.has_signed("nas")
    assert engine.counters.by_nas["nas"].downgrades == 1


def test_a2_10_many_routers_in_one_entry_are_no_downgrade() -> None:
    engine = make_engine(make_nas(require=Demand.NO, exact_address=False))
    engine.receive(make_datagram(make_query(), chance=b"1" * 32), AUTH)
    engine.receive(make_datagram(make_query(), sign=False, chance=b"2" * 32), AUTH)
    assert engine.counters.by_nas["nas"].downgrades == 0
    assert engine.counters.by_nas["nas"].unsigned == 1
