from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest

from radius import Attributes, EncodeError, Packet, parse_mac
from radius.dictionary import BY_NAME
from radius.values import Value

ADDRESS6 = IPv6Address("2001:db8::7")
MOMENT = datetime(2026, 8, 17, 2, 0, tzinfo=UTC)
LAST_MOMENT = datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)


def over_the_wire(attributes: Attributes) -> Attributes:
    return Packet.parse(Packet(1, 0, bytes(16), attributes).to_bytes()).attributes


@pytest.mark.parametrize(
    ("reader", "name", "value"),
    [
        pytest.param("text", "User-Name", "budi", id="text"),
        pytest.param("text", "Reply-Message", "Selamat datang di Pulau Gusung · ✓", id="text beyond ASCII"),
        pytest.param("octets", "State", b"\x00\xff", id="string"),
        pytest.param("integer", "Session-Timeout", 4294967295, id="largest integer"),
        pytest.param("integer", "NAS-Port", 0, id="zero"),
        pytest.param("time", "Event-Timestamp", MOMENT, id="time"),
        pytest.param("time", "Event-Timestamp", LAST_MOMENT, id="last moment of 32 bits"),
        pytest.param("address", "NAS-IP-Address", IPv4Address("10.99.10.1"), id="ipv4addr"),
        pytest.param("address", "NAS-IPv6-Address", ADDRESS6, id="ipv6addr"),
        pytest.param("address", "Framed-IPv6-Address", ADDRESS6, id="ipv6addr of RFC 6911"),
        pytest.param("prefix", "Framed-IPv6-Prefix", IPv6Network("2001:db8:1::/48"), id="ipv6prefix"),
        pytest.param("prefix", "Delegated-IPv6-Prefix", IPv6Network("::/0"), id="empty ipv6prefix"),
        pytest.param("prefix", "Delegated-IPv6-Prefix", IPv6Network("2001:db8::1/128"), id="whole ipv6prefix"),
        pytest.param("octets", "Framed-Interface-Id", b"12345678", id="ifid"),
        pytest.param("text", "Mikrotik-Rate-Limit", "1M/2M", id="text of a vendor"),
        pytest.param("integer", "ChilliSpot-Max-Total-Gigawords", 3, id="integer of a vendor"),
        pytest.param("integer", "Tunnel-Type", 13, id="tagged integer"),
        pytest.param("text", "Tunnel-Private-Group-Id", "42", id="tagged text"),
    ],
)
def test_a10_01_value_survives_the_wire(reader: str, name: str, value: Value) -> None:
    attributes = over_the_wire(Attributes([(name, value)]))
    assert getattr(attributes, reader)(name) == value


@pytest.mark.parametrize(
    ("name", "raw", "reader"),
    [
        pytest.param("NAS-IP-Address", b"\x0a\x00\x00\x01\x02", "address", id="address of five octets"),
        pytest.param("NAS-IPv6-Address", b"\x00" * 4, "address", id="IPv6 address of four octets"),
        pytest.param("Session-Timeout", b"\x00\x00\x01", "integer", id="integer of three octets"),
        pytest.param("Event-Timestamp", b"\x00" * 8, "time", id="time of eight octets"),
        pytest.param("User-Name", b"\xff\xfe", "text", id="text that is not UTF-8"),
        pytest.param("Framed-IPv6-Prefix", b"\x00\x81" + b"\x20" * 16, "prefix", id="prefix of 129 bits"),
        pytest.param("Framed-IPv6-Prefix", b"\x00\x40\x20\x01", "prefix", id="prefix shorter than its bits"),
        pytest.param("Framed-IPv6-Prefix", b"\x00", "prefix", id="prefix of one octet"),
        pytest.param("Tunnel-Type", b"\x20\x00\x00\x0d", "integer", id="a4_12 tag above 1f"),
    ],
)
def test_a1_08_value_that_does_not_fit_is_none_and_kept_raw(name: str, raw: bytes, reader: str) -> None:
    attributes = Attributes().add_raw(BY_NAME[name].number, raw)
    assert getattr(attributes, reader)(name) is None
    assert attributes.octets(name) == raw


def test_a1_08_first_valid_value_is_read_past_an_invalid_one() -> None:
    attributes = Attributes().add_raw(27, b"\x01").add("Session-Timeout", 60)
    assert attributes.integer("Session-Timeout") == 60


def test_a6_20_prefix_is_completed_and_its_host_bits_cleared() -> None:
    attributes = Attributes().add_raw(97, b"\x00\x21\x20\x01\x0d\xb8\xff")
    assert attributes.prefix("Framed-IPv6-Prefix") == IPv6Network("2001:db8:8000::/33")


def test_a1_11_order_of_the_same_attribute_is_kept() -> None:
    attributes = Attributes([("Class", b"1"), ("User-Name", "x"), ("Class", b"2"), ("Class", b"3")])
    assert over_the_wire(attributes).all_octets("Class") == [b"1", b"2", b"3"]


def test_order_of_all_attributes_is_kept() -> None:
    pairs: list[tuple[str, Value]] = [("Class", b"1"), ("User-Name", "x"), ("Class", b"2"), ("Mikrotik-Group", "g")]
    assert [name for name, _ in over_the_wire(Attributes(pairs))] == [name for name, _ in pairs]


def test_several_values_in_one_vendor_specific_are_read() -> None:
    attributes = Attributes().add_raw(26, (14988).to_bytes(4) + b"\x08\x04ab" + b"\x13\x03c")
    assert attributes.text("Mikrotik-Rate-Limit") == "ab"
    assert attributes.text("Mikrotik-Address-List") == "c"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x00", id="shorter than a vendor"),
        pytest.param(b"\x00\x00\x3a\x8c", id="nothing inside"),
        pytest.param(b"\x00\x00\x3a\x8c\x08", id="half a header inside"),
        pytest.param(b"\x00\x00\x3a\x8c\x08\x00ab", id="length 0 inside"),
        pytest.param(b"\x00\x00\x3a\x8c\x08\x09ab", id="reaches outside"),
        pytest.param(b"\x00\x00\x3a\x8c\x08\x03ab", id="one octet left"),
    ],
)
def test_vendor_specific_of_another_shape_is_kept_whole(raw: bytes) -> None:
    attributes = Attributes().add_raw(26, raw)
    assert attributes.text("Mikrotik-Rate-Limit") is None
    assert list(attributes) == [("Vendor-Specific", "0x" + raw.hex())]


def test_a1_09_empty_value_of_a_vendor_is_ignored() -> None:
    attributes = Attributes().add_raw(26, (14988).to_bytes(4) + b"\x08\x02" + b"\x13\x03c")
    assert list(attributes) == [("Mikrotik-Address-List", "c")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("User-Name", "", id="empty text"),
        pytest.param("User-Name", "x" * 254, id="text of 254"),
        pytest.param("Mikrotik-Group", "x" * 248, id="vendor text of 248"),
        pytest.param("Session-Timeout", -1, id="negative"),
        pytest.param("Session-Timeout", 2**32, id="33 bits"),
        pytest.param("Session-Timeout", "soon", id="word without a number"),
        pytest.param("NAS-IP-Address", "2001:db8::1", id="wrong family"),
        pytest.param("NAS-IP-Address", 7, id="integer for an address"),
        pytest.param("No-Such-Attribute", 7, id="unknown name"),
        pytest.param("Framed-Interface-Id", b"1234567", id="short interface id"),
        pytest.param("Class", "text", id="text for octets"),
    ],
)
def test_value_that_cannot_be_sent_is_refused(name: str, value: Value) -> None:
    with pytest.raises(EncodeError):
        Attributes().add(name, value)


def test_reading_an_unknown_name_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Attributes().text("No-Such-Attribute")


def test_new_list_is_empty() -> None:
    assert list(Attributes()) == []
    assert len(Attributes()) == 0
    assert "User-Name" not in Attributes()


def test_lists_with_the_same_content_are_equal() -> None:
    together = Attributes().add_raw(26, (14988).to_bytes(4) + b"\x03\x03a\x13\x03b")
    apart = Attributes([("Mikrotik-Group", "a"), ("Mikrotik-Address-List", "b")])
    assert together == apart
    assert apart != Attributes([("Mikrotik-Address-List", "b"), ("Mikrotik-Group", "a")])


def test_extend_appends_all() -> None:
    attributes = Attributes([("Class", b"1")]).extend(Attributes([("Class", b"2"), ("User-Name", "x")]))
    assert attributes == Attributes([("Class", b"1"), ("Class", b"2"), ("User-Name", "x")])


def test_integer_has_its_word() -> None:
    attributes = Attributes([("Acct-Terminate-Cause", "Idle-Timeout"), ("Service-Type", 99)])
    assert attributes.integer("Acct-Terminate-Cause") == 4
    assert attributes.word("Acct-Terminate-Cause") == "Idle-Timeout"
    assert attributes.word("Service-Type") is None


@pytest.mark.parametrize("name", ["User-Password", "CHAP-Password", "State", "MS-CHAP2-Response", "EAP-Message"])
def test_a10_04_secret_is_masked(name: str) -> None:
    attributes = Attributes([(name, b"rahasia sekali")])
    assert list(attributes) == [(name, "***")]
    assert "rahasia" not in repr(attributes)


def test_shown_values_are_for_people() -> None:
    attributes = Attributes([("Event-Timestamp", MOMENT), ("Class", b"\x01"), ("Acct-Status-Type", "Stop")])
    attributes.add("NAS-IP-Address", "10.0.0.1").add_raw(241, b"\x05")
    assert list(attributes) == [
        ("Event-Timestamp", "2026-08-17T02:00:00+00:00"),
        ("Class", "0x01"),
        ("Acct-Status-Type", "Stop"),
        ("NAS-IP-Address", "10.0.0.1"),
        ("241", "0x05"),
    ]


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        pytest.param("02-AA-00-00-00-01", "02:aa:00:00:00:01", id="RFC 3580"),
        pytest.param("02:aa:00:00:00:01", "02:aa:00:00:00:01", id="colons"),
        pytest.param("02aa.0000.0001", "02:aa:00:00:00:01", id="dots"),
        pytest.param("02AA00000001", "02:aa:00:00:00:01", id="bare"),
        pytest.param(" 02 AA 00 00 00 01 ", "02:aa:00:00:00:01", id="blanks"),
        pytest.param("02-AA-00-00-00-01:Pulau Gusung", "02:aa:00:00:00:01", id="with a network name"),
        pytest.param("02-AA-00-00-00-01:facade", "02:aa:00:00:00:01", id="with a hexadecimal network name"),
        pytest.param("E6-BE-9A-B2-05-75:", "e6:be:9a:b2:05:75", id="with an empty network name"),
        pytest.param("10.99.10.194[4500]", None, id="address and port of strongSwan"),
        pytest.param("10.99.10.194", None, id="address"),
        pytest.param("02-AA-00-00-00", None, id="ten digits"),
        pytest.param("02AA0000000102", None, id="fourteen digits"),
        pytest.param("02-AA-00-00-00-0G", None, id="not hexadecimal"),
        pytest.param("", None, id="empty"),
    ],
)
def test_a3_10_mac_has_one_spelling(text: str, mac: str | None) -> None:
    assert parse_mac(text) == mac


def test_mac_is_read_from_an_attribute() -> None:
    assert Attributes([("Calling-Station-Id", "02-AA-00-00-00-01")]).mac("Calling-Station-Id") == "02:aa:00:00:00:01"
    assert Attributes().mac("Calling-Station-Id") is None
