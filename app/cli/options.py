"""Values as people type them: rates, amounts, times, dates. A bad one is a usage error that says why."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

import typer
from typer.models import OptionInfo

from app.cli.failures import Failure
from app.domain.local_time import day_begins_at
from app.domain.units import parse_amount, parse_duration, parse_rate

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name.")]

CLEAR: Final = "none"
_STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """An option that was given; None clears what is stored."""

    value: T | None


def rate(flag: str, text: str) -> OptionInfo:
    """Declare an option that takes bit/s, such as 4M."""
    return _option(flag, parse_rate, "RATE", text)


def amount(flag: str, text: str) -> OptionInfo:
    """Declare an option that takes octets, such as 500MB."""
    return _option(flag, parse_amount, "AMOUNT", text)


def seconds(flag: str, text: str) -> OptionInfo:
    """Declare an option that takes a time, such as 8h; the value is in seconds."""
    return _option(flag, parse_duration, "TIME", text)


def number(flag: str, text: str, *, largest: int) -> OptionInfo:
    """Declare an option that takes a whole number from 1 on."""

    def parse(typed: str) -> int:
        if not typed.isascii() or not typed.isdigit() or not 1 <= int(typed) <= largest:
            raise ValueError(f"{typed!r} is not a number from 1 to {largest}")
        return int(typed)

    return _option(flag, parse, "N", text)


def word(flag: str, metavar: str, text: str) -> OptionInfo:
    """Declare an option that takes any text."""
    return _option(flag, str, metavar, text)


def one_of(flag: str, kind: type[E], text: str) -> OptionInfo:
    """Declare an option that takes one of a closed set of words."""

    def parse(typed: str) -> E:
        try:
            return kind(typed.strip().lower().replace("-", "_"))
        except ValueError as error:
            raise ValueError(f"{typed!r} is none of {', '.join(kind)}") from error

    return _option(flag, parse, "WORD", text)


def parsed(flag: str, parse: Callable[[str], T], metavar: str, text: str) -> OptionInfo:
    """Declare an option that takes what `parse` reads."""
    return _option(flag, parse, metavar, text)


def _option(flag: str, parse: Callable[[str], T], metavar: str, text: str) -> OptionInfo:
    def read(typed: str | Given[T]) -> Given[T]:
        if isinstance(typed, Given):
            return typed
        if typed.strip().lower() == CLEAR:
            return Given(None)
        try:
            return Given(parse(typed))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    option = typer.Option(flag, parser=read, metavar=metavar, help=text, show_default=False)
    assert isinstance(option, OptionInfo)
    return option


def read_end(typed: str, zone: ZoneInfo, *, flag: str = "--until") -> datetime:
    """Return the moment at which a typed end lies: a date is its last moment in local time; raise BadParameter."""
    try:
        if len(typed) == len("2026-11-24"):
            return day_begins_at(date.fromisoformat(typed) + timedelta(days=1), zone)
        return _moment(typed, zone)
    except (ValueError, OverflowError) as error:
        said = f"{typed!r} is not a date such as 2026-12-31 or 2026-12-31T18:00"
        raise typer.BadParameter(said, param_hint=f"'{flag}'") from error


def read_moment(typed: str, zone: ZoneInfo, *, flag: str) -> datetime:
    """Return a typed moment, in local time where it names no other; a date is its first moment. Raise BadParameter."""
    try:
        return _moment(typed, zone)
    except (ValueError, OverflowError) as error:
        said = f"{typed!r} is not a moment such as 2026-12-31T18:00"
        raise typer.BadParameter(said, param_hint=f"'{flag}'") from error


def _moment(typed: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(typed)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def read_octets(path: str) -> bytes:
    """Return what a file holds, or standard input for `-`; raise Failure."""
    if path == _STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}", why=error.strerror or str(error)) from error


def read_secret(path: str) -> str:
    """Return the secret that a file holds (`-`: standard input), without the line end; raise Failure."""
    try:
        secret = read_octets(path).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Failure(f"{path} holds no secret", why="it is not text in UTF-8") from error
    if not secret or "\n" in secret:
        raise Failure(f"{path} holds no secret", why="it must be exactly one line that is not empty")
    return secret
