"""Keys, ids and the Class that proves an Accept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.acceptances import NONCE_OCTETS, Acceptance, class_value, new_acceptance_id, read_class
from app.domain.keys import (
    base32,
    base32_number,
    derive,
    draw_id,
    is_id,
    new_id,
    read_base32_number,
    tag,
)

KEY = b"k" * 32
NAS = "nasanasanasanasa"
ACCEPTANCES = st.builds(
    Acceptance,
    id=st.binary(min_size=NONCE_OCTETS, max_size=NONCE_OCTETS).map(new_acceptance_id),
    account_id=st.binary(min_size=10, max_size=10).map(base32),
)


@given(ACCEPTANCES)
def test_class_is_read_back_by_its_own_nas(acceptance: Acceptance) -> None:
    value = class_value(acceptance, key=KEY, nas_id=NAS)
    assert len(value) == 65
    assert value.isalnum(), "a router writes it into the address of a page"
    assert read_class(value, key=KEY, nas_id=NAS) == acceptance
    assert read_class(value, key=KEY, nas_id="anotheranotheran") is None
    assert read_class(value, key=b"x" * 32, nas_id=NAS) is None


@given(ACCEPTANCES, st.integers(0, 64), st.integers(1, 255))
def test_changed_class_is_not_ours(acceptance: Acceptance, position: int, change: int) -> None:
    value = bytearray(class_value(acceptance, key=KEY, nas_id=NAS))
    value[position] ^= change
    assert read_class(bytes(value), key=KEY, nas_id=NAS) is None


def test_class_of_before_an_upgrade_is_still_ours() -> None:
    acceptance = Acceptance("0102030405060708", "abcdefghijklmnop")
    body = b"\x01" + acceptance.account_id.encode() + bytes.fromhex(acceptance.id)
    value = body + tag(KEY, body, NAS.encode())[:16]
    assert read_class(value, key=KEY, nas_id=NAS) == acceptance
    assert read_class(value, key=KEY, nas_id="anotheranotheran") is None
    assert read_class(value[:-1] + bytes([value[-1] ^ 1]), key=KEY, nas_id=NAS) is None


@given(st.binary(max_size=80))
def test_any_class_is_read_without_an_error(value: bytes) -> None:
    assert read_class(value, key=KEY, nas_id=NAS) is None


@given(st.integers(0, 2**80), st.integers(1, 20))
def test_number_is_read_back(value: int, width: int) -> None:
    digits = base32_number(value, width)
    assert len(digits) >= width
    assert read_base32_number(digits) == value


@pytest.mark.parametrize("digits", ["a1", "A", "a b", "é"])
def test_foreign_digit_is_none(digits: str) -> None:
    assert read_base32_number(digits) is None


@given(st.binary(min_size=10, max_size=10))
def test_id_has_its_form(chance: bytes) -> None:
    assert is_id(new_id(chance))
    assert draw_id(lambda size: chance[:size]) == new_id(chance)


@pytest.mark.parametrize("text", ["", "short", "a" * 15, "a" * 17, "A" * 16, "a" * 15 + "1", "a" * 15 + "~"])
def test_what_is_no_id_is_told_apart(text: str) -> None:
    assert not is_id(text)


def test_each_purpose_has_its_own_key() -> None:
    keys = {
        derive(KEY),
        derive(KEY, "ticket"),
        derive(KEY, "ticket", "a"),
        derive(KEY, "ticket", "b"),
        derive(b"", "a"),
    }
    assert len(keys) == 5


def test_boundaries_between_parts_cannot_be_moved() -> None:
    assert tag(KEY, b"ab", b"c") != tag(KEY, b"a", b"bc")
    assert tag(KEY, b"abc") != tag(KEY, b"abc", b"")
