from collections.abc import Callable
from dataclasses import replace

import pytest

from radius import (
    Accept,
    AccessQuery,
    Arrival,
    Attributes,
    Authorization,
    Challenge,
    ChapResponse,
    Code,
    Demand,
    DropReason,
    Nas,
    Packet,
    PapPassword,
    Reject,
    Service,
    StatusQuery,
)
from radius.server_engine import Answered, PendingAccess, PendingAccounting, Received, ServerEngine
from radius.signatures import prepared, verify_message, verify_reply
from tests.radius.support import (
    CLASS,
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

ACCEPT = Accept(Authorization(session_timeout_seconds=3600), CLASS)
AUTH, ACCT = make_arrival(), make_arrival(Service.ACCT)


def make_engine(*nases: Nas) -> ServerEngine:
    return ServerEngine(FakeBackend(*(nases or (make_nas(),))))


def pending(received: Received) -> PendingAccess:
    assert isinstance(received, PendingAccess), received
    return received


def pending_accounting(received: Received) -> PendingAccounting:
    assert isinstance(received, PendingAccounting), received
    return received


def answered(received: Received) -> Packet:
    assert isinstance(received, Answered), received
    return Packet.parse(received.reply)


def make_reply(
    answer: Accept | Reject | Challenge, query: AccessQuery | None = None, family: str = "generic"
) -> Packet:
    engine = make_engine(make_nas(family=family))
    datagram = make_datagram(query or make_query())
    reply = engine.reply(pending(engine.receive(datagram, AUTH)), answer, NOW)
    assert verify_reply(prepared(SECRET), reply, datagram[4:20])
    packet = Packet.parse(reply)
    assert packet.signature_at == 22
    assert verify_message(prepared(SECRET), reply, 22, datagram[4:20])
    return packet


def names(packet: Packet) -> list[str]:
    return [name for name, _ in packet.attributes]


# Section A1 of the standard, what is taken


def test_a1_01_unknown_source_is_dropped() -> None:
    arrival = make_arrival(source=("198.51.100.1", 1))
    assert make_engine().receive(make_datagram(make_query()), arrival) is DropReason.UNKNOWN_NAS


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


PAP, CHAP = ("User-Password", b"p" * 16), ("CHAP-Password", b"c" * 17)
EAP, ARAP, MS_CHAP = (
    ("EAP-Message", b"\x02\x07\x00\x05\x01"),
    ("ARAP-Password", b"a" * 16),
    ("MS-CHAP2-Response", b"m" * 50),
)


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


# Section A2 of the standard, Message-Authenticator


def flip_last_octet(datagram: bytes) -> bytes:
    return datagram[:-1] + bytes((datagram[-1] ^ 1,))


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


def test_a1_12_most_attributes_are_the_applications_to_say() -> None:
    query = make_query()
    for _ in range(250):
        query.attributes.add("Reply-Message", "x")
    datagram = make_datagram(query)
    assert make_engine().receive(datagram, AUTH) is DropReason.TOO_MANY_ATTRIBUTES
    assert isinstance(ServerEngine(FakeBackend(make_nas()), max_attributes=300).receive(datagram, AUTH), PendingAccess)


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


# Several NASes behind one address, several secrets

NAMED = make_nas("named", identifier="gusung")
OTHER = make_nas("other", secrets=(OTHER_SECRET,), identifier="barrang")
ANY = make_nas("any", secrets=(b"a third secret of 32 octets.....",))


@pytest.mark.parametrize(
    ("identifier", "secret", "expected"),
    [
        pytest.param("gusung", SECRET, "named", id="by identifier"),
        pytest.param("barrang", OTHER_SECRET, "other", id="by the other identifier"),
        pytest.param("gusung", OTHER_SECRET, DropReason.BAD_MESSAGE_AUTHENTICATOR, id="secret of another"),
        pytest.param("samalona", ANY.secrets[0], "any", id="unknown identifier goes to the one that takes any"),
        pytest.param(None, OTHER_SECRET, "other", id="no identifier: by the secret"),
        pytest.param(None, b"a secret of nobody", DropReason.BAD_MESSAGE_AUTHENTICATOR, id="a secret of nobody"),
    ],
)
def test_signed_request_behind_a_shared_address(
    identifier: str | None, secret: bytes, expected: str | DropReason
) -> None:
    query = make_query() if identifier is None else make_query(NAS_Identifier=identifier)
    received = make_engine(NAMED, OTHER, ANY).receive(make_datagram(query, secret=secret), AUTH)
    assert (received if isinstance(received, DropReason) else pending(received).request.nas_id) == expected


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        pytest.param("gusung", "named", id="by identifier"),
        pytest.param("samalona", DropReason.NAS_MISMATCH, id="unknown identifier"),
        pytest.param(None, DropReason.NAS_MISMATCH, id="no identifier"),
    ],
)
def test_unsigned_request_behind_a_shared_address(identifier: str | None, expected: str | DropReason) -> None:
    query = make_query() if identifier is None else make_query(NAS_Identifier=identifier)
    received = make_engine(NAMED, OTHER).receive(make_datagram(query, sign=False), AUTH)
    assert (received if isinstance(received, DropReason) else pending(received).request.nas_id) == expected


def test_a1_16_only_nas_of_an_address_may_call_itself_otherwise_and_it_is_counted() -> None:
    engine = make_engine(NAMED)
    assert isinstance(engine.receive(make_datagram(make_query(NAS_Identifier="samalona")), AUTH), PendingAccess)
    assert engine.counters.by_nas["named"].identifier_mismatches == 1


def test_accounting_behind_a_shared_address_is_told_by_its_secret() -> None:
    received = make_engine(NAMED, OTHER).receive(make_datagram(make_accounting(), secret=OTHER_SECRET), ACCT)
    assert pending_accounting(received).record.nas_id == "other"


ROTATING = make_nas(secrets=(SECRET, OTHER_SECRET))


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["newest", "older"])
def test_reply_is_signed_by_the_secret_of_the_request(secret: bytes) -> None:
    engine = make_engine(ROTATING)
    datagram = make_datagram(make_query(), secret=secret)
    waiting = pending(engine.receive(datagram, AUTH))
    assert waiting.request.credential == PapPassword(b"rahasia")
    reply = engine.reply(waiting, ACCEPT, NOW)
    assert verify_reply(prepared(secret), reply, datagram[4:20])


def test_last_use_of_the_older_secret_is_reported() -> None:
    engine = make_engine(ROTATING)
    engine.receive(make_datagram(make_accounting(), secret=SECRET), ACCT)
    assert engine.counters.by_nas["nas"].older_secret_last_used_at is None
    engine.receive(make_datagram(make_accounting(), secret=OTHER_SECRET), ACCT)
    assert engine.counters.by_nas["nas"].older_secret_last_used_at == NOW_AT


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["newest", "older"])
def test_unsigned_pap_tells_its_secret_by_a_password_that_is_text(secret: bytes) -> None:
    received = make_engine(ROTATING).receive(make_datagram(make_query(), secret=secret, sign=False), AUTH)
    assert pending(received).secret.octets == secret


def make_chap_query() -> AccessQuery:
    return AccessQuery(Attributes([("User-Name", "budi")]), ChapResponse.answering(b"c" * 16, 1, "rahasia"))


def test_unsigned_chap_takes_the_secret_last_proved_else_the_newest() -> None:
    engine = make_engine(ROTATING)
    first = engine.receive(make_datagram(make_chap_query(), sign=False, chance=b"1" * 32), AUTH)
    assert pending(first).secret.octets == SECRET
    engine.receive(make_datagram(make_accounting(), secret=OTHER_SECRET), ACCT)
    then = engine.receive(make_datagram(make_chap_query(), sign=False, chance=b"2" * 32), AUTH)
    assert pending(then).secret.octets == OTHER_SECRET


def test_nas_without_a_secret_cannot_be_made() -> None:
    for secrets in ((), (b"",), (SECRET, b"")):
        with pytest.raises(ValueError, match="secret"):
            make_nas(secrets=secrets)


# Section A3 of the standard, methods


def test_a3_02_chap_challenge_attribute_is_used() -> None:
    request = pending(make_engine().receive(make_datagram(make_chap_query()), AUTH)).request
    assert request.credential is not None
    assert request.credential.matches("rahasia")


def test_a3_02_request_authenticator_is_the_challenge_where_there_is_no_other() -> None:
    chance = b"r" * 32
    response = ChapResponse.answering(chance[:16], 1, "rahasia")
    query = AccessQuery(Attributes([("CHAP-Password", b"\x01" + response.response)]))
    request = pending(make_engine().receive(make_datagram(query, chance=chance), AUTH)).request
    assert request.credential is not None
    assert request.credential.matches("rahasia")


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(("User-Password", b"x" * 15), id="a3_01 password of 15 octets"),
        pytest.param(("User-Password", b"x" * 144), id="a3_01 password of 144 octets"),
        pytest.param(("CHAP-Password", b"x" * 16), id="a3_02 CHAP of 16 octets"),
        pytest.param(MS_CHAP, id="MS-CHAPv2"),
        pytest.param(ARAP, id="ARAP"),
    ],
)
def test_a3_01_credential_that_cannot_be_read_is_rejected(pair: tuple[str, bytes]) -> None:
    engine = make_engine()
    reply = answered(engine.receive(make_datagram(AccessQuery(Attributes([pair]))), AUTH))
    assert reply.code == Code.ACCESS_REJECT
    assert names(reply) == ["Message-Authenticator"]
    assert engine.counters.by_nas["nas"].refused_methods == 1


@pytest.mark.parametrize(
    ("message", "identifier"),
    [
        pytest.param(b"\x02\x07\x00\x05\x01", 7, id="identity"),
        pytest.param(b"", 0, id="a1_09 EAP-Start"),
        pytest.param(b"\x02", 0, id="one octet"),
    ],
)
def test_a3_06_eap_gets_a_failure(message: bytes, identifier: int) -> None:
    query = AccessQuery(Attributes().add_raw(79, message))
    reply = answered(make_engine().receive(make_datagram(query), AUTH))
    assert reply.code == Code.ACCESS_REJECT
    assert names(reply) == ["Message-Authenticator", "EAP-Message"]
    assert reply.attributes.octets("EAP-Message") == bytes((4, identifier, 0, 4))


def test_a3_08_reject_carries_a_message_and_proxy_state_only() -> None:
    query = make_query()
    query.attributes.add("Proxy-State", b"p").add("State", b"s")
    reply = make_reply(Reject("Kata sandi salah"), query)
    assert names(reply) == ["Message-Authenticator", "Reply-Message", "Proxy-State"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("x" * 253, [253], id="253"),
        pytest.param("x" * 254, [253, 1], id="254"),
        pytest.param("é" * 127, [252, 2], id="not within a character"),
    ],
)
def test_a3_09_long_message_is_cut_between_characters(text: str, pieces: list[int]) -> None:
    reply = make_reply(Reject(text))
    assert [len(piece) for piece in reply.attributes.all_octets("Reply-Message")] == pieces
    assert "".join(reply.attributes.all_texts("Reply-Message")) == text


def test_challenge_carries_its_state() -> None:
    reply = make_reply(Challenge(b"state", "Lagi"))
    assert reply.code == Code.ACCESS_CHALLENGE
    assert reply.attributes.octets("State") == b"state"
    assert reply.attributes.text("Reply-Message") == "Lagi"


# Section A4 of the standard, answers


def test_a4_03_proxy_state_comes_back_in_order_and_unchanged() -> None:
    states = [b"\x00", b"second", b"\xff" * 253]
    query = make_query()
    for state in states:
        query.attributes.add("Proxy-State", state)
    assert make_reply(ACCEPT, query).attributes.all_octets("Proxy-State") == states


def test_a4_07_class_is_in_every_accept() -> None:
    assert make_reply(ACCEPT).attributes.all_octets("Class") == [CLASS]


def test_accept_carries_the_attributes_of_the_family() -> None:
    reply = make_reply(ACCEPT._replace(authorization=Authorization(down_bps=1, up_bps=2)), family="mikrotik")
    assert reply.attributes.text("Mikrotik-Rate-Limit") == "2/1"


@pytest.mark.parametrize(("family", "sent"), [("hostapd", "abc"), ("mikrotik", None)])
def test_user_name_is_sent_where_the_family_accounts_by_it(family: str, sent: str | None) -> None:
    assert make_reply(ACCEPT._replace(user_name="abc"), family=family).attributes.text("User-Name") == sent


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ACCEPT._replace(class_value=b""), id="no Class"),
        pytest.param(ACCEPT._replace(class_value=b"c" * 254), id="Class too long"),
        pytest.param(ACCEPT._replace(authorization=Authorization(filter_id="f" * 254)), id="Filter-Id too long"),
        pytest.param(ACCEPT._replace(reply_message="m" * 5000), id="packet too long"),
        pytest.param(Challenge(b""), id="challenge without State"),
    ],
)
def test_a4_11_answer_that_cannot_be_built_is_a_reject_and_counted(answer: Accept | Challenge) -> None:
    engine = make_engine()
    reply = engine.reply(pending(engine.receive(make_datagram(make_query()), AUTH)), answer, NOW)
    assert reply[0] == Code.ACCESS_REJECT
    counters = engine.counters.by_nas["nas"]
    assert (counters.unbuildable, counters.rejects, counters.accepts) == (1, 1, 0)


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


def test_ipv6_source_is_found() -> None:
    backend = FakeBackend()
    backend.add("2001:db8::7", make_nas())
    arrival = make_arrival(source=("2001:db8::7", 1812))
    assert isinstance(ServerEngine(backend).receive(make_datagram(make_query()), arrival), PendingAccess)


def test_a6_19_an_accept_carries_the_identity_it_was_given() -> None:
    packet = make_reply(ACCEPT._replace(chargeable_identity=b"opaque"))
    assert packet.attributes.all_octets("Chargeable-User-Identity") == [b"opaque"]
    assert "Chargeable-User-Identity" not in make_reply(ACCEPT).attributes


@pytest.mark.parametrize("state", [b"s", bytes(253), b"\xff" * 16], ids=["short", "long", "no text"])
def test_a3_12_a_state_that_we_did_not_issue_changes_nothing(state: bytes) -> None:
    """We issue none, since every method that is spoken ends with one answer: whoever sends one is decided about."""
    query = AccessQuery(Attributes([("User-Name", "budi"), ("State", state)]), PapPassword(b"rahasia"))
    engine = make_engine()
    waiting = pending(engine.receive(make_datagram(query), AUTH))
    reply = Packet.parse(engine.reply(waiting, ACCEPT, NOW))
    assert (reply.code, "State" in reply.attributes) == (Code.ACCESS_ACCEPT, False)
