"""What is probably wrong with a NAS, in words, and what to do about it."""

from typing import Final

from app.cli.output import duration, many
from app.domain.hints import HintKind

SHORT_SECRET: Final = "the RADIUS secret is short: 16 characters or more are hard to guess"  # noqa: S105 words
SHARED_SECRET: Final = "another NAS has the same RADIUS secret: whoever learns one can speak for both"  # noqa: S105 words


def words(kind: HintKind, detail: str, times: int = 0) -> str:
    """Say what a hint means."""
    match kind:
        case HintKind.SECRET_MISMATCH:
            seen = f" {many(times, 'packet')} made with another one" if times else ""
            return f"secret mismatch?{seen}"
        case HintKind.CLOCK_OFF:
            return _clock(int(detail))
        case HintKind.COUNTS_AS_CLIENT:
            wrong, _, all_ = detail.partition(" ")
            if not all_:
                return "it says itself that it counts octets from the other side than is registered"
            return f"it counts octets from the other side? {wrong} of {all_} sessions sent far more than they got"
        case HintKind.NO_ACCOUNTING:
            missing, _, accepts = detail.partition(" ")
            of = f" of {accepts} Accepts {missing} had no accounting;" if accepts else ""
            return f"it lets people in and does not account:{of} until it does, sessions last ten minutes"
        case HintKind.DOWNGRADE:
            return "possible downgrade attack: it has signed its requests before, and now some come unsigned"
        case HintKind.UNSIGNED:
            return "it must sign its requests, and does not"
        case HintKind.IDENTIFIER_MISMATCH:
            return f"it calls itself {detail!r}, and is registered under another NAS-Identifier"
        case HintKind.IDENTITY_TWICE:
            seen = f" ({many(times, 'request')})" if times else ""
            return f"possible attack: requests say twice which device or router they are about, and are dropped{seen}"
        case HintKind.COA_SILENT:
            why = " but for what was signed with another secret" if detail else ""
            return f"it reports its sessions, and does not answer when one is to be changed or ended{why}"
        case HintKind.COA_REFUSED:
            said = "it takes itself for another NAS" if detail == "403" else "it cannot pass them on"
            return f"it refuses to change and end sessions (Error-Cause {detail}): {said}"
        case HintKind.UNPROTECTED:
            return "unprotected: neither must it sign nor is Proxy-State limited, so answers can be forged"
        case HintKind.SHORT_SECRET:
            return SHORT_SECRET
        case HintKind.SHARED_SECRET:
            return SHARED_SECRET


def remedy(kind: HintKind, name: str) -> str:
    """Say what to do about a hint; `name` is the NAS."""
    match kind:
        case HintKind.SECRET_MISMATCH:
            return f"enter the secret of pesisir nas config {name!r} there"
        case HintKind.CLOCK_OFF:
            return "let it set its clock by NTP"
        case HintKind.COUNTS_AS_CLIENT:
            return f"pesisir nas show {name!r}, and give it the other --direction by pesisir nas set {name!r}"
        case HintKind.NO_ACCOUNTING:
            return f"is accounting on there, with the port and secret of pesisir nas config {name!r}?"
        case HintKind.DOWNGRADE:
            return f"look who is in between; pesisir nas set {name!r} --require-message-authenticator yes"
        case HintKind.UNSIGNED:
            return f"its firmware may be old; or pesisir nas set {name!r} --require-message-authenticator no"
        case HintKind.IDENTIFIER_MISMATCH:
            return f"pesisir nas set {name!r} --identifier TEXT, or correct it there"
        case HintKind.IDENTITY_TWICE:
            return f"somebody adds fields to its login form? pesisir radius trace --drops --nas {name!r}"
        case HintKind.COA_SILENT:
            return f"is its port for CoA on, with our secret, and reachable? pesisir nas set {name!r} --coa-port N"
        case HintKind.COA_REFUSED:
            return f"compare its name and address there with pesisir nas show {name!r}"
        case HintKind.UNPROTECTED:
            return f"pesisir nas set {name!r} --require-message-authenticator yes --limit-proxy-state yes"
        case HintKind.SHORT_SECRET | HintKind.SHARED_SECRET:
            return f"pesisir nas set {name!r} --secret-file FILE"


def _clock(seconds: int) -> str:
    return f"its clock is {duration(abs(seconds))} {'fast' if seconds > 0 else 'slow'}"
