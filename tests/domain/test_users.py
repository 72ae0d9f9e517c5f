"""Names, usernames and phone numbers: one spelling each."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.phones import parse_phone
from app.domain.text import TextError, canonical_username, clean, label
from tests.factories import NOON, make_account, make_plan


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("siti", "siti"),
        (" Siti.AMINAH@Gusung\t", "siti.aminah@gusung"),
        ("081234567890", "081234567890"),
        ("cafe\u0301", "caf\u00e9"),
        ("CAF\u00c9", "caf\u00e9"),
        ("Stra\u00dfe", "strasse"),
        ("\u0399\u03a3", "\u03b9\u03c3"),
        ("pak budi", "pak budi"),
        ("x" * 253, "x" * 253),
    ],
    ids=["plain", "case and spaces", "a phone", "composed", "capital accent", "sharp s", "final sigma", "space", "253"],
)
# A3.11
def test_canonical_username(typed: str, canonical: str) -> None:
    assert canonical_username(typed) == canonical


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "a\x00b", "a\nb", "a\x7fb", "a\u202eb", "a\u200bb", "\ud800", "a\u2028b", "\ufdd0", "x" * 254, "é" * 127],
    ids=["empty", "spaces", "nul", "line", "delete", "rtl", "zero width", "surrogate", "separator", "noncharacter",
         "254", "254 octets"],
)  # fmt: skip
def test_username_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(TextError):
        canonical_username(typed)


@given(st.text(max_size=60))
def test_canonical_username_is_final_and_forgets_case_and_composition(text: str) -> None:
    try:
        canonical = canonical_username(text)
    except TextError:
        return
    assert canonical_username(canonical) == canonical
    assert canonical_username(unicodedata.normalize("NFD", text)) == canonical
    assert canonical_username(text.casefold()) == canonical
    assert len(canonical.encode()) <= 253


@given(st.text(max_size=60))
def test_clean_is_final(text: str) -> None:
    try:
        cleaned = clean(text, limit=50)
    except TextError as error:
        assert error.problem  # noqa: PT017 either outcome is right
        return
    assert clean(cleaned, limit=50) == cleaned


def test_label_must_say_something() -> None:
    with pytest.raises(TextError, match="empty"):
        label(" \t")


@pytest.mark.parametrize(
    "written",
    ["081234567890", "81234567890", "6281234567890", "+6281234567890", "+62 812-3456-7890", "(0812) 3456.7890",
     "+62 0 812 3456 7890", " 0812 3456 7890 ", "+62 (0) 81234567890"],
)  # fmt: skip
def test_e21_mobile_number_in_any_usual_form(written: str) -> None:
    assert parse_phone(written) == "+6281234567890"


@pytest.mark.parametrize(
    ("national", "valid"),
    [("8" + "1" * 7, False), ("8" + "1" * 8, True), ("8" + "1" * 11, True), ("8" + "1" * 12, False)],
    ids=["8 digits", "9 digits", "12 digits", "13 digits"],
)
def test_e21_national_number_has_9_to_12_digits(national: str, valid: bool) -> None:
    assert (parse_phone("0" + national) is not None) is valid


@pytest.mark.parametrize(
    "written",
    ["", "0549-21234", "021 1234567", "+6591234567", "+1 812 345 6789", "0812345678a", "\u0660\u0668123456789",
     "08123456\x007890", "0812" * 20, "++6281234567890", "008123456789"],
)  # fmt: skip
def test_e21_what_is_no_indonesian_mobile_is_refused(written: str) -> None:
    assert parse_phone(written) is None


@given(st.text(max_size=50))
def test_phone_of_any_text_is_e164_and_final(text: str) -> None:
    number = parse_phone(text)
    if number is not None:
        assert number.isascii()
        assert number.startswith("+628")
        assert parse_phone(number) == number


@pytest.mark.parametrize(
    ("validity", "first_used_at", "valid_until", "expected"),
    [
        (None, None, None, None),
        (60, None, None, NOON + timedelta(seconds=60)),
        (60, NOON - timedelta(seconds=50), None, NOON + timedelta(seconds=10)),
        (60, datetime(1970, 1, 1, tzinfo=UTC), None, NOON + timedelta(seconds=60)),
        (60, None, NOON + timedelta(seconds=5), NOON + timedelta(seconds=5)),
        (60, None, NOON + timedelta(hours=1), NOON + timedelta(seconds=60)),
    ],
    ids=[
        "never",
        "from now if unused",
        "from first use",
        "first used by a clock that was wrong",
        "own date first",
        "validity first",
    ],
)
def test_account_ends_at(
    *, validity: int | None, first_used_at: datetime | None, valid_until: datetime | None, expected: datetime | None
) -> None:
    account = make_account(
        plan=make_plan(validity_seconds=validity), first_used_at=first_used_at, valid_until=valid_until
    )
    assert account.ends_at(NOON) == expected
