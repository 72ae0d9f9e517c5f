"""pyrad as an independent reader and writer of the same packets."""

from importlib.resources import as_file, files

import pytest
from pyrad import packet as pyrad_packet
from pyrad.dictionary import Dictionary

from radius import (
    PROFILES,
    Accept,
    AccountingQuery,
    Attributes,
    Authorization,
    ChapResponse,
    Code,
    Packet,
    Reject,
    Service,
)
from radius.client_engine import AccessQuery
from radius.server_engine import PendingAccess, PendingAccounting, ServerEngine
from radius.signatures import message_authenticator, prepared
from radius.values import Value
from tests.radius.support import CLASS, NOW, SECRET, FakeBackend, make_arrival, make_datagram, make_nas, make_query


def read_dictionary() -> Dictionary:
    dictionary = Dictionary()
    with as_file(files("radius") / "dictionaries") as folder:
        for path in sorted(folder.glob("dictionary.*")):
            dictionary.ReadDictionary(str(path))
    return dictionary


DICTIONARY = read_dictionary()


def test_pyrad_reads_our_access_request() -> None:
    datagram = make_datagram(make_query(NAS_IP_Address="10.0.0.1", Mikrotik_Group="warga"))
    read = pyrad_packet.AuthPacket(packet=datagram, secret=SECRET, dict=DICTIONARY)
    assert read.verify_message_authenticator()
    assert read["User-Name"] == ["budi"]
    assert read["NAS-IP-Address"] == ["10.0.0.1"]
    assert read["Mikrotik-Group"] == ["warga"]
    assert read.PwDecrypt(read[2][0]) == "rahasia"


def test_pyrad_reads_our_chap() -> None:
    credential = ChapResponse.answering(b"c" * 16, 3, "rahasia")
    datagram = make_datagram(AccessQuery(Attributes([("User-Name", "budi")]), credential))
    read = pyrad_packet.AuthPacket(packet=datagram, secret=SECRET, dict=DICTIONARY)
    assert read.VerifyChapPasswd("rahasia")
    assert not read.VerifyChapPasswd("other")


def test_pyrad_reads_our_accounting_request() -> None:
    datagram = make_datagram(AccountingQuery(Attributes([("Acct-Status-Type", "Stop"), ("Acct-Input-Octets", 7)])))
    read = pyrad_packet.AcctPacket(packet=datagram, secret=SECRET, dict=DICTIONARY)
    assert read.VerifyAcctRequest()
    assert read["Acct-Status-Type"] == ["Stop"]
    assert read["Acct-Input-Octets"] == [7]


def make_pyrad_request(password: str = "rahasia") -> pyrad_packet.AuthPacket:
    request = pyrad_packet.AuthPacket(secret=SECRET, dict=DICTIONARY, message_authenticator=True)
    request["User-Name"] = "budi"
    request["User-Password"] = request.PwCrypt(password)
    request["Calling-Station-Id"] = "02-AA-00-00-00-01"
    request["Mikrotik-Host-IP"] = "10.5.0.9"
    request["Proxy-State"] = b"proxied"
    return request


def receive(datagram: bytes, service: Service = Service.AUTH, family: str = "generic") -> tuple[ServerEngine, object]:
    engine = ServerEngine(FakeBackend(make_nas(family=family)))
    return engine, engine.receive(datagram, make_arrival(service))


@pytest.mark.parametrize("length", [1, 15, 16, 17, 40, 128])
def test_we_read_pyrads_access_request(length: int) -> None:
    _, pending = receive(make_pyrad_request("p" * length).RequestPacket())
    assert isinstance(pending, PendingAccess)
    assert pending.request.credential is not None
    assert pending.request.credential.matches("p" * length)
    assert pending.request.attributes.mac("Calling-Station-Id") == "02:aa:00:00:00:01"
    assert str(pending.request.attributes.address("Mikrotik-Host-IP")) == "10.5.0.9"


def test_we_read_pyrads_accounting_request() -> None:
    request = pyrad_packet.AcctPacket(secret=SECRET, dict=DICTIONARY)
    request["Acct-Status-Type"] = "Interim-Update"
    request["Acct-Session-Id"] = "s1"
    _, pending = receive(request.RequestPacket(), Service.ACCT)
    assert isinstance(pending, PendingAccounting)
    assert pending.record.status_type == 3


@pytest.mark.parametrize("family", sorted(PROFILES))
def test_pyrad_believes_our_accept(family: str) -> None:
    request = make_pyrad_request()
    engine, pending = receive(request.RequestPacket(), family=family)
    assert isinstance(pending, PendingAccess)
    limits = Authorization(down_bps=10**6, up_bps=10**6, total_octets=5 * 10**9, session_timeout_seconds=3600)
    datagram = engine.reply(pending, Accept(limits, CLASS), NOW)
    reply = request.CreateReply(packet=datagram)
    assert request.VerifyReply(reply, datagram)
    assert reply.code == Code.ACCESS_ACCEPT
    assert reply["Session-Timeout"] == [3600]
    assert reply["Class"] == [CLASS]
    assert reply["Proxy-State"] == [b"proxied"]


def test_pyrad_believes_our_reject() -> None:
    request = make_pyrad_request()
    engine, pending = receive(request.RequestPacket())
    assert isinstance(pending, PendingAccess)
    datagram = engine.reply(pending, Reject("Coba lagi"), NOW)
    reply = request.CreateReply(packet=datagram)
    assert request.VerifyReply(reply, datagram)
    assert (reply.code, reply["Reply-Message"]) == (Code.ACCESS_REJECT, ["Coba lagi"])


PAIRS: list[tuple[str, Value]] = [
    ("User-Name", "budi"),
    ("NAS-IP-Address", "10.0.0.1"),
    ("NAS-IPv6-Address", "2001:db8::1"),
    ("Session-Timeout", 4294967295),
    ("Mikrotik-Rate-Limit", "1M/2M"),
    ("ChilliSpot-Max-Total-Gigawords", 2),
    ("WISPr-Bandwidth-Max-Up", 512000),
]


@pytest.mark.parametrize("pair", PAIRS, ids=[name for name, _ in PAIRS])
def test_both_write_the_same_octets(pair: tuple[str, Value]) -> None:
    theirs = pyrad_packet.Packet(code=1, secret=SECRET, dict=DICTIONARY, id=0, authenticator=bytes(16))
    theirs[pair[0]] = pair[1]
    assert Packet(1, 0, bytes(16), Attributes([pair])).to_bytes()[20:] == theirs._PktEncodeAttributes()


def test_message_authenticator_anywhere_is_that_of_pyrad() -> None:
    datagram = make_pyrad_request().RequestPacket()
    packet = Packet.parse(datagram)
    signature = datagram[packet.signature_at : packet.signature_at + 16]
    assert message_authenticator(prepared(SECRET), datagram, packet.signature_at) == signature
