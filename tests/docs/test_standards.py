"""docs/standards.md: every line of the standard that applies has a test that names it, or a decision that says why not."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "standards.md"
LAST = {"A1": 20, "A2": 12, "A3": 12, "A4": 12, "A5": 9, "A6": 21, "A7": 10, "A8": 3}
OPTIONAL = {"A3.05"}
RELIABILITY = [*range(1, 10), 13, 14, 15, 18, 19, 20]
APPLYING = [f"{part}.{number:02d}" for part, last in LAST.items() for number in range(1, last + 1)]
APPLYING = [line for line in APPLYING if line not in OPTIONAL] + [f"D{number:02d}" for number in RELIABILITY]


class Row(NamedTuple):
    line: str
    tests: tuple[Path, ...]
    decisions: tuple[str, ...]


def rows() -> list[Row]:
    found = re.findall(r"^\| ([AD][\d.]+) \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [
        Row(
            line,
            tuple(ROOT / "tests" / name for name in re.findall(r"`([^`]+)`", cell)),
            tuple(re.findall(r"\]\((decisions/[^)]+)\)", cell)),
        )
        for line, cell in found
    ]


ROWS = rows()


def test_every_line_that_applies_has_its_row() -> None:
    assert [row.line for row in ROWS] == APPLYING


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.line)
def test_every_line_has_tests_that_name_it_or_a_decision(row: Row) -> None:
    assert row.tests or row.decisions
    named = re.compile(rf"(?<![A-Za-z0-9]){row.line.replace('.', '[._]')}(?![A-Za-z0-9])", re.IGNORECASE)
    for test in row.tests:
        assert named.search(test.read_text(encoding="utf-8")), f"{test} does not name {row.line}"
    for decision in row.decisions:
        assert row.line in lines_of((PAGE.parent / decision).read_text(encoding="utf-8"))


def lines_of(text: str) -> set[str]:
    """Return the lines that a text names, `A7.05 to A7.08` being four."""
    found = set(re.findall(r"\b(?:[A-D]\d\.\d\d|D\d\d)\b", text))
    for part, first, last in re.findall(r"\b([A-D]\d)\.(\d\d) to \1\.(\d\d)\b", text):
        found |= {f"{part}.{number:02d}" for number in range(int(first), int(last) + 1)}
    return found
