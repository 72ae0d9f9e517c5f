"""What the database is told, in our words: what routers reported, and what we decided. Each is one journal record."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.sessions import NasRestart, SessionReport


class UnusableReason(StrEnum):
    """Why accounting tells of no session (RFC 2866 section 5.5 demands both attributes)."""

    NO_SESSION_ID = "no_session_id"
    NO_STATUS_TYPE = "no_status_type"  # absent, or one that we do not know
    IMPLAUSIBLE = "implausible"  # counters that no line can have carried


@dataclass(frozen=True, slots=True)
class Unusable:
    """Accounting that is kept, and tells of no session."""

    reason: UnusableReason


@dataclass(frozen=True, slots=True)
class Reported:
    """One Accounting-Request, or one entry of an openNDS poll: what it says, and the octets it came in.

    `source` is ADDRESS:PORT, or the URL path for what came by HTTP.
    """

    report: SessionReport | NasRestart | Unusable
    packet: bytes
    received_at: datetime
    source: str
    nas_id: str


class Method(StrEnum):
    """What was presented."""

    TICKET = "ticket"
    PASSWORD = "password"  # noqa: S105 a kind, no password
    RESUME = "resume"
    PORTAL = "portal"


@dataclass(frozen=True, slots=True)
class Decided:
    """One verdict. `limits` is JSON: what was granted; `reason` is a DenialReason's word, "" for an Accept."""

    at: datetime
    nas_id: str
    mac: str
    account_id: str | None
    user_name: str
    method: Method
    accepted: bool
    reason: str = ""
    acceptance_id: str | None = None
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read: it is set aside as it is, with the reason."""

    record: bytes
    reason: str


Item = Reported | Decided | Unreadable


@dataclass(frozen=True, slots=True)
class Position:
    """How far one worker's journal has been merged: the end of the last record, in a segment known by its random id."""

    node: str
    worker: int
    segment: int
    segment_id: str
    offset: int


@dataclass(frozen=True, slots=True)
class Move:
    """Where a batch begins and ends; `before` is None where nothing of that journal was merged yet."""

    before: Position | None
    after: Position


def storable(text: str) -> str:
    """Return the text with a sign in place of what no database takes: NUL, and halves of characters (surrogates)."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
