import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.forms import read_pairs


def test_repeated_field_counts_once() -> None:
    assert read_pairs(b"code=AAA&code=BBB") == {"code": "AAA"}


def test_plus_and_percent_are_read() -> None:
    assert read_pairs(b"password=laut+biru%2077&name=%C3%A9") == {"password": "laut biru 77", "name": "é"}


@pytest.mark.parametrize("body", [b"&" * 100, b"a=1&" * 100], ids=["only separators", "too many fields"])
def test_absurd_forms_are_empty(body: bytes) -> None:
    assert read_pairs(body) == {}


@given(st.binary(max_size=2_000))
def test_no_octets_make_reading_raise(body: bytes) -> None:
    read_pairs(body)
