"""Whatever comes in: a request, a reply or a DropReason, never an exception."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radius import (
    Accept,
    AccessQuery,
    Attributes,
    Authorization,
    Demand,
    DropReason,
    MsChapV2Response,
    Packet,
    Service,
    StatusQuery,
)
from radius.dictionary import BY_NAME, Kind
from radius.errors import DecodeError, EncodeError
from radius.server_engine import Answered, PendingAccess, PendingAccounting, ServerEngine
from radius.signatures import hide_password, prepared, reveal_password
from radius.values import Value
from tests.fuzz.mutation import mutate, rearrange, sign_again
from tests.radius.support import (
    CLASS,
    NOW,
    SECRET,
    SOURCE,
    FakeBackend,
    make_accounting,
    make_arrival,
    make_datagram,
    make_nas,
    make_query,
)
from tests.radius.test_vectors import read_vectors

SEEDS = [
    *(vector.octets for vector in read_vectors() if "drop" not in vector.fields),
    make_datagram(make_query(Calling_Station_Id="02-AA-00-00-00-01", NAS_Identifier="gusung")),
    make_datagram(make_query(), sign=False),
    make_datagram(make_accounting()),
    make_datagram(StatusQuery()),
    make_datagram(
        AccessQuery(
            Attributes([("User-Name", "budi"), ("Framed-Protocol", "PPP")]),
            MsChapV2Response.answering(b"c" * 16, 7, b"budi", "rahasia", peer_challenge=b"p" * 16),
        )
    ),
]


def mutants(count: int) -> Iterator[bytes]:
    chance = random.Random(2865)
    for turn in range(count):
        change = mutate if chance.random() < 0.5 else rearrange
        mutant = change(SEEDS[turn % len(SEEDS)], chance)
        yield sign_again(mutant, prepared(SECRET)) if chance.random() < 0.7 else mutant


def put_all_through(count: int) -> None:
    engine = ServerEngine(FakeBackend(make_nas(require=Demand.NO)))
    taken = sum(put_through(engine, datagram, turn) for turn, datagram in enumerate(mutants(count)))
    assert taken > count / 10  # else the mutants teach little


def put_through(engine: ServerEngine, datagram: bytes, turn: int) -> bool:
    taken = False
    for service in Service:
        arrival = make_arrival(service, source=(SOURCE[0], turn % 60_000), now=float(turn))
        received = engine.receive(datagram, arrival)
        assert isinstance(received, PendingAccess | PendingAccounting | Answered | DropReason)
        if isinstance(received, PendingAccess):
            taken = True
            read_all(received.request.attributes)
            assert Packet.parse(engine.reply(received, Accept(Authorization(), CLASS), NOW)).code in (2, 3)
        elif isinstance(received, PendingAccounting):
            taken = True
            read_all(received.record.attributes)
            make_nas().profile.counters(received.record.attributes)
            assert Packet.parse(engine.acknowledge(received, NOW)).code == 5
    return taken


def read_all(attributes: Attributes) -> None:
    assert list(attributes) is not None
    for name in BY_NAME:
        attributes.text(name)
        attributes.integer(name)
        attributes.time(name)
        attributes.address(name)
        attributes.prefix(name)
        attributes.mac(name)


def test_a1_mutated_packets_never_raise() -> None:
    put_all_through(3000)


@pytest.mark.long
def test_a1_a_hundred_thousand_mutated_packets_never_raise() -> None:
    put_all_through(100_000)


@given(st.binary(max_size=200))
def test_any_octets_after_a_good_header_are_read_or_refused(body: bytes) -> None:
    datagram = b"\x01\x00" + (20 + len(body)).to_bytes(2) + bytes(16) + body
    try:
        packet = Packet.parse(datagram)
    except DecodeError:
        return
    read_all(packet.attributes)
    again = Packet.parse(Packet(packet.code, packet.identifier, packet.authenticator, packet.attributes).to_bytes())
    assert again.attributes == packet.attributes


VALUES: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: st.text(min_size=1, max_size=60),
    Kind.OCTETS: st.binary(min_size=1, max_size=240),
    Kind.INTEGER: st.integers(0, 2**24 - 1),
    Kind.TIME: st.integers(0, 2**32 - 1),
    Kind.IPV4: st.ip_addresses(v=4),
    Kind.IPV6: st.ip_addresses(v=6),
    Kind.IPV6_PREFIX: st.ip_addresses(v=6).map(str),
    Kind.INTERFACE_ID: st.binary(min_size=8, max_size=8),
}
PAIRS = st.sampled_from(sorted(BY_NAME)).flatmap(lambda name: st.tuples(st.just(name), VALUES[BY_NAME[name].kind]))


@given(st.lists(PAIRS, max_size=15))
def test_what_is_written_is_read_in_order(pairs: list[tuple[str, Value]]) -> None:
    pairs = [pair for pair in pairs if pair[0] != "Message-Authenticator"]
    written = Attributes(pairs)
    try:
        datagram = Packet(1, 0, bytes(16), written).to_bytes()
    except EncodeError:
        return
    read = Packet.parse(datagram).attributes
    assert [name for name, _ in read if not name.startswith(("26.", "Vendor-Specific"))] == [
        name for name, _ in written if not name.startswith(("26.", "Vendor-Specific"))
    ]
    assert read == written
    assert read.to_bytes() == written.to_bytes()


@given(st.binary(max_size=128), st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=80))
@settings(max_examples=50)
def test_password_survives_hiding(password: bytes, authenticator: bytes, secret: bytes) -> None:
    key = prepared(secret)
    assert reveal_password(key, authenticator, hide_password(key, authenticator, password)) == password.rstrip(b"\0")
