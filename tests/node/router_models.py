"""Routers as each family behaves: what one makes of the attributes that the product sends it, and where it cuts.

What is read of an Accept or a CoA, and what a CoA does to the rest, is the family's; the attributes themselves come
from the product. A router counts exactly, and cuts at the octet and at the second that it was told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.domain.nases import Family
from app.domain.quotas import Measure
from radius.attributes import Attributes
from radius.messages import CoaRequest, DisconnectRequest
from radius.vendors import profile_for
from radius.vendors.abilities import SESSION_TIMEOUT, CoaBase, CoaKind
from radius.vendors.profile import Direction

if TYPE_CHECKING:
    from radius.values import Value

NO_SESSION: Final = 503
_GIGAWORDS: Final = 32
_OCTETS: Final[dict[str, tuple[Measure, int]]] = {
    "Mikrotik-Recv-Limit": (Measure.UP, 0),
    "Mikrotik-Recv-Limit-Gigawords": (Measure.UP, _GIGAWORDS),
    "Mikrotik-Xmit-Limit": (Measure.DOWN, 0),
    "Mikrotik-Xmit-Limit-Gigawords": (Measure.DOWN, _GIGAWORDS),
    "Mikrotik-Total-Limit": (Measure.BOTH, 0),
    "Mikrotik-Total-Limit-Gigawords": (Measure.BOTH, _GIGAWORDS),
    "ChilliSpot-Max-Input-Octets": (Measure.UP, 0),
    "ChilliSpot-Max-Input-Gigawords": (Measure.UP, _GIGAWORDS),
    "ChilliSpot-Max-Output-Octets": (Measure.DOWN, 0),
    "ChilliSpot-Max-Output-Gigawords": (Measure.DOWN, _GIGAWORDS),
    "ChilliSpot-Max-Total-Octets": (Measure.BOTH, 0),
    "ChilliSpot-Max-Total-Gigawords": (Measure.BOTH, _GIGAWORDS),
    "Cambium-Traffic-Quota-Limit-Up": (Measure.UP, 0),
    "Cambium-Traffic-Quota-Limit-Up-Gigawords": (Measure.UP, _GIGAWORDS),
    "Cambium-Traffic-Quota-Limit-Down": (Measure.DOWN, 0),
    "Cambium-Traffic-Quota-Limit-Down-Gigawords": (Measure.DOWN, _GIGAWORDS),
    "Cambium-Traffic-Quota-Limit-Total": (Measure.BOTH, 0),
    "Cambium-Traffic-Quota-Limit-Total-Gigawords": (Measure.BOTH, _GIGAWORDS),
    "pfSense-Max-Total-Octets": (Measure.BOTH, 0),
}
_BITS: Final = {
    "WISPr-Bandwidth-Max-Down": "down_bps",
    "WISPr-Bandwidth-Max-Up": "up_bps",
    "pfSense-Bandwidth-Max-Down": "down_bps",
    "pfSense-Bandwidth-Max-Up": "up_bps",
}
_PAIRS: Final = {"Mikrotik-Rate-Limit": ("up_bps", "down_bps", 1), "Filter-Id": ("down_bps", "up_bps", 1000)}
"""Two rates in one text: which stands first, which second, and in what they are counted."""


_WITH_THE_OTHER_WAY: Final[dict[Measure, Callable[[int], int]]] = {
    Measure.BOTH: lambda octets: octets,
    Measure.DOWN: lambda octets: octets * 10 // 9,
    Measure.UP: lambda octets: octets * 10 + 9,
}
"""How many octets pass both ways, of which a tenth goes up, while so many pass one way."""


@dataclass(frozen=True)
class Held:
    """What a session is held to: octets and seconds counted from its start, rates; None and what is missing: nothing."""

    octets: dict[Measure, int] = field(default_factory=dict)
    seconds: int | None = None
    down_bps: int | None = None
    up_bps: int | None = None


@dataclass
class Session:
    """One phone's session at a router."""

    id: str
    mac: str
    user_name: str
    proof: bytes
    began: datetime
    held: Held
    up: int = 0
    down: int = 0
    told: int = 0  # octets, in its last report

    def used(self, measure: Measure) -> int:
        return {Measure.BOTH: self.up + self.down, Measure.DOWN: self.down, Measure.UP: self.up}[measure]

    def room(self) -> int | None:
        """Return how many octets may still pass, a tenth of which goes up; None: any number."""
        left = {measure: max(0, most - self.used(measure)) for measure, most in self.held.octets.items()}
        if not left:
            return None
        return min(0 if n == 0 else _WITH_THE_OTHER_WAY[measure](n) for measure, n in left.items())

    def seconds_left(self, now: datetime) -> int | None:
        if self.held.seconds is None:
            return None
        return max(0, self.held.seconds - int((now - self.began).total_seconds()))

    def is_over(self, now: datetime) -> bool:
        return self.room() == 0 or self.seconds_left(now) == 0


class Router:
    """One router. `deaf` answers nothing; on a `wire` it counts no octets, which hostapd does not."""

    def __init__(self, family: Family, nas_id: str, address: str, *, deaf: bool = False, wire: bool = False) -> None:
        self.profile = profile_for(family.value)
        self.nas_id, self.address, self.deaf, self.wire = nas_id, address, deaf, wire
        self.asks_again = self.profile.coa.kind is CoaKind.REAUTH_POLL
        self.interim_minutes = self.profile.shortest_interim_seconds // 60
        rate = self.profile.limits.rate
        self._rates = () if rate is None else rate.names
        self.takes_disconnect = self.profile.coa.kind.takes_disconnect and bool(self.profile.coa.identity)
        self.sessions: dict[str, Session] = {}  # by MAC
        self.ended: list[Session] = []  # by requests, and not told of yet

    @property
    def keeps_time(self) -> bool:
        """Tell whether a session ends at the second that it is told; strongSwan is told 25 minutes at least."""
        return SESSION_TIMEOUT in self.profile.limits.timers and self.profile.family != "strongswan"

    # What it is told

    def held(self, told: Attributes) -> Held:
        """Read an Accept, as far as this family reads it."""
        names = () if self.profile.limits.octets is None else tuple(_OCTETS)
        octets: dict[Measure, int] = {}
        for name in names:
            value = told.integer(name)
            if value is not None:
                measure, shift = _OCTETS[name]
                octets[measure] = octets.get(measure, 0) + (value << shift)
        assert all(octets.values()), "a limit of nothing is none to many routers"
        seconds = told.integer(SESSION_TIMEOUT) if SESSION_TIMEOUT in self.profile.limits.timers else None
        return Held(octets, seconds, **self._read_rates(told))

    def _read_rates(self, told: Attributes) -> dict[str, int]:
        found: dict[str, int] = {}
        for name in self._rates:
            if name in _BITS and (value := told.integer(name)) is not None:
                found[_BITS[name]] = value
            elif name in _PAIRS and (text := told.text(name)) is not None:
                first, second, unit = _PAIRS[name]
                one, other = text.split(" ")[0].split("/")
                found |= {first: int(one) * unit, second: int(other) * unit}
        return found

    def take(self, query: CoaRequest | DisconnectRequest, now: datetime) -> int | None:
        """Answer a request: None is an ACK, a number the Error-Cause of a NAK. What ends is `ended`."""
        identity = query.identity if isinstance(query, CoaRequest) else query.attributes
        meant = [one for one in self.sessions.values() if self._is_meant(one, identity)]
        if not meant:
            return NO_SESSION
        for session in meant:
            if isinstance(query, DisconnectRequest):
                self.ended.append(session)
            else:
                self._change(session, query.changes, now)
        return None

    def _is_meant(self, session: Session, identity: Attributes) -> bool:
        says = self.says_of(session)
        names = [name for name, _ in identity if name != "Event-Timestamp"]
        return bool(names) and all(identity.all_octets(name) == says.all_octets(name) for name in names)

    def _change(self, session: Session, changes: Attributes, now: datetime) -> None:
        coa, new = self.profile.coa, self.held(changes)
        assert set(names := {name for name, _ in changes}) <= set(coa.attributes), names
        if coa.base is None:
            assert (new.octets, new.seconds) == ({}, None), "nobody knows from when it would count"
        elapsed = int((now - session.began).total_seconds())
        if coa.base is CoaBase.NOW and new.seconds is not None:
            new = replace(new, seconds=elapsed + new.seconds)
        if coa.kind is not CoaKind.FULL_SET:
            old = session.held
            new = Held(
                old.octets | new.octets,
                old.seconds if new.seconds is None else new.seconds,
                old.down_bps if new.down_bps is None else new.down_bps,
                old.up_bps if new.up_bps is None else new.up_bps,
            )
        session.held = new

    # What it says

    def says_of(self, session: Session) -> Attributes:
        """Return what names a session in each of its reports."""
        return Attributes(
            [
                ("User-Name", session.user_name),
                ("Acct-Session-Id", session.id),
                ("Calling-Station-Id", session.mac.upper().replace(":", "-")),
                ("Framed-IP-Address", f"10.5.50.{int(session.mac[-2:], 16)}"),
                ("NAS-IP-Address", self.address),
                ("Class", session.proof),
            ]
        )

    def counters_of(self, session: Session, now: datetime) -> "dict[str, Value]":
        """Return the counters of a report, from the side of which the family counts."""
        said: dict[str, Value] = {"Acct-Session-Time": int((now - session.began).total_seconds())}
        if self.wire:
            return said
        entering, leaving = session.up, session.down
        if self.profile.direction is Direction.CLIENT:
            entering, leaving = leaving, entering
        for way, octets in (("Input", entering), ("Output", leaving)):
            said |= {f"Acct-{way}-Octets": octets % 2**32, f"Acct-{way}-Gigawords": octets >> _GIGAWORDS}
        return said
