"""What one router family understands, as a value; the families beside this module know nothing of each other.

Every limit that is sent is positive and fits its field: many routers read zero as "no limit".
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from radius.attributes import Attributes
from radius.authorization import Authorization
from radius.errors import EncodeError
from radius.vendors.abilities import WORD, Coa, CoaKind, Limits

# Every report is read for these, by number: a name costs as much as the value.
_INPUT_OCTETS: Final = 42
_OUTPUT_OCTETS: Final = 43
_SESSION_TIME: Final = 46
_INPUT_PACKETS: Final = 47
_OUTPUT_PACKETS: Final = 48
_INPUT_GIGAWORDS: Final = 52
_OUTPUT_GIGAWORDS: Final = 53
SHORTEST_INTERIM_SECONDS: Final = 60  # RFC 2869 section 5.16; chilli and OPNsense ignore less and take their own


class Direction(StrEnum):
    """From which side a router counts its octets."""

    AUTO = "auto"  # what the packet says (ChilliSpot-Acct-View-Point), else what the family does
    RFC = "rfc"  # Input came in from the user: our up (RFC 2866 section 5.3)
    CLIENT = "client"  # Input is what the user received: our down (chilli without `swapoctets`)


class Counters(NamedTuple):
    """What a session has used since it began, by the user's view; an absent counter is zero.

    `has_octets` is False where the router sent no octet counter at all (hostapd on a wire). `has_gigawords` is False
    where nothing said how often a counter has passed 2**32: then a decrease may be a wrap.
    """

    up_octets: int
    down_octets: int
    up_packets: int
    down_packets: int
    session_seconds: int | None
    has_octets: bool
    has_gigawords: bool


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A router family; one object each, compared by identity.

    `encode` turns an authorization into the attributes of an Access-Accept; `limits` says which those are, `coa` what
    may change later. `tried` names what it was tried on; empty is experimental. `reports_gigawords` tells whether its
    accounting says how often a counter has passed 2**32; None is not known. `signs_access_requests` says that every
    known version sends Message-Authenticator in Access-Requests, so it may be demanded from the first packet on.
    `accounts_by_accept_name` says that accounting carries the User-Name of the Accept. `direction` is what AUTO means
    when the packet is silent. `takes_session_keys` says that its PPP or VPN encrypts with MPPE keys (RFC 2548 section
    2.4), which it gets with an Accept of MS-CHAPv2.
    """

    family: str
    encode: Callable[[Authorization], Attributes]
    signs_access_requests: bool = False
    accounts_by_accept_name: bool = False
    takes_session_keys: bool = False
    direction: Direction = Direction.RFC
    limits: Limits = Limits()  # noqa: RUF009 a frozen value
    coa: Coa = Coa(CoaKind.NONE)  # noqa: RUF009 the same
    shortest_interim_seconds: int = SHORTEST_INTERIM_SECONDS
    reports_gigawords: bool | None = None
    tried: str = ""

    @property
    def experimental(self) -> bool:
        """Tell whether the family was never tried on the real thing."""
        return not self.tried

    def attributes(self, authorization: Authorization) -> Attributes:
        """Return what this family is told to hold a session within `authorization`.

        Raise EncodeError for a limit of zero or less: an exhausted session is rejected, not limited to nothing.
        """
        for name, value in zip(authorization._fields, authorization, strict=True):
            if isinstance(value, int) and value <= 0:
                raise EncodeError(f"{name} must be positive, not {value}")
        return self.encode(authorization)

    def counters(self, attributes: Attributes, direction: Direction = Direction.AUTO) -> Counters:
        """Read the counters of an Accounting-Request (RFC 2866 sections 5.3 to 5.9, RFC 2869 sections 5.1, 5.2)."""
        read = attributes.standard_integer
        input_octets, output_octets = read(_INPUT_OCTETS), read(_OUTPUT_OCTETS)
        input_high, output_high = read(_INPUT_GIGAWORDS), read(_OUTPUT_GIGAWORDS)
        entering = ((input_high or 0) << 32) + (input_octets or 0), read(_INPUT_PACKETS) or 0
        leaving = ((output_high or 0) << 32) + (output_octets or 0), read(_OUTPUT_PACKETS) or 0
        swapped = self._direction(attributes, direction) is Direction.CLIENT
        up, down = (leaving, entering) if swapped else (entering, leaving)
        return Counters(
            up_octets=up[0],
            down_octets=down[0],
            up_packets=up[1],
            down_packets=down[1],
            session_seconds=read(_SESSION_TIME),
            has_octets=input_octets is not None or output_octets is not None,
            has_gigawords=input_high is not None or output_high is not None,
        )

    def _direction(self, attributes: Attributes, direction: Direction) -> Direction:
        if direction is not Direction.AUTO:
            return direction
        match attributes.integer("ChilliSpot-Acct-View-Point"):
            case 1:
                return Direction.RFC
            case 2:
                return Direction.CLIENT
            case _:
                return self.direction


def add_timers(
    reply: Attributes, authorization: Authorization, shortest_interim_seconds: int = SHORTEST_INTERIM_SECONDS
) -> None:
    """Add the three timers of RFC 2865 and RFC 2869; a family that does not know one passes over it."""
    add_limit(reply, "Session-Timeout", authorization.session_timeout_seconds)
    add_limit(reply, "Idle-Timeout", authorization.idle_timeout_seconds)
    if authorization.interim_seconds is not None:
        add_limit(reply, "Acct-Interim-Interval", max(authorization.interim_seconds, shortest_interim_seconds))


def add_filter(reply: Attributes, authorization: Authorization) -> None:
    """Add the one Filter-Id; several would be read differently by each router (RFC 5080 section 2.4)."""
    if authorization.filter_id is not None:
        reply.add("Filter-Id", authorization.filter_id)


def add_role(reply: Attributes, name: str, authorization: Authorization) -> None:
    """Add the plan's filter as the name of a role, group or list that the router knows."""
    if authorization.filter_id is not None:
        reply.add(name, authorization.filter_id)


def add_vlan(reply: Attributes, authorization: Authorization) -> None:
    """Add the three tunnel attributes that place a port in a VLAN (RFC 3580 section 3.31)."""
    if authorization.vlan is not None:
        reply.add("Tunnel-Type", "VLAN")
        reply.add("Tunnel-Medium-Type", "IEEE-802")
        reply.add("Tunnel-Private-Group-Id", str(authorization.vlan))


def add_wispr_rates(reply: Attributes, authorization: Authorization) -> None:
    """Add the WISPr rates, in bits per second."""
    add_limit(reply, "WISPr-Bandwidth-Max-Down", authorization.down_bps)
    add_limit(reply, "WISPr-Bandwidth-Max-Up", authorization.up_bps)


def add_limit(reply: Attributes, name: str, value: int | None) -> None:
    """Add a limit of 32 bits; a larger one is clamped, and granted again while the session runs."""
    if value is not None:
        reply.add(name, min(value, WORD))


def add_least_octets(reply: Attributes, name: str, authorization: Authorization) -> None:
    """Add the one amount of 32 bits that a family knows, for both directions together: the smallest limit there is.

    So it may cut too early, and the session is let in again with what is left; never too late.
    """
    limits = (authorization.total_octets, authorization.down_octets, authorization.up_octets)
    add_limit(reply, name, min((octets for octets in limits if octets is not None), default=None))


def add_wide_limit(reply: Attributes, low: str, high: str, octets: int | None) -> None:
    """Add a limit of 64 bits as its low and high words, both always, so that neither is left from before."""
    if octets is not None:
        reply.add(low, octets % 2**32)
        reply.add(high, octets // 2**32)
