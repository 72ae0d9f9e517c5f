"""Of whom the requests speak: who has which name and password, and which phone is whose."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.devices import parse_mac

FIRST_MAC: Final = "02:be:00:00:00:00"
_MACS: Final = 1 << 48


class PeopleError(Exception):
    """A list of people that nobody can be read from: the row (from 1), and what is wrong with it."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(f"row {row}: {problem}")
        self.row = row
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Person:
    """Who logs in, and with which phone."""

    name: bytes
    password: bytes
    mac: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """People by number: `{}` in a pattern is the number, `{:06}` the same with six digits (str.format)."""

    name: str
    password: str
    first: int
    count: int
    first_mac: str = FIRST_MAC

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Person:
        if not 0 <= number < self.count:
            raise IndexError(number)
        whole = self.first + number
        name, password = self.name.format(whole), self.password.format(whole)
        return Person(name.encode(), password.encode(), mac_of(self.first_mac, whole))


@dataclass(frozen=True, slots=True)
class Listed:
    """People from a list of names and passwords."""

    rows: Sequence[tuple[str, str]]
    first_mac: str = FIRST_MAC

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Person:
        name, password = self.rows[number]
        return Person(name.encode(), password.encode(), mac_of(self.first_mac, number))


@dataclass(frozen=True, slots=True)
class Phones:
    """Phones that come back by themselves: the MAC is the name, the password is the router's own MAC secret."""

    mac_secret: bytes
    count: int
    first_mac: str = FIRST_MAC

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Person:
        if not 0 <= number < self.count:
            raise IndexError(number)
        mac = mac_of(self.first_mac, number)
        return Person(mac.encode(), self.mac_secret, mac)


People = Pattern | Listed | Phones


def mac_of(first: str, number: int) -> str:
    """Return the MAC that comes `number` after the first."""
    start = int(first.replace(":", ""), 16)
    return ((start + number) % _MACS).to_bytes(6).hex(":")


def read_people(text: str, first_mac: str = FIRST_MAC) -> Listed:
    """Read a CSV with the columns username and password, as `pesisir user import` takes it; raise PeopleError."""
    table = csv.DictReader(io.StringIO(text))
    if not {"username", "password"} <= set(table.fieldnames or ()):
        raise PeopleError(1, "names no columns username and password")
    rows = []
    for row, line in enumerate(table, start=2):
        if not line["username"] or not line["password"]:
            raise PeopleError(row, "has no username or no password")
        rows.append((line["username"], line["password"]))
    if not rows:
        raise PeopleError(2, "is not there: the list is empty")
    assert parse_mac(first_mac) == first_mac
    return Listed(rows, first_mac)
