"""Voucher codes: what is printed and what people make of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.vouchers import ALPHABET, CODE_LENGTH, new_code, normalise_code, printed

CODES = st.text(alphabet=ALPHABET, min_size=CODE_LENGTH, max_size=CODE_LENGTH)


def test_c4_05_code_has_more_than_40_bits_and_no_letter_that_is_taken_for_another() -> None:
    assert CODE_LENGTH * math.log2(len(ALPHABET)) > 40
    assert not set(ALPHABET) & set("0O1IL")
    assert len(set(ALPHABET)) == 31


@given(st.binary(min_size=16, max_size=16))
def test_new_code_is_a_code(chance: bytes) -> None:
    code = new_code(chance)
    assert normalise_code(code) == code


@given(CODES, st.data())
def test_s8_code_is_known_however_it_was_typed(code: str, data: st.DataObject) -> None:
    typed = ""
    for letter in code:
        typed += data.draw(st.sampled_from([letter, letter.lower()])) + data.draw(st.sampled_from(["", "", " ", "-"]))
    assert normalise_code(typed) == code
    assert normalise_code(printed(code)) == code


def test_code_is_printed_in_threes() -> None:
    assert printed("ABCDEFGHJ") == "ABC-DEF-GHJ"


@pytest.mark.parametrize(
    "typed",
    ["", "ABCDEFGH", "ABCDEFGHJK", "ABCDEFGH0", "ABCDEFGH1", "ABCDEFGHO", "ABC/DEF/GHJ", "A" * 65, "ABCDEFGH\x00"],
    ids=["empty", "8", "10", "zero", "one", "letter O", "slashes", "65", "nul"],
)
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert normalise_code(typed) is None


@given(st.text(max_size=100))
def test_any_text_is_none_or_a_code(typed: str) -> None:
    code = normalise_code(typed)
    assert code is None or (len(code) == CODE_LENGTH and set(code) <= set(ALPHABET))
