"""An Accounting-Request in our words: used by the node for its memory and by the worker for the database. No I/O."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from app.domain.acceptances import Acceptance, read_class
from app.domain.addresses import AddressKind
from app.domain.clock import MADE_AT
from app.domain.devices import parse_station_id
from app.domain.reports import NasRestart, ReportKind, SessionReport, Unusable, UnusableReason
from radius.attributes import Attributes
from radius.codes import StatusType
from radius.dictionary import BY_NAME, Kind
from radius.vendors.profile import Direction, Profile

Report = SessionReport | NasRestart | Unusable

_LONGEST: Final = 253
_MOST_OCTETS: Final = 2**53 - 1  # 9 petabytes: no hotspot session has carried that, and JSON readers stay exact
_MADE_AT: Final = MADE_AT.timestamp()
_PAST_SECONDS: Final = 24 * 3600.0
_FUTURE_SECONDS: Final = 300.0

_KINDS: Final = {
    StatusType.START: ReportKind.START,
    StatusType.INTERIM_UPDATE: ReportKind.INTERIM,
    StatusType.STOP: ReportKind.STOP,
}
_RESTARTS: Final = {StatusType.ACCOUNTING_ON: "NAS-Reboot", StatusType.ACCOUNTING_OFF: "NAS-Request"}


class ReportingNas(NamedTuple):
    """The NAS that a packet was verified for, how its family speaks, and which way round it counts."""

    id: str
    profile: Profile
    direction: Direction


def to_report(
    attributes: Attributes,
    status_type: StatusType | int | None,
    *,
    nas: ReportingNas,
    source: str,
    arrived_at: float,
    class_key: bytes,
) -> Report:
    """Say what an Accounting-Request means; `source` is its address, `arrived_at` seconds since 1970."""
    event_at = event_time(attributes, arrived_at)
    scope = nas_scope(attributes, source)
    if status_type in _RESTARTS:
        return NasRestart(nas.id, scope, event_at, _RESTARTS[StatusType(status_type)])
    if status_type not in _KINDS:
        return Unusable(UnusableReason.NO_STATUS_TYPE)
    acct_session_id = named(attributes.octets("Acct-Session-Id"))
    if not acct_session_id:
        return Unusable(UnusableReason.NO_SESSION_ID)
    counters = nas.profile.counters(attributes, nas.direction)
    if max(counters.up_octets, counters.down_octets) > _MOST_OCTETS:
        return Unusable(UnusableReason.IMPLAUSIBLE)
    counts_packets = counters.up_packets > 0 or counters.down_packets > 0  # some write zeros and do not count
    acceptance = acceptance_in(attributes, nas_id=nas.id, class_key=class_key)
    kind = _KINDS[StatusType(status_type)]
    return SessionReport(
        kind=kind,
        nas_id=nas.id,
        nas_scope=scope,
        acct_session_id=acct_session_id,
        mac=station_mac(attributes),
        user_name=named(attributes.octets("User-Name")),
        event_at=event_at,
        up_octets=counters.up_octets,
        down_octets=counters.down_octets,
        session_seconds=counters.session_seconds,
        acceptance_id=None if acceptance is None else acceptance.id,
        account_id=None if acceptance is None else acceptance.account_id,
        ip=_ip(attributes),
        terminate_cause=_cause(attributes) if kind is ReportKind.STOP else None,
        addresses=_addresses(attributes),
        up_packets=counters.up_packets if counts_packets else None,
        down_packets=counters.down_packets if counts_packets else None,
        has_octets=counters.has_octets,
        has_gigawords=counters.has_gigawords,
    )


def event_time(attributes: Attributes, arrived_at: float) -> datetime:
    """Return when it happened: Event-Timestamp if it is plausible, else the arrival less Acct-Delay-Time; never both.

    RFC 2869 section 5.3, RFC 2866 section 5.2. A resend with a larger delay is the same event.
    """
    stamp = attributes.integer("Event-Timestamp")  # compared as a number: moments cost five times as much
    if stamp is not None and arrived_at - _PAST_SECONDS <= stamp <= arrived_at + _FUTURE_SECONDS:
        return datetime.fromtimestamp(stamp, UTC)
    if stamp is not None and arrived_at < _MADE_AT <= stamp:  # our own clock has lost its battery, the router's has not
        return datetime.fromtimestamp(stamp, UTC)
    arrived = datetime.fromtimestamp(arrived_at, UTC)
    delay = attributes.integer("Acct-Delay-Time") or 0
    return arrived - timedelta(seconds=delay) if delay <= _PAST_SECONDS else arrived


def nas_scope(attributes: Attributes, source: str) -> str:
    """Return within what an Acct-Session-Id means something: the NAS-Identifier, else the source address."""
    return named(attributes.octets("NAS-Identifier")) or source


def station_mac(attributes: Attributes) -> str:
    """Return the device's MAC; "" where the NAS names none."""
    return parse_station_id(attributes.text("Calling-Station-Id") or "") or ""


def acceptance_in(attributes: Attributes, *, nas_id: str, class_key: bytes) -> Acceptance | None:
    """Return the acceptance that a Class of ours proves; other Classes beside it are other people's."""
    for value in attributes.all_octets("Class"):
        acceptance = read_class(value, key=class_key, nas_id=nas_id)
        if acceptance is not None:
            return acceptance
    return None


def named(raw: bytes | None) -> str:
    """Return an identifier as text that every database takes; "" if absent.

    What is no UTF-8 is escaped, NUL too (PostgreSQL has none in text); what gets too long by that becomes its hash.
    """
    if raw is None:
        return ""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="backslashreplace")
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if len(text) <= _LONGEST else hashlib.sha256(raw).hexdigest()


def _ip(attributes: Attributes) -> str | None:
    address = attributes.address("Framed-IP-Address") or attributes.address("Framed-IPv6-Address")
    return None if address is None else str(address)


_ADDRESSES: Final = {
    95: (AddressKind.NAS_IPV6_ADDRESS, "NAS-IPv6-Address"),
    96: (AddressKind.FRAMED_INTERFACE_ID, "Framed-Interface-Id"),
    97: (AddressKind.FRAMED_IPV6_PREFIX, "Framed-IPv6-Prefix"),
    123: (AddressKind.DELEGATED_IPV6_PREFIX, "Delegated-IPv6-Prefix"),
    168: (AddressKind.FRAMED_IPV6_ADDRESS, "Framed-IPv6-Address"),
}
_ADDRESS_NUMBERS: Final = frozenset(_ADDRESSES)


def _addresses(attributes: Attributes) -> tuple[tuple[AddressKind, str], ...]:
    """Return what is said of IPv6, in the spelling of RFC 5952; what does not fit its type is not said."""
    said = attributes.numbers() & _ADDRESS_NUMBERS
    if not said:
        return ()
    values = ((kind, _written(attributes, name)) for kind, name in (_ADDRESSES[number] for number in said))
    return tuple((kind, value) for kind, value in values if value is not None)


def _written(attributes: Attributes, name: str) -> str | None:
    match BY_NAME[name].kind:
        case Kind.IPV6_PREFIX:
            prefix = attributes.prefix(name)
            return None if prefix is None else str(prefix)
        case Kind.INTERFACE_ID:
            raw = attributes.octets(name)
            return raw.hex(":", 2) if raw is not None and len(raw) == 8 else None
        case _:
            address = attributes.address(name)
            return None if address is None else str(address)


def _cause(attributes: Attributes) -> str:
    """Return the Acct-Terminate-Cause by name; its number if it has none; "" if absent (RFC 2866 section 5.10)."""
    word = attributes.word("Acct-Terminate-Cause")
    if word is not None:
        return word
    number = attributes.integer("Acct-Terminate-Cause")
    return "" if number is None else str(number)
