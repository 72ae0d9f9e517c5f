"""What the journal's records say: an accounting packet as it came, or a verdict. No I/O here.

Written once per request, so plain structs: about a microsecond each. What few plans have (bursts, VLAN, filter,
address list) stands in a verdict as JSON, and only if there is any.
"""

import json
import struct
from enum import IntEnum
from typing import Final, NamedTuple

from app.domain.granted import Limits
from app.domain.reports import Method

_ACCOUNTING: Final = struct.Struct(">dHBB")  # arrival, source port, lengths of the source address and of the NAS id
_VERDICT: Final = struct.Struct(">dBB6q")
_SEPARATOR: Final = "\x1f"
_NONE: Final = -1
_ACCEPTED: Final = 1
_MORE: Final = 2  # the limits beyond the first six follow
_PLAIN: Final = 6
_METHODS: Final = tuple(Method)
_METHOD_NUMBERS: Final = {method: number for number, method in enumerate(_METHODS)}


class RecordType(IntEnum):
    """The types of record; a reader sets a type that it does not know aside."""

    ACCOUNTING = 1
    VERDICT = 2


class RecordError(Exception):
    """A record whose checksum is right and whose payload makes no sense."""


class Packet(NamedTuple):
    """An Accounting-Request that was verified for `nas_id`; `arrived_at` is seconds since 1970."""

    arrived_at: float
    nas_id: str
    source: tuple[str, int]
    raw: bytes


_NO_MORE: Final = Limits()[_PLAIN:]


class Verdict(NamedTuple):
    """One decision about an Access-Request; "" where something was not known. `reason` is "" on an Accept."""

    at: float
    nas_id: str
    method: Method
    accepted: bool
    reason: str
    mac: str
    account_id: str
    acceptance_id: str
    acct_session_id: str
    user_name: str
    limits: Limits


def encode_packet(arrived_at: float, nas_id: str, source: tuple[str, int], raw: bytes) -> bytes:
    """Write an accounting packet."""
    host, name = source[0].encode("ascii"), nas_id.encode("ascii")
    return _ACCOUNTING.pack(arrived_at, source[1], len(host), len(name)) + host + name + raw


def decode_packet(payload: bytes) -> Packet:
    """Read what `encode_packet` wrote; raise RecordError."""
    try:
        arrived_at, port, host_octets, name_octets = _ACCOUNTING.unpack_from(payload)
        at = _ACCOUNTING.size
        host = payload[at : at + host_octets].decode("ascii")
        name = payload[at + host_octets : at + host_octets + name_octets].decode("ascii")
    except (struct.error, UnicodeDecodeError) as error:
        raise RecordError(str(error)) from error
    return Packet(arrived_at, name, (host, port), payload[at + host_octets + name_octets :])


def encode_verdict(verdict: Verdict) -> bytes:
    """Write a verdict."""
    at, nas_id, method, accepted, reason, mac, account_id, acceptance_id, session, user_name, limits = verdict
    plain, more = limits[:_PLAIN], limits[_PLAIN:]
    if _SEPARATOR in session:
        session = session.replace(_SEPARATOR, "?")
    text = _SEPARATOR.join((nas_id, reason, mac, account_id, acceptance_id, session, user_name))
    flags = _ACCEPTED if accepted else 0
    if more != _NO_MORE:
        flags |= _MORE
        text = json.dumps(more) + _SEPARATOR + text  # JSON has no control characters
    numbers = [_NONE if value is None else value for value in plain]
    return _VERDICT.pack(at, _METHOD_NUMBERS[method], flags, *numbers) + text.encode()


def decode_verdict(payload: bytes) -> Verdict:
    """Read what `encode_verdict` wrote; raise RecordError."""
    try:
        at, method, flags, *numbers = _VERDICT.unpack_from(payload)
        text, more = payload[_VERDICT.size :].decode(), ()
        if flags & _MORE:
            first, text = text.split(_SEPARATOR, 1)
            more = json.loads(first)
        nas_id, reason, mac, account, acceptance, session, name = text.split(_SEPARATOR, 6)
        return Verdict(
            at,
            nas_id,
            _METHODS[method],
            bool(flags & _ACCEPTED),
            reason,
            mac,
            account,
            acceptance,
            session,
            name,
            Limits(*(None if value == _NONE else value for value in numbers), *more),
        )
    except (struct.error, UnicodeDecodeError, ValueError, TypeError, IndexError) as error:
        raise RecordError(str(error)) from error
