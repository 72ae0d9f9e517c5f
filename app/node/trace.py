"""One datagram as `pesisir radius trace` shows it: by name, with what was decided and why, and without any proof.

Passwords, responses to challenges, State, Class, keys and authenticators are masked whatever their value; so is the
content of attributes that the dictionary does not know, for nobody can tell what is in them (A10.04). No I/O here.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TypedDict

from app.domain.acceptances import read_class
from app.domain.tickets import account_id_in
from app.node.datagrams import attributes_of, device_of, packet_of, place, shown_name
from app.node.notices import Noticed
from radius.attributes import Attributes
from radius.codes import Code
from radius.dictionary import BY_NAME
from radius.errors import DecodeError, DropReason
from radius.net.events import Event
from radius.packet import Packet

MASKED: Final = "***"
DROPPED: Final = "dropped"
_PROOF: Final = re.compile(r"Password|Challenge|Response|Success|Key|Secret|PSK|EAP-Message|Class$|State$")
_NO_PROOF: Final = frozenset({"Proxy-State", "ChilliSpot-Session-State"})


AccountOf = Callable[[str], str | None]
"""Gives the account id of a user name."""


class Shown(TypedDict):
    """One attribute for people."""

    name: str
    value: str


class ShownHint(TypedDict):
    """What is probably wrong with the NAS: a HintKind's word, and its detail."""

    hint: str
    detail: str


class Traced(TypedDict):
    """One datagram for people and scripts; `at` is in seconds since 1970.

    `outcome` is the reply's name or DROPPED. `account` is whom it concerns, as far as it or the reply tells.
    `malformed` says what is wrong with a datagram that is no packet.
    """

    at: float
    process: str
    nas: str | None
    hints: list[ShownHint]
    source: str
    service: str
    packet: str
    id: int
    octets: int
    signed: bool
    account: str | None
    attributes: list[Shown]
    malformed: str
    outcome: str
    reason: str
    repeated: bool
    milliseconds: float
    reply: list[Shown]


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which datagrams somebody wants to see; what is empty excludes nothing.

    `user` is a user name or an account id; `mac` is in our spelling.
    """

    nas: str = ""
    user: str = ""
    mac: str = ""
    drops: bool = False

    def takes(self, event: Event, nas: str | None) -> bool:
        """Tell by what is known without reading the datagram."""
        return (not self.nas or nas == self.nas) and (not self.drops or isinstance(event.outcome, DropReason))

    def takes_whom(self, attributes: Attributes | None, account: str | None, account_of: AccountOf) -> bool:
        """Tell by whom the datagram is about: `account`, and what it says itself."""
        if not self.user and not self.mac:
            return True
        if attributes is None or (self.mac and device_of(attributes) != self.mac):
            return False
        if not self.user or (account is not None and account in (self.user, account_of(self.user))):
            return True
        return (attributes.text("User-Name") or "").casefold() == self.user.casefold()

    def to_json(self) -> dict[str, object]:
        """Return it as it is sent."""
        return asdict(self)


def traced(
    event: Event,
    wanted: TraceFilter,
    *,
    process: str,
    nas: str | None,
    class_key: bytes,
    account_of: AccountOf,
    hints: Sequence[Noticed] = (),
) -> Traced | None:
    """Return a datagram as it may be shown; None if it is not wanted. `nas` is the name of its NAS."""
    if not wanted.takes(event, nas):
        return None
    attributes = attributes_of(event)
    account = None if attributes is None else _account(event, attributes, class_key)
    if not wanted.takes_whom(attributes, account, account_of):
        return None
    packet = packet_of(event)
    code, identifier = (*event.datagram[:2], 0, 0)[:2]
    outcome = event.outcome
    return Traced(
        at=event.at,
        process=process,
        nas=nas,
        hints=[{"hint": hint.kind.value, "detail": hint.detail} for hint in hints],
        source=place(event.source),
        service=event.service.value,
        packet=_named(code),
        id=identifier,
        octets=len(event.datagram),
        signed=isinstance(packet, Packet) and packet.signature_at > 0,
        account=account,
        attributes=[] if attributes is None else shown(attributes),
        malformed=str(packet) if isinstance(packet, DecodeError) else "",
        outcome=DROPPED if isinstance(outcome, DropReason) else _named(outcome),
        reason=outcome.value if isinstance(outcome, DropReason) else event.reason,
        repeated=event.repeated,
        milliseconds=round(event.seconds * 1000, 2),
        reply=[] if event.reply is None else shown(Packet.parse(event.reply).attributes),
    )


def shown(attributes: Attributes) -> list[Shown]:
    """Return attributes for people, in order; Message-Authenticator is not among them."""
    return [
        {"name": name, "value": _value(name, value)} for name, value in attributes if name != "Message-Authenticator"
    ]


def _value(name: str, value: str) -> str:
    if name not in BY_NAME or name == "Vendor-Specific":  # this one, if it cannot be taken apart
        return f"{len(value) // 2 - 1} octets"  # it is written as 0x and hexadecimal digits
    if name not in _NO_PROOF and (BY_NAME[name].secret or _PROOF.search(name)):
        return MASKED
    return shown_name(value) if name == "User-Name" else value


def _account(event: Event, attributes: Attributes, class_key: bytes) -> str | None:
    """Return whom a datagram is about: by the Class that we gave or that comes back, else by a ticket's name."""
    if event.nas_id is not None:
        classes = attributes.all_octets("Class")
        if event.outcome is Code.ACCESS_ACCEPT and event.reply is not None:
            classes += Packet.parse(event.reply).attributes.all_octets("Class")
        for value in classes:
            acceptance = read_class(value, key=class_key, nas_id=event.nas_id)
            if acceptance is not None:
                return acceptance.account_id
    return account_id_in(attributes.text("User-Name") or "")


def _named(code: int) -> str:
    """Return the name of a packet as the RFCs write it."""
    try:
        words = Code(code).name.split("_")
    except ValueError:
        return f"code {code}"
    return "-".join(_SHORT.get(word, word.title()) for word in words)


_SHORT: Final = {"ACK": "ACK", "NAK": "NAK", "COA": "CoA"}
