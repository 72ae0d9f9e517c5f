"""How each family of routers takes Disconnect- and CoA-Requests: what its source or packets of it show, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_ALWAYS: Final = frozenset({"Message-Authenticator", "Event-Timestamp", "Proxy-State", "State", "Class"})
_TIMERS: Final = frozenset({"Session-Timeout", "Idle-Timeout", "Acct-Interim-Interval"})


class Effect(StrEnum):
    """What a change does to the limits that it does not name."""

    KEEPS = "keeps"
    REPLACES = "replaces"  # they are lifted


@dataclass(frozen=True, slots=True)
class Manners:
    """One family's.

    `identity` may name a session, `changeable` may change. What is neither is refused where it is `strict`, else
    passed over. Without `silent_without` there is no answer at all; without one of `named_by` an attribute is missing.
    `signed` takes Event-Timestamp and Message-Authenticator and answers so; `explains` says why not. `counts_from_now`
    is how a Session-Timeout is read. `stops_first`: the Stop leaves before the ACK.
    """

    identity: frozenset[str]
    changeable: frozenset[str]
    strict: bool = True
    named_by: frozenset[str] = frozenset()
    silent_without: str | None = None
    signed: bool = True
    explains: bool = True
    effect: Effect = Effect.KEEPS
    counts_from_now: bool = False
    stops_first: bool = False

    @property
    def known(self) -> frozenset[str]:
        """Return what may stand in a request besides changes."""
        return self.identity | _ALWAYS if self.signed else self.identity


# Of RouterOS Total-Limit, Gigawords and Acct-Interim-Interval are not changeable, by its manual.
_MIKROTIK: Final = Manners(
    identity=frozenset(
        {
            "User-Name",
            "NAS-IP-Address",
            "NAS-Identifier",
            "Framed-IP-Address",
            "Acct-Session-Id",
            "Calling-Station-Id",
        }
    ),
    changeable=frozenset(
        {
            "Mikrotik-Rate-Limit",
            "Mikrotik-Recv-Limit",
            "Mikrotik-Xmit-Limit",
            "Mikrotik-Group",
            "Mikrotik-Mark-Id",
            "Mikrotik-Advertise-URL",
            "Mikrotik-Advertise-Interval",
            "Filter-Id",
            "Session-Timeout",
            "Idle-Timeout",
        }
    ),
    named_by=frozenset({"User-Name", "Acct-Session-Id", "Framed-IP-Address"}),
)

MANNERS: Final[Mapping[str, Manners]] = {
    "mikrotik": _MIKROTIK,
    "generic": _MIKROTIK,
    "coovachilli": Manners(
        identity=frozenset({"User-Name", "Acct-Session-Id"}),
        changeable=frozenset(
            {
                *_TIMERS,
                "WISPr-Bandwidth-Max-Down",
                "WISPr-Bandwidth-Max-Up",
                *(
                    f"ChilliSpot-Max-{way}-{part}"
                    for way in ("Input", "Output", "Total")
                    for part in ("Octets", "Gigawords")
                ),
            }
        ),
        strict=False,
        silent_without="User-Name",
        signed=True,
        explains=False,
        effect=Effect.REPLACES,
        stops_first=True,
    ),
    "uspot": Manners(
        identity=frozenset(
            {
                "User-Name",
                "Framed-IP-Address",
                "Calling-Station-Id",
                "Called-Station-Id",
                "Acct-Session-Id",
                "NAS-IP-Address",
                "NAS-Identifier",
                "Chargeable-User-Identity",
            }
        ),
        changeable=_TIMERS,
        named_by=frozenset({"User-Name", "Acct-Session-Id", "Calling-Station-Id", "Framed-IP-Address"}),
        signed=False,
    ),
    "hostapd": Manners(
        identity=frozenset({"User-Name", "Acct-Session-Id", "Calling-Station-Id", "NAS-IP-Address", "NAS-Identifier"}),
        changeable=frozenset(),
        named_by=frozenset({"User-Name", "Acct-Session-Id", "Calling-Station-Id"}),
        stops_first=True,
    ),
    "strongswan": Manners(
        identity=frozenset({"User-Name"}),
        changeable=frozenset({"Session-Timeout"}),
        strict=False,
        named_by=frozenset({"User-Name"}),
        explains=False,
        counts_from_now=True,
    ),
}
