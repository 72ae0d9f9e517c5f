"""Names that people give to things: one spelling of the same name, and nothing that breaks a log line or a page."""

import re
import unicodedata
from typing import Final

NAME_LENGTH: Final = 100  # characters of a person's name (longer ones exist only by mistake)
LABEL_LENGTH: Final = 80  # characters of the name of a plan, site or NAS
USERNAME_OCTETS: Final = 253  # what fits into one RADIUS attribute (RFC 2865 section 5)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class TextError(ValueError):
    """A text that cannot be used, and why."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def escaped(text: str) -> str:
    """Return what somebody sent for a log line or a terminal: no control characters, line ends or turned directions."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def spelled(text: str) -> str:
    """Return `text` in the form in which names are stored, to look one up: composed (NFC), no spaces around it."""
    return unicodedata.normalize("NFC", text).strip()


def clean(text: str, *, limit: int) -> str:
    """Return `text` in composed form (NFC) without spaces around it; raise TextError.

    "" is allowed. Control and format characters, lone surrogates and unassigned code points are refused.
    """
    trimmed = spelled(text)
    for character in () if trimmed.isascii() and trimmed.isprintable() else trimmed:
        if unicodedata.category(character) in _UNPRINTABLE:
            raise TextError(f"has the control character U+{ord(character):04X}")
    if len(trimmed) > limit:
        raise TextError(f"has {len(trimmed)} characters, {limit} are allowed")
    return trimmed


def label(text: str) -> str:
    """Return the name of a plan, site or NAS; raise TextError."""
    name = clean(text, limit=LABEL_LENGTH)
    if not name:
        raise TextError("is empty")
    return name


def canonical_username(text: str) -> str:
    """Return the one spelling of a username, however it was typed; raise TextError.

    Trimmed and folded to lower case by Unicode's canonical caseless matching (Unicode 15 section 3.13, D145).
    """
    if len(text) > 4 * USERNAME_OCTETS:
        raise TextError(f"is longer than {USERNAME_OCTETS} octets")
    decomposed = unicodedata.normalize("NFD", text)
    folded = clean(unicodedata.normalize("NFD", decomposed.casefold()), limit=USERNAME_OCTETS)
    if not folded:
        raise TextError("is empty")
    if len(folded.encode()) > USERNAME_OCTETS:
        raise TextError(f"is longer than {USERNAME_OCTETS} octets")
    return folded
