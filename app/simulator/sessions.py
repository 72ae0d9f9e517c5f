"""One session as a router keeps it: limits, counters, why it ends. No I/O and no clock here.

Times are monotonic seconds, handed in. *Up* is what the phone sent; the router calls it input (RFC 2866 section 5.3).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from radius.attributes import Attributes

_RATE: Final = re.compile(r"(\d+)([kM]?)\Z")
_SCALE: Final = {"": 1, "k": 1_000, "M": 1_000_000}
_PACKET_OCTETS: Final = 1_000  # an ordinary mixture of full and small packets
LARGEST_PACKETS: Final = 2**32 - 1


class Cause(StrEnum):
    """Acct-Terminate-Cause (RFC 2866 section 5.10), by its name in the dictionary.

    A used-up octet limit is reported as a time-out: the RFC has no word of its own for it.
    """

    USER_REQUEST = "User-Request"
    LOST_SERVICE = "Lost-Service"
    IDLE_TIMEOUT = "Idle-Timeout"
    SESSION_TIMEOUT = "Session-Timeout"
    ADMIN_RESET = "Admin-Reset"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an Access-Accept allows; None is "no such limit", and so is zero, as RouterOS reads it."""

    up_bps: int | None = None
    down_bps: int | None = None
    up_octets: int | None = None
    down_octets: int | None = None
    total_octets: int | None = None
    session_seconds: int | None = None
    idle_seconds: int | None = None
    interim_seconds: int | None = None

    @classmethod
    def of_accept(cls, accept: Attributes) -> "Limits":
        """Read what RouterOS takes from an Access-Accept, or a family that reads WISPr and ChilliSpot."""
        up_bps, down_bps = read_rates(accept.text("Mikrotik-Rate-Limit") or "")
        return cls(
            up_bps=up_bps or accept.integer("WISPr-Bandwidth-Max-Up") or None,
            down_bps=down_bps or accept.integer("WISPr-Bandwidth-Max-Down") or None,
            up_octets=_wide(accept, "Mikrotik-Recv-Limit", "ChilliSpot-Max-Input"),
            down_octets=_wide(accept, "Mikrotik-Xmit-Limit", "ChilliSpot-Max-Output"),
            total_octets=_wide(accept, "Mikrotik-Total-Limit", "ChilliSpot-Max-Total"),
            session_seconds=accept.integer("Session-Timeout") or None,
            idle_seconds=accept.integer("Idle-Timeout") or None,
            interim_seconds=accept.integer("Acct-Interim-Interval") or None,
        )

    def changed_by(self, coa: Attributes) -> "Limits":
        """Return the limits after a CoA-Request; what it leaves out stays as it was."""
        changed = self
        if "Mikrotik-Rate-Limit" in coa:
            up_bps, down_bps = read_rates(coa.text("Mikrotik-Rate-Limit") or "")
            changed = replace(changed, up_bps=up_bps, down_bps=down_bps)
        if "Mikrotik-Recv-Limit" in coa:
            changed = replace(changed, up_octets=coa.integer("Mikrotik-Recv-Limit") or None)
        if "Mikrotik-Xmit-Limit" in coa:
            changed = replace(changed, down_octets=coa.integer("Mikrotik-Xmit-Limit") or None)
        if "Session-Timeout" in coa:
            changed = replace(changed, session_seconds=coa.integer("Session-Timeout") or None)
        if "Idle-Timeout" in coa:
            changed = replace(changed, idle_seconds=coa.integer("Idle-Timeout") or None)
        return changed


def read_rates(text: str) -> tuple[int | None, int | None]:
    """Read `rx[/tx] ...` of Mikrotik-Rate-Limit as (up, down) in bit/s; one number is both, zero is no limit."""
    first = text.partition(" ")[0]
    up, slash, down = first.partition("/")
    return _rate(up), _rate(down if slash else up)


def _rate(text: str) -> int | None:
    match = _RATE.match(text)
    return None if match is None else int(match[1]) * _SCALE[match[2]] or None


def _wide(accept: Attributes, name: str, other: str) -> int | None:
    """Read an amount in two words, by RouterOS's name or by ChilliSpot's."""
    if name not in accept:
        high, low = accept.integer(f"{other}-Gigawords") or 0, accept.integer(f"{other}-Octets") or 0
    else:
        high, low = accept.integer(f"{name}-Gigawords") or 0, accept.integer(name) or 0
    return (high << 32) + low or None


@dataclass(slots=True)
class Session:
    """One session. It changes only through `use` and through what the router assigns."""

    id: str
    mac: str
    ip: str
    user_name: str
    class_values: Sequence[bytes]
    limits: Limits
    started: float
    used: float = field(init=False)  # when the phone last sent or got anything
    reported: float = field(init=False)  # when accounting was last sent
    up_octets: int = 0
    down_octets: int = 0

    def __post_init__(self) -> None:
        """A session begins used and reported."""
        self.used = self.reported = self.started

    def use(self, up_octets: int, down_octets: int, seconds: float, now: float) -> None:
        """Let the phone send and get so much within the `seconds` before `now`, as far as rates and limits let it."""
        up = _within(up_octets, self.limits.up_bps, seconds, self.limits.up_octets, self.up_octets)
        down = _within(down_octets, self.limits.down_bps, seconds, self.limits.down_octets, self.down_octets)
        if self.limits.total_octets is not None:
            left = max(0, self.limits.total_octets - self.up_octets - self.down_octets)
            down = min(down, left)
            up = min(up, left - down)
        if up or down:
            self.used = now
        self.up_octets += up
        self.down_octets += down

    def ends(self, now: float) -> Cause | None:
        """Tell why the session is over at `now`; None while it may go on."""
        limits = self.limits
        if (
            _spent(limits.total_octets, self.up_octets + self.down_octets)
            or _spent(limits.up_octets, self.up_octets)
            or _spent(limits.down_octets, self.down_octets)
            or _spent(limits.session_seconds, now - self.started)
        ):
            return Cause.SESSION_TIMEOUT
        return Cause.IDLE_TIMEOUT if _spent(limits.idle_seconds, now - self.used) else None

    def counters(self, now: float) -> Attributes:
        """Return what accounting reports of it at `now`: totals since the start, both words of each (RFC 2869)."""
        return Attributes(
            [
                ("Acct-Session-Time", max(0, int(now - self.started))),
                ("Acct-Input-Octets", self.up_octets % 2**32),
                ("Acct-Input-Gigawords", self.up_octets >> 32),
                ("Acct-Input-Packets", min(packets(self.up_octets), LARGEST_PACKETS)),
                ("Acct-Output-Octets", self.down_octets % 2**32),
                ("Acct-Output-Gigawords", self.down_octets >> 32),
                ("Acct-Output-Packets", min(packets(self.down_octets), LARGEST_PACKETS)),
            ]
        )


def packets(octets: int) -> int:
    """Return in how many packets so many octets usually travel."""
    return -(-octets // _PACKET_OCTETS)


def _within(octets: int, bps: int | None, seconds: float, limit: int | None, used: int) -> int:
    if bps is not None:
        octets = min(octets, int(bps * seconds / 8))
    return octets if limit is None else min(octets, max(0, limit - used))


def _spent(limit: float | None, used: float) -> bool:
    return limit is not None and used >= limit
