"""A change: what an open session must be told, until its NAS has answered or the session is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class ChangeKind(StrEnum):
    """What the NAS is asked to do."""

    DISCONNECT = "disconnect"
    CHANGE = "change"


class ChangeState(StrEnum):
    """A change's life. What it says is worked out when it is sent, so that it never says what held before."""

    PENDING = "pending"  # it is sent as soon as its time has come
    SENT = "sent"  # no answer yet
    UNKNOWN = "unknown"  # no answer came; it is sent again when the session is next heard of
    WAITING = "waiting"  # nothing can be sent: it holds when the NAS asks or reports, or from the next login on
    DONE = "done"
    FAILED = "failed"


UNFINISHED: Final = frozenset({ChangeState.PENDING, ChangeState.SENT, ChangeState.UNKNOWN, ChangeState.WAITING})
"""What the end of the session finishes."""


class Way(StrEnum):
    """By what a change was carried out."""

    COA = "coa"  # within the session
    DISCONNECT = "disconnect"
    RESUME = "resume"  # the session was cut, and its device comes back by itself within the new limits


class Result(StrEnum):
    """What came of a change; stands before a colon and a detail where there is one."""

    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"  # the session ended before or without an answer; its Stop may come before the ACK
    NO_SESSION = "no_session"  # the NAS knows of none (Error-Cause 503): it is closed here
    UNNEEDED = "unneeded"  # nothing that this NAS holds the session to is different
    NEXT_LOGIN = "next_login"
    NEXT_QUESTION = "next_question"  # the NAS asks about its sessions again by itself
    NEXT_REPORT = "next_report"  # the answer to the NAS's next report says so
    REFUSED = "refused"  # detail: the Error-Cause, 0 if there was none
    LATER = "later"  # the NAS could not just now; detail: the Error-Cause
    SILENT = "silent"  # detail: why the answers that came were not believed
    UNSUPPORTED = "unsupported"  # the NAS cannot be told this
    NAMELESS = "nameless"  # detail: the attribute that the NAS needs and has never sent
    NOWHERE = "nowhere"  # it is not known from which address the NAS speaks
    WITHDRAWN = "withdrawn"  # what it was about does not hold any more


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `payload` is JSON: what the session is held to since, counted from its start; "" if nothing was told.

    `author` and `note` are of the person who asked for it, "" where nobody did.
    """

    id: str
    session_id: str
    kind: ChangeKind
    reason: str
    state: ChangeState
    due_at: datetime
    created_at: datetime
    payload: str = ""
    attempts: int = 0
    result: str = ""
    way: Way | None = None
    author: str = ""
    note: str = ""
    finished_at: datetime | None = None


# ---- what an answer means (RFC 5176 section 3.5)

MOST_ATTEMPTS: Final = 8
"""After so many a change is given up. Silence is met once in an interim interval, so that is some minutes."""

_NO_SESSION: Final = 503
_LATER: Final = frozenset({504, 506, 508})  # not removable, no resources, several sessions
_MISCONFIGURED: Final = frozenset({403, 502})  # it takes itself for another, or cannot route: an alarm
_FIRST_RETRY: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt. `due_at` is when the next one is (PENDING only)."""

    state: ChangeState
    result: Result
    detail: str = ""
    due_at: datetime | None = None

    @property
    def text(self) -> str:
        """Return how the result is stored."""
        return f"{self.result.value}:{self.detail}" if self.detail else self.result.value

    @property
    def is_alarm(self) -> bool:
        """Tell whether the NAS's configuration is wrong, by its own words."""
        return self.result is Result.REFUSED and self.detail.isdigit() and int(self.detail) in _MISCONFIGURED


def acknowledged() -> Answer:
    """Return what an ACK means."""
    return Answer(ChangeState.DONE, Result.ACKNOWLEDGED)


def refused(error_cause: int | None, *, attempts: int, now: datetime) -> Answer:
    """Return what a NAK means; without an Error-Cause it is a failure of any kind, and not tried again."""
    if error_cause == _NO_SESSION:
        return Answer(ChangeState.DONE, Result.NO_SESSION)
    if error_cause in _LATER:
        detail = str(error_cause)
        if attempts >= MOST_ATTEMPTS:
            return Answer(ChangeState.FAILED, Result.LATER, detail)
        return Answer(ChangeState.PENDING, Result.LATER, detail, now + _FIRST_RETRY * 2 ** (attempts - 1))
    return Answer(ChangeState.FAILED, Result.REFUSED, str(error_cause or 0))


def silent(detail: str, *, attempts: int) -> Answer:
    """Return what silence means: nobody knows whether it was done."""
    state = ChangeState.FAILED if attempts >= MOST_ATTEMPTS else ChangeState.UNKNOWN
    return Answer(state, Result.SILENT, detail)


def read_result(text: str) -> tuple[Result | None, str]:
    """Take a stored result apart; None is one of another release."""
    word, _, detail = text.partition(":")
    return (Result(word) if word in set(Result) else None), detail
