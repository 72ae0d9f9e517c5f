"""What the doctor finds of one thing: how it is, in words, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How one thing is."""

    GOOD = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the thing, how it is, and the next command or act ("" if none is needed)."""

    what: str
    health: Health
    words: str
    remedy: str = ""


def good(what: str, words: str) -> Finding:
    """Say that a thing is well."""
    return Finding(what, Health.GOOD, words)


def warning(what: str, words: str, remedy: str) -> Finding:
    """Say that a thing works and should be looked at."""
    return Finding(what, Health.WARNING, words, remedy)


def broken(what: str, words: str, remedy: str) -> Finding:
    """Say that a thing does not work."""
    return Finding(what, Health.BROKEN, words, remedy)
