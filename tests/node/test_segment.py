from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.node.journal.segment import HEADER_OCTETS, Header, encode, entries, read_header, record_beyond

SEGMENT_ID = b"0123456789abcdef"
RECORDS = [(1, b"first record"), (2, b"second, longer record"), (1, b"x")]
NODE = "node" * 4


def test_header_comes_back_as_written() -> None:
    header = Header(NODE, 3, 7, SEGMENT_ID)
    assert read_header(header.to_bytes()) == header


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty file"),
        pytest.param(bytes(HEADER_OCTETS), id="zeros: reserved and never written"),
        pytest.param(Header(NODE, 3, 7, SEGMENT_ID).to_bytes()[:40], id="cut short"),
        pytest.param(b"?" + Header(NODE, 3, 7, SEGMENT_ID).to_bytes()[1:], id="another magic"),
    ],
)
def test_what_is_no_header_is_none(data: bytes) -> None:
    assert read_header(data) is None


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(min_size=1, max_size=300)), max_size=20))
def test_records_come_back_as_written(records: list[tuple[int, bytes]]) -> None:
    data, ends = encode(SEGMENT_ID, records)
    read = list(entries(SEGMENT_ID, data + bytes(100), base=64))
    assert [(entry.type, entry.payload) for entry in read] == records
    assert [entry.end for entry in read] == [64 + end for end in ends]


@given(st.integers(0, 200))
def test_cut_anywhere_only_whole_records_are_read(at: int) -> None:
    data, ends = encode(SEGMENT_ID, RECORDS)
    whole = [record for record, end in zip(RECORDS, ends, strict=True) if end <= at]
    assert [(entry.type, entry.payload) for entry in entries(SEGMENT_ID, data[:at] + bytes(50))] == whole


@given(st.data())
def test_a_changed_octet_ends_the_segment_there(data: st.DataObject) -> None:
    whole, ends = encode(SEGMENT_ID, RECORDS)
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(1, 255))
    hit = next(index for index, (start, end) in enumerate(pairwise([0, *ends])) if start <= at < end)
    assert len(list(entries(SEGMENT_ID, bytes(damaged)))) == hit


def test_records_of_another_segment_are_none() -> None:
    data, _ = encode(SEGMENT_ID, RECORDS)
    assert list(entries(b"another segment!", data)) == []


def test_valid_record_beyond_a_bad_one_is_found() -> None:
    data, ends = encode(SEGMENT_ID, RECORDS)
    damaged = data[:12] + b"?" + data[13:]
    assert record_beyond(SEGMENT_ID, damaged + bytes(1000), 0) == ends[0]


@pytest.mark.parametrize("cut", [pytest.param(5, id="in the header"), pytest.param(15, id="in the payload")])
def test_torn_tail_has_nothing_beyond(cut: int) -> None:
    data, ends = encode(SEGMENT_ID, RECORDS)
    assert record_beyond(SEGMENT_ID, data[: ends[1] + cut] + bytes(1000), ends[1]) is None
