"""Reading a CSV file of users: every cell checked, every mistake with its line and what is wrong. Nothing is stored.

Header `username,password,name,phone,plan,site` in any order, only the first is required. UTF-8 with or without a
byte order mark; `,` or `;` between cells, as the header shows; a row has as many cells as the header.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.text import NAME_LENGTH, spelled
from app.services import fields, passwords
from app.services.errors import Invalid

COLUMNS: Final = ("username", "password", "name", "phone", "plan", "site")
_NAMES: Final = ("plan", "site")
LARGEST_FILE: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 250_000


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong, and where: `row` is the line of the file (1 is the header), `column` "" for the whole line."""

    row: int
    column: str
    problem: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """One checked row; None where the cell is empty or the column absent. Plan and site are names as stored."""

    row: int
    username: str
    password: str | None
    name: str | None
    phone: str | None
    plan: str | None
    site: str | None


@dataclass(frozen=True, slots=True)
class NamedCell:
    """A cell that names a plan or a site, in a row that may be wrong elsewhere."""

    row: int
    column: str
    name: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file holds: the good rows, every mistake in the order of the lines, and what all rows name."""

    rows: tuple[UserRow, ...]
    errors: tuple[RowError, ...]
    named: tuple[NamedCell, ...] = ()


def read_rows(data: bytes) -> Rows:
    """Read a whole file; mistakes are returned, never raised."""
    if len(data) > LARGEST_FILE:
        return _refused(1, f"the file has {len(data)} octets, {LARGEST_FILE} are allowed")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refused(data.count(b"\n", 0, error.start) + 1, "is not UTF-8; save the file as CSV UTF-8")
    lines = _records(text)
    try:
        number, header = next(lines)
    except StopIteration:
        return _refused(1, "the file is empty")
    except _CsvError as error:
        return _refused(error.row, error.problem)
    columns = [spelled(cell).lower() for cell in header]
    mistakes = _header_mistakes(number, columns)
    return Rows((), tuple(mistakes)) if mistakes else _read_body(columns, lines)


def _refused(row: int, problem: str) -> Rows:
    return Rows((), (RowError(row, "", problem),))


class _CsvError(Exception):
    def __init__(self, row: int, problem: str) -> None:
        super().__init__(row, problem)
        self.row = row
        self.problem = problem


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give (line, cells) of every record that is not blank; raise _CsvError."""
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _CsvError(line, f"is not CSV: {error}") from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _header_mistakes(row: int, columns: list[str]) -> list[RowError]:
    mistakes = [
        RowError(row, column[:40], f"is not a column; they are {', '.join(COLUMNS)}")
        for column in columns
        if column not in COLUMNS
    ]
    mistakes += [RowError(row, name, "appears twice in the header") for name in COLUMNS if columns.count(name) > 1]
    if "username" not in columns:
        mistakes.append(RowError(row, "username", "is missing from the header"))
    return mistakes


def _read_body(columns: list[str], lines: Iterator[tuple[int, list[str]]]) -> Rows:
    rows: list[UserRow] = []
    errors: list[RowError] = []
    named: list[NamedCell] = []
    seen: dict[str, int] = {}
    try:
        for number, (line, cells) in enumerate(lines):
            if number >= MOST_ROWS:
                errors.append(RowError(line, "", f"more than {MOST_ROWS} rows; split the file"))
                break
            if len(cells) != len(columns):
                errors.append(RowError(line, "", f"has {len(cells)} cells, the header {len(columns)}"))
                continue
            values, mistakes = _read_row(line, dict(zip(columns, cells, strict=True)))
            username = values.pop("username", None)
            if username is not None and (earlier := seen.setdefault(username, line)) != line:
                mistakes.append(RowError(line, "username", f"{username!r} is in line {earlier} already"))
            named += [NamedCell(line, column, name) for column in _NAMES if (name := values.get(column)) is not None]
            errors += mistakes
            if not mistakes:
                assert username is not None
                rows.append(UserRow(row=line, username=username, **values))
    except _CsvError as error:
        errors.append(RowError(error.row, "", error.problem))
    return Rows(tuple(rows), tuple(errors), tuple(named))


def _read_row(line: int, cells: Mapping[str, str]) -> tuple[dict[str, str | None], list[RowError]]:
    """Return the good values of a row, and every mistake in it."""
    values: dict[str, str | None] = {}
    mistakes = []
    for column in COLUMNS:
        cell = cells.get(column, "")
        try:
            values[column] = _read_cell(column, cell if cell.strip() or column == "password" else "")
        except Invalid as error:
            mistakes.append(RowError(line, column, error.problem))
    return values, mistakes


def _read_cell(column: str, cell: str) -> str | None:
    if column == "username":
        return fields.username(cell)
    if not cell:
        return None
    match column:
        case "password":
            return passwords.checked(cell)
        case "phone":
            return fields.phone(cell)
        case "name":
            return fields.line(column, cell, limit=NAME_LENGTH)
        case _:
            return fields.label(column, cell)
