"""One datagram of `pesisir radius trace` on a terminal: what came, what it says, what became of it and why."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TextIO
from zoneinfo import ZoneInfo

from app.cli.hint_words import words
from app.cli.output import harmless
from app.cli.user_show import REASONS
from app.domain.access import DenialReason
from app.domain.hints import HintKind
from app.node.trace import DROPPED, Traced
from radius.errors import DropReason

Paint = Callable[[str, str], str]

_GREEN, _YELLOW, _RED, _DIM, _BOLD = "32", "33", "31", "2", "1"
_WIDTH: Final = 24

# What is not said by the words themselves, or what to look at; docs/metrics.md has more on each.
DROPS: Final[dict[DropReason, str]] = {
    DropReason.UNKNOWN_NAS: "no NAS is registered for this address",
    DropReason.TOO_SHORT: "no RADIUS packet",
    DropReason.BAD_LENGTH: "cut on its way, or no RADIUS packet",
    DropReason.BAD_CODE: "a packet for another port",
    DropReason.MALFORMED: "the attributes do not end where the packet does",
    DropReason.TOO_MANY_ATTRIBUTES: "more attributes than PESISIR_RADIUS_MAX_ATTRIBUTES allows",
    DropReason.BAD_AUTHENTICATOR: "made with another secret than the registered one",
    DropReason.MISSING_MESSAGE_AUTHENTICATOR: "not signed, though this NAS must sign",
    DropReason.BAD_MESSAGE_AUTHENTICATOR: "signed with another secret than the registered one",
    DropReason.PROXY_STATE_UNSIGNED: "Proxy-State without a signature could be forged",
    DropReason.REPEATED_ATTRIBUTE: "an identity is said twice; a phone may have added one",
    DropReason.MIXED_CREDENTIALS: "more than one way to prove who it is",
    DropReason.NO_CREDENTIAL: "neither a credential nor a signature",
    DropReason.NAS_MISMATCH: "several NASes share this address and none of them fits",
    DropReason.DUPLICATE_IN_PROGRESS: "a copy of a request in work; the first will be answered",
    DropReason.TOO_OLD: "it waited too long; the server is too slow",
    DropReason.OVERLOAD: "too many requests wait",
    DropReason.UNDECIDED: "we could not decide in time; the router asks again",
    DropReason.NOT_STORED: "the disk did not take it; the router keeps it",
    DropReason.UNEXPECTED: "a reply to nothing that was asked",
    DropReason.STALE: "a router's answer, dated more than five minutes off",
    DropReason.NOT_READY: "the service behind this port is not ready",
}
_ACCEPTS: Final = {
    "ticket": "by a ticket of the portal",
    "resume": "a device that may come back",
    "password": "by its password",
}
_REJECTS: Final = {
    "method_not_spoken": "EAP, or a password of impossible length",
    "unbuildable": "the answer did not fit a packet",
    DenialReason.RESUME_UNKNOWN.value: "no log-in lets this device come back, or the MAC secret is wrong",
}


def painter(output: TextIO, environment: Mapping[str, str]) -> Paint:
    """Return what colours a text: nothing where the output is no terminal, or where nobody wants colours."""
    if not output.isatty() or environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return lambda text, _: text
    return lambda text, colour: f"\x1b[{colour}m{text}\x1b[0m"


def hint_lines(shown: Traced, paint: Paint) -> Iterator[str]:
    """Yield what is probably wrong with the NAS of a datagram."""
    for one in shown["hints"]:
        kind = HintKind(one["hint"])
        yield paint(f"! {harmless(shown['nas'])}: {harmless(words(kind, one['detail']))}", _RED)


def lines(shown: Traced, zone: ZoneInfo, paint: Paint) -> Iterator[str]:
    """Yield the lines of one datagram."""
    at = datetime.fromtimestamp(shown["at"], UTC).astimezone(zone)
    signed = ", signed" if shown["signed"] else ""
    yield (
        f"{paint(f'{at:%H:%M:%S}.{at.microsecond // 1000:03}', _DIM)}  {paint(harmless(shown['nas']), _BOLD)}  "
        f"{shown['packet']} {shown['id']} from {harmless(shown['source'])}{signed}"
    )
    for attribute in shown["attributes"]:
        yield f"    {attribute['name']:<{_WIDTH}} {harmless(attribute['value'])}"
    if shown["malformed"]:
        yield f"    {shown['octets']} octets, {harmless(shown['malformed'])}"
    again = ", the same octets again" if shown["repeated"] else ""
    outcome = paint(shown["outcome"], _colour(shown["outcome"]))
    yield f"  {paint('->', _DIM)} {outcome}{_because(shown)}{again}, {shown['milliseconds']} ms"
    for attribute in shown["reply"]:
        yield f"    {attribute['name']:<{_WIDTH}} {harmless(attribute['value'])}"


def _colour(outcome: str) -> str:
    match outcome:
        case "dropped":
            return _RED
        case "Access-Reject":
            return _YELLOW
        case _:
            return _GREEN


def _because(shown: Traced) -> str:
    reason = shown["reason"]
    if not reason:
        return ""
    means = meaning(shown["outcome"], reason)
    return f" {harmless(reason)}" + (f": {means}" if means else "")


def meaning(outcome: str, reason: str) -> str:
    """Say in words what a reason means; "" for one that needs none."""
    if outcome == DROPPED:
        return DROPS[DropReason(reason)]
    if outcome == "Access-Accept":
        return _ACCEPTS.get(reason, "")
    if reason in _REJECTS:
        return _REJECTS[reason]
    return REASONS[DenialReason(reason)] if reason in set(DenialReason) else ""
