"""Rates and amounts as people write them: `512k`, `4M` are bit/s; `500MB`, `10GB` are decimal octets."""

import re
from decimal import Decimal
from typing import Final

KB: Final = 1_000
MB: Final = 1_000_000
GB: Final = 1_000_000_000

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKmMgG]?)(?:bps|bit/s)?\Z")
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKmMgGtT]?)[bB]?\Z")
_DURATION = re.compile(r"([0-9]+)\s*([smhdSMHD]?)\Z")
_SCALE: Final = {"": 1, "k": KB, "m": MB, "g": GB, "t": 1_000 * GB}
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MAX: Final = 2**53 - 1  # what JSON readers can hold exactly


class UnitError(ValueError):
    """A text that is no rate, amount or duration; carries the text and what was expected."""

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(f"{text!r} is not {expected}")
        self.text = text
        self.expected = expected


def _scaled(text: str, pattern: re.Pattern[str], scale: dict[str, int], expected: str) -> int:
    match = pattern.match(text.strip())
    if match is None:
        raise UnitError(text, expected)
    value = Decimal(match[1]) * scale[match[2].lower()]
    if value != int(value) or not 0 < value <= _MAX:
        raise UnitError(text, expected)
    return int(value)


def parse_rate(text: str) -> int:
    """Return bits per second, above zero; raise UnitError."""
    return _scaled(text, _RATE, _SCALE, "a rate such as 512k or 4M (bit/s)")


def parse_amount(text: str) -> int:
    """Return octets, above zero, decimal multiples; raise UnitError."""
    return _scaled(text, _AMOUNT, _SCALE, "an amount such as 500MB or 10GB")


def parse_duration(text: str) -> int:
    """Return seconds, above zero, from `90`, `15m`, `8h`, `30d`; raise UnitError."""
    return _scaled(text, _DURATION, _SECONDS, "a time such as 15m, 8h or 30d")


def format_rate(bps: int) -> str:
    """Write bits per second in the shortest form that `parse_rate` reads back exactly."""
    return _shortest(bps, (("G", GB), ("M", MB), ("k", KB)))


def format_amount(octets: int) -> str:
    """Write octets in the shortest form that `parse_amount` reads back exactly."""
    return _shortest(octets, (("GB", GB), ("MB", MB), ("kB", KB)), unit="B")


def format_duration(seconds: int) -> str:
    """Write seconds in the shortest form that `parse_duration` reads back exactly."""
    return _shortest(seconds, (("d", 86_400), ("h", 3_600), ("m", 60)), unit="s")


def _shortest(value: int, steps: tuple[tuple[str, int], ...], unit: str = "") -> str:
    for suffix, size in steps:
        if value and value % size == 0:
            return f"{value // size}{suffix}"
    return f"{value}{unit}"
