"""What a router family can be told, and when: values, for the page of families and for whatever speaks to routers.

Each is what the vendor's source, dictionary or manual says, or what was seen on the wire; what is only said to be so
is left out: an empty tuple, or None.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WORD: Final = 2**32 - 1  # one RADIUS integer (RFC 2865 section 5)
TWO_WORDS: Final = 2**64 - 1  # two of them: low and high

SESSION_TIMEOUT: Final = "Session-Timeout"
IDLE_TIMEOUT: Final = "Idle-Timeout"
INTERIM: Final = "Acct-Interim-Interval"
TIMERS: Final = (SESSION_TIMEOUT, IDLE_TIMEOUT, INTERIM)


class Unit(StrEnum):
    """In what a limit is counted by the router that is told it."""

    BITS = "bit/s"
    KILOBITS = "kbit/s"
    OCTETS = "octets"
    KIBIOCTETS = "KiB"


class CoaKind(StrEnum):
    """What can change while somebody is online."""

    FULL_SET = "full-set"  # every limit, each time: one that is left out is lifted
    ALLOW_LIST = "allow-list"  # what is listed, and a request with anything else is refused whole
    IDENTITY_PAIR = "identity-pair"  # what is listed, if both of what identifies the session stand beside it
    ROLE_ONLY = "role-only"  # the name of a role that the router knows, or a new question about it
    DISCONNECT_ONLY = "disconnect-only"  # nothing, but the session can be ended
    REAUTH_POLL = "reauth-poll"  # what the answer says when the router asks about its sessions again
    API = "api"  # by the vendor's own interface, not by RADIUS
    AGENT = "agent"  # by a program on the router
    NONE = "none"

    @property
    def takes_disconnect(self) -> bool:
        """Tell whether a Disconnect-Request ends a session."""
        return self not in {CoaKind.REAUTH_POLL, CoaKind.API, CoaKind.AGENT, CoaKind.NONE}


class CoaBase(StrEnum):
    """From when a Session-Timeout or an amount of octets in a CoA counts."""

    START = "start"  # of the session: send what was used and what is left together
    NOW = "now"  # send what is left


@dataclass(frozen=True, slots=True)
class Told:
    """A limit that reaches the router: the names that carry it, their unit, and the largest value that they hold.

    The names are RADIUS attributes; where a family is told by other means, its own words for them.
    """

    names: tuple[str, ...]
    unit: Unit
    largest: int = WORD


@dataclass(frozen=True, slots=True)
class Limits:
    """What a family can be told to hold a session to.

    `timers` are those of the three that it is known to read; all three are sent to every family, since RFC 2865
    section 5 lets a router pass over what it does not know. `role` carries the plan's filter; with `role_by_script`
    the router itself does nothing with it but hand it to its scripts.
    """

    rate: Told | None = None
    octets: Told | None = None
    timers: tuple[str, ...] = TIMERS
    role: str | None = None
    role_by_script: bool = False


@dataclass(frozen=True, slots=True)
class Coa:
    """How open sessions are changed and ended (RFC 5176, where it is done by RADIUS at all).

    `attributes` are the limits that a CoA may carry, and all that it must carry for FULL_SET. `identity` is all that
    may name the session, `needed` what must stand among it. `base` is None where it is not known, or where nothing
    that counts is carried. `signed` tells whether Event-Timestamp and Message-Authenticator are taken as well.
    """

    kind: CoaKind
    attributes: tuple[str, ...] = ()
    base: CoaBase | None = None
    identity: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    signed: bool = True
    port: int = 3799  # RFC 5176 section 3
