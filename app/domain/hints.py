"""What is probably wrong with a NAS: hints for people, and the one that changes what its sessions are granted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ACCOUNTING_WINDOW: Final = timedelta(minutes=10)
"""Of what time Accepts are looked at, and how long a session may last where nothing is accounted (A6.21)."""

_FEWEST_ACCEPTS: Final = 5  # of fewer Accepts one phone that walked away would already be a fifth
_LARGEST_SHARE: Final = 5  # one in so many Accepts may have no accounting


class HintKind(StrEnum):
    """What a hint is about. The first are seen by a node or the worker, the others stand in what is configured."""

    SECRET_MISMATCH = "secret_mismatch"  # noqa: S105 a word; signatures or passwords made with another secret
    CLOCK_OFF = "clock_off"  # detail: seconds, ahead if positive
    COUNTS_AS_CLIENT = "counts_as_client"  # octets from the other side than we read them; detail: how many sessions
    NO_ACCOUNTING = "no_accounting"  # detail: Accepts without accounting, and Accepts
    DOWNGRADE = "downgrade"  # it has signed before, and now something comes unsigned
    UNSIGNED = "unsigned"  # it must sign and never has
    IDENTIFIER_MISMATCH = "identifier_mismatch"  # detail: the NAS-Identifier that it sends
    IDENTITY_TWICE = "identity_twice"  # a request says twice whom it is about: a phone has added an attribute
    COA_SILENT = "coa_silent"  # it reports, and does not answer changes; detail: why its answers are not believed
    COA_REFUSED = "coa_refused"  # it refuses changes because of how it is configured; detail: the Error-Cause
    UNPROTECTED = "unprotected"  # neither a signature is demanded nor Proxy-State limited
    SHORT_SECRET = "short_secret"  # noqa: S105 a word
    SHARED_SECRET = "shared_secret"  # noqa: S105 a word


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint. `times` and the moments are of what was seen; a configured one has neither."""

    kind: HintKind
    detail: str = ""
    times: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


SHOWN_FOR: Final[dict[HintKind, timedelta]] = {
    HintKind.SECRET_MISMATCH: timedelta(hours=1),
    HintKind.CLOCK_OFF: timedelta(days=1),
    HintKind.COUNTS_AS_CLIENT: timedelta(days=7),
    HintKind.NO_ACCOUNTING: timedelta(days=30),  # it is taken back as soon as the NAS accounts
    HintKind.DOWNGRADE: timedelta(days=7),
    HintKind.UNSIGNED: timedelta(days=1),
    HintKind.IDENTIFIER_MISMATCH: timedelta(days=1),
    HintKind.IDENTITY_TWICE: timedelta(days=7),
    HintKind.COA_SILENT: timedelta(days=1),  # taken back as soon as it answers
    HintKind.COA_REFUSED: timedelta(days=7),  # taken back as soon as it does what it is asked
}
"""How long after it was last seen a hint is shown."""


def is_current(hint: Hint, now: datetime) -> bool:
    """Tell whether a hint is still to be shown."""
    return hint.last_at is None or now - hint.last_at <= SHOWN_FOR[hint.kind]


def accounts(accepts: int, unaccounted: int) -> bool | None:
    """Tell from its recent Accepts whether a NAS accounts; None where they are too few to say."""
    if unaccounted * _LARGEST_SHARE > accepts:
        return False if accepts >= _FEWEST_ACCEPTS else None
    return True if accepts else None
