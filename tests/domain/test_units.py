"""Rates, amounts and times as people write them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.units import UnitError, format_amount, format_rate, parse_amount, parse_duration, parse_rate


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_rate, "512k", 512_000),
        (parse_rate, " 4M ", 4_000_000),
        (parse_rate, "1.5M", 1_500_000),
        (parse_rate, "4Mbps", 4_000_000),
        (parse_rate, "64000", 64_000),
        (parse_amount, "500MB", 500_000_000),
        (parse_amount, "10GB", 10_000_000_000),
        (parse_amount, "10g", 10_000_000_000),
        (parse_amount, "1.5 GB", 1_500_000_000),
        (parse_amount, "1TB", 1_000_000_000_000),
        (parse_amount, "1", 1),
        (parse_duration, "90", 90),
        (parse_duration, "15m", 900),
        (parse_duration, "8h", 28_800),
        (parse_duration, "30d", 2_592_000),
    ],
)
def test_parse(parse: Callable[[str], int], text: str, expected: int) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("parse", [parse_rate, parse_amount, parse_duration])
@pytest.mark.parametrize(
    "text", ["", "0", "-1", "k", "1x", "1e6", "1.0001", "٤", "99999999999999999999", "1\n2", "1,5"]
)
def test_what_is_no_value_is_refused_with_its_text(parse: Callable[[str], int], text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text)
    assert caught.value.text == text


@given(st.integers(1, 2**53 - 1))
def test_what_is_written_is_read_back_exactly(value: int) -> None:
    assert parse_rate(format_rate(value)) == value
    assert parse_amount(format_amount(value)) == value


@given(st.text(max_size=20))
def test_any_text_is_a_value_or_a_unit_error(text: str) -> None:
    for parse in (parse_rate, parse_amount, parse_duration):
        try:
            assert 0 < parse(text) < 2**53
        except UnitError as error:
            assert error.text == text  # noqa: PT017 either outcome is right
