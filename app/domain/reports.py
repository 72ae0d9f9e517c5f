"""What the database is told, in our words: what routers reported, and what we decided. Each is one journal record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from app.domain.addresses import AddressKind
from app.domain.readings import Reading

_MAX_SECONDS: Final = 400 * 86_400
"""A report that claims a longer session is taken as one that claims nothing."""


class ReportKind(StrEnum):
    """Acct-Status-Type of one session (RFC 2866 section 5.1)."""

    START = "start"
    INTERIM = "interim"
    STOP = "stop"


class SessionKey(NamedTuple):
    """Whose Acct-Session-Id: routers repeat ids, and names of routers repeat behind different NASes."""

    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str


class SessionReport(NamedTuple):
    """One Start, Interim-Update or Stop, in our words: whole octet counts since the session began, by the user's view.

    `nas_scope` is the NAS-Identifier, else the address. `acceptance_id` and `account_id` are proven by Class, or by a
    recent Accept for this user name, NAS and MAC; None is unmatched. `mac` is "" where the NAS names no device.
    `event_at` is when it happened (standards: Event-Timestamp if plausible, else arrival minus Acct-Delay-Time).
    Packets are None where the router counts none; `has_octets` and `has_gigawords` tell whether it said any.
    """

    kind: ReportKind
    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str
    event_at: datetime
    up_octets: int
    down_octets: int
    session_seconds: int | None = None
    acceptance_id: str | None = None
    account_id: str | None = None
    ip: str | None = None
    terminate_cause: str | None = None
    up_packets: int | None = None
    down_packets: int | None = None
    addresses: tuple[tuple[AddressKind, str], ...] = ()
    has_octets: bool = True
    has_gigawords: bool = True

    @property
    def reading(self) -> Reading:
        """Return what the report says of the counters."""
        starts_at = self.starts_at
        return Reading(
            seconds=0 if self.kind is ReportKind.START else self.session_seconds if starts_at is not None else None,
            at=self.event_at,
            up=self.up_octets,
            down=self.down_octets,
            up_packets=self.up_packets,
            down_packets=self.down_packets,
            counted=self.has_octets,
            wide=self.has_gigawords,
            final=self.kind is ReportKind.STOP,
        )

    @property
    def starts_at(self) -> datetime | None:
        """Return the start that the report implies; None if it does not say how long the session has lasted."""
        if self.kind is ReportKind.START:
            return self.event_at
        if self.session_seconds is None or self.session_seconds > _MAX_SECONDS:
            return None
        return self.event_at - timedelta(seconds=self.session_seconds)

    @property
    def key(self) -> SessionKey:
        """Return the identity under which the report is sorted into sessions."""
        return SessionKey(self.nas_id, self.nas_scope, self.acct_session_id, self.mac, self.user_name)


@dataclass(frozen=True, slots=True)
class NasRestart:
    """Accounting-On or -Off: every session of that NAS and scope that was last heard of before `at` is over."""

    nas_id: str
    nas_scope: str
    at: datetime
    cause: str


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
