"""MAC addresses in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.devices import is_device, parse_mac, parse_station_id, reads_as_mac
from tests.factories import MAC


@pytest.mark.parametrize(
    "text",
    [
        "02:aa:00:00:00:01",
        "02-AA-00-00-00-01",
        "02AA.0000.0001",
        "02aa00000001",
        " 02:AA:00:00:00:01 ",
        "02aa-0000-0001",
    ],
)
def test_mac_in_any_usual_spelling(text: str) -> None:
    assert parse_mac(text) == MAC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "02:aa:00:00:00",
        "02:aa:00:00:00:01:02",
        "02:aa:00:00:00:0g",
        "siti",
        ":" * 70,
        "02:aa:00:00:00:01" + " " * 60,
    ],
)
def test_what_is_no_mac_is_none(text: str) -> None:
    assert parse_mac(text) is None


@pytest.mark.parametrize("separator", ["", ":", "-", "."])
@pytest.mark.parametrize("group", [2, 4, 6, 12])
def test_login_name_in_any_usual_spelling_reads_as_a_mac(separator: str, group: int) -> None:
    digits = "02aa00000001"
    name = separator.join(digits[i : i + group] for i in range(0, 12, group))
    assert reads_as_mac(name)
    assert reads_as_mac(name.upper())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("081234567890", False),
        ("0812-3456-7890", True),
        ("siti", False),
        ("siti.aminah", False),
        ("02aa0000000", False),
        ("02aa000000011", False),
        ("02aa00000001@gusung", False),
    ],
    ids=["mobile number", "with dashes", "name", "name with a dot", "11 digits", "13 digits", "MAC in a domain"],
)
def test_login_name_that_reads_as_a_mac(name: str, expected: bool) -> None:
    assert reads_as_mac(name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("02-AA-00-00-00-01:Pesisir Gusung", MAC),
        ("02-AA-00-00-00-01:a:b\nc", MAC),
        ("02:aa:00:00:00:01", MAC),
        ("02aa00000001:ssid", MAC),
        ("10.99.10.194[4500]", None),
        ("10.99.10.19", None),
        ("", None),
    ],
    ids=["with an SSID", "odd SSID", "alone", "bare", "strongSwan", "address", "empty"],
)
def test_rfc3580_3_20_station_id(text: str, expected: str | None) -> None:
    assert parse_station_id(text) == expected


@given(st.binary(min_size=6, max_size=6), st.sampled_from([":", "-", "", "."]))
def test_any_mac_is_read(octets: bytes, separator: str) -> None:
    mac = ":".join(f"{octet:02x}" for octet in octets)
    assert parse_mac(mac.replace(":", separator).upper()) == mac


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("02:aa:00:00:00:0g", None, id="a letter that is no digit"),
        pytest.param("02:aa:00:00:  :01", None, id="spaces for digits"),
        pytest.param("02:aa-00:00-00:01", MAC, id="mixed separators"),
        pytest.param("02-AA-00-00-00-01", MAC, id="as most routers write it"),
    ],
)
def test_seventeen_characters_are_a_mac_or_nothing(text: str, expected: str | None) -> None:
    assert parse_station_id(text) == expected


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_mac(text)
    parse_station_id(text)


@pytest.mark.parametrize(
    ("mac", "device"),
    [
        pytest.param(MAC, True, id="made up by a phone"),
        pytest.param("00:1a:2b:3c:4d:5e", True, id="burnt in"),
        pytest.param("fe:ff:ff:ff:ff:ff", True, id="highest of one device"),
        pytest.param("00:00:00:00:00:00", False, id="nothing"),
        pytest.param("ff:ff:ff:ff:ff:ff", False, id="everybody"),
        pytest.param("01:00:5e:00:00:01", False, id="a group of IPv4"),
        pytest.param("33:33:00:00:00:01", False, id="a group of IPv6"),
    ],
)
def test_group_or_nothing_is_no_device(mac: str, device: bool) -> None:
    assert is_device(mac) is device
