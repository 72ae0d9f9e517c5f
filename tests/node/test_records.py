"""Records of the journal: what was written is what is read, also what an earlier release wrote."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.granted import Limits
from app.domain.reports import Method
from app.node.journal.records import RecordError, Verdict, decode_verdict, encode_verdict

NUMBERS = st.none() | st.integers(0, 2**62)
WORDS = st.none() | st.text(st.characters(codec="utf-8"), max_size=60)
LIMITS = st.builds(Limits, *[NUMBERS] * 10, WORDS, WORDS)


def verdict(limits: Limits, *, accepted: bool = True, name: str = "budi") -> Verdict:
    return Verdict(
        1_795_000_000.25, "nas", Method.TICKET, accepted, "", "02:aa:00:00:00:01", "user", "acc", "81a0", name, limits
    )


@given(limits=LIMITS, accepted=st.booleans(), name=st.text(st.characters(codec="utf-8"), max_size=253))
def test_verdict_is_read_as_it_was_written(limits: Limits, accepted: bool, name: str) -> None:
    told = verdict(limits, accepted=accepted, name=name)
    assert decode_verdict(encode_verdict(told)) == told


@pytest.mark.parametrize("accepted", [True, False])
def test_verdict_of_an_earlier_release_is_read(accepted: bool) -> None:
    said = "nas\x1f\x1f02:aa:00:00:00:01\x1fuser\x1facc\x1f81a0\x1fbudi"
    written = struct.pack(">dBB6q", 1_795_000_000.25, 0, accepted, 4_000_000, -1, -1, 3_600, -1, 60) + said.encode()
    assert decode_verdict(written) == verdict(Limits(4_000_000, None, None, 3_600, None, 60), accepted=accepted)


@pytest.mark.parametrize(
    "more",
    ["", "{", "[1]x", str([1] * 99), "7"],
    ids=["nothing", "torn", "two values", "too many", "no list"],
)
def test_limits_that_cannot_be_read_are_a_record_that_cannot(more: str) -> None:
    said = f"{more}\x1fnas\x1f\x1f02:aa:00:00:00:01\x1fuser\x1facc\x1f81a0\x1fbudi"
    with pytest.raises(RecordError):
        decode_verdict(struct.pack(">dBB6q", 1.0, 0, 3, -1, -1, -1, -1, -1, -1) + said.encode())
