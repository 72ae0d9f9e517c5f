"""What the server engine reads as a credential, and what its answers carry."""

import pytest

from radius import (
    Accept,
    AccessQuery,
    Attributes,
    Authorization,
    Challenge,
    ChapResponse,
    Code,
    Packet,
    PapPassword,
    Reject,
)
from tests.radius.engines import (
    ACCEPT,
    ARAP,
    AUTH,
    MS_CHAP,
    answered,
    make_chap_query,
    make_engine,
    make_reply,
    names,
    pending,
)
from tests.radius.support import CLASS, NOW, make_datagram, make_query

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


@pytest.mark.parametrize("state", [b"s", bytes(253), b"\xff" * 16], ids=["short", "long", "no text"])
def test_a3_12_a_state_that_we_did_not_issue_changes_nothing(state: bytes) -> None:
    """We issue none, since every method that is spoken ends with one answer: whoever sends one is decided about."""
    query = AccessQuery(Attributes([("User-Name", "budi"), ("State", state)]), PapPassword(b"rahasia"))
    engine = make_engine()
    waiting = pending(engine.receive(make_datagram(query), AUTH))
    reply = Packet.parse(engine.reply(waiting, ACCEPT, NOW))
    assert (reply.code, "State" in reply.attributes) == (Code.ACCESS_ACCEPT, False)


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


def test_a6_19_an_accept_carries_the_identity_it_was_given() -> None:
    packet = make_reply(ACCEPT._replace(chargeable_identity=b"opaque"))
    assert packet.attributes.all_octets("Chargeable-User-Identity") == [b"opaque"]
    assert "Chargeable-User-Identity" not in make_reply(ACCEPT).attributes
