"""Values as callers hand them in, checked: what is wrong with one becomes `Invalid` with the field's name."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_interface

from app.domain import text
from app.domain.devices import reads_as_mac
from app.domain.phones import parse_phone
from app.domain.quota_words import format_quota
from app.domain.quotas import Quota, Tally, Then, misstep, twice
from app.domain.text import TextError
from app.domain.uplinks import Network
from app.services.errors import Invalid

GREATEST = 2**53 - 1  # what JSON readers can hold exactly
_AUTHOR_LENGTH = 80
_LIKE_A_MAC = (
    "is written like the MAC address of a device, so nobody could log in by it through a router:"
    " take another name, a mobile number without separators"
)


def label(field: str, value: str) -> str:
    """Return the name of a plan, site or NAS."""
    try:
        return text.label(value)
    except TextError as error:
        raise Invalid(field, error.problem) from error


def line(field: str, value: str, *, limit: int) -> str:
    """Return one line of text, perhaps empty."""
    try:
        return text.clean(value, limit=limit)
    except TextError as error:
        raise Invalid(field, error.problem) from error


def reason(field: str, value: str, *, limit: int) -> str:
    """Return one line of text that must not be empty."""
    found = line(field, value, limit=limit)
    if not found:
        raise Invalid(field, "is empty")
    return found


def author(value: str) -> str:
    """Return who says so, as it is stored."""
    return reason("author", value, limit=_AUTHOR_LENGTH)


def known_author(value: str | None) -> str | None:
    """Return who says so; None where nobody is named."""
    return None if value is None else author(value)


def username(value: str) -> str:
    """Return the canonical spelling of a username."""
    try:
        return text.canonical_username(value)
    except TextError as error:
        raise Invalid("username", error.problem) from error


def unmistakable(canonical: str) -> str:
    """Return a canonical username that somebody may be given: RADIUS must not read it as the MAC of a device."""
    if reads_as_mac(canonical):
        raise Invalid("username", f"{canonical!r} {_LIKE_A_MAC}")
    return canonical


def phone(value: str | None) -> str | None:
    """Return a mobile number as E.164; None for none."""
    if value is None or not value.strip():
        return None
    number = parse_phone(value)
    if number is None:
        raise Invalid("phone", "is not an Indonesian mobile number such as 0812-3456-7890")
    return number


def amount(field: str, value: int | None, *, least: int = 1, greatest: int = GREATEST) -> int | None:
    """Return a number within its bounds; None for "no such limit"."""
    if value is not None and not least <= value <= greatest:
        raise Invalid(field, f"is {value}, not from {least} to {greatest}")
    return value


def network(field: str, value: str, expected: str) -> Network:
    """Return a network, or one address as the network of itself; what is neither, or is everybody, is Invalid."""
    try:
        typed = ip_interface(value.strip())
    except ValueError as error:
        raise Invalid(field, f"{value!r} is not {expected}") from error
    if typed.network.prefixlen == 0:
        raise Invalid(field, "must not be everybody: a network, not /0")
    if typed.ip != typed.network.network_address:
        said = f"{value!r} is an address in a network: say {typed.network} for all of it, or {typed.ip}"
        raise Invalid(field, said)
    return typed.network


def quotas(given: Iterable[Quota], *, least: int = 1) -> tuple[Quota, ...]:
    """Return quotas that may stand together: those of one tally are steps, each at its own amount and slower."""
    found = tuple(given)
    for quota in found:
        amount("quotas", quota.amount, least=least)
    double = twice(found)
    if double is not None:
        raise Invalid(
            "quotas", f"must not say {format_quota(replace(double, then=None))} twice: a step needs its own amount"
        )
    steps(found, {})
    return found


def steps(given: Iterable[Quota], unsaid: Mapping[Tally, Then]) -> None:
    """Raise Invalid for quotas that are no steps down; `unsaid` is what happens where one of a tally says nothing."""
    wrong = misstep(given, unsaid)
    if wrong is None:
        return
    problem = "is not slower than what comes before it"
    if wrong.cut is not None:
        problem = f"is never reached: {format_quota(replace(wrong.cut, then=None))} cuts before it"
    raise Invalid("quotas", f"must be steps down: {format_quota(wrong.quota)} {problem}")
