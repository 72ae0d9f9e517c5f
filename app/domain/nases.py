"""A NAS: the router that lets devices through and speaks to us; and the site it stands at."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Final, NamedTuple


class Family(StrEnum):
    """How a NAS speaks: one module each in `radius.vendors` and, where it has a portal, in `app.nas`."""

    MIKROTIK = "mikrotik"
    COOVACHILLI = "coovachilli"
    OPENNDS = "opennds"
    USPOT = "uspot"
    PFSENSE = "pfsense"
    OPNSENSE = "opnsense"
    ACCEL_PPP = "accel-ppp"
    CAMBIUM = "cambium"
    ARUBA = "aruba"
    CISCO = "cisco"
    MERAKI = "meraki"
    RUCKUS = "ruckus"
    MIST = "mist"
    FORTINET = "fortinet"
    JUNIPER = "juniper"
    UNIFI = "unifi"
    OMADA = "omada"
    HOSTAPD = "hostapd"
    STRONGSWAN = "strongswan"
    GENERIC = "generic"


SIGNING_FAMILIES: Final = frozenset({Family.COOVACHILLI, Family.HOSTAPD, Family.STRONGSWAN})
"""Families of which every known version signs its requests: a new NAS of theirs must, from the first packet on."""


MAC_IS_PASSWORD: Final = frozenset(
    {
        Family.UNIFI,
        Family.OMADA,
        Family.HOSTAPD,
        Family.ARUBA,
        Family.CISCO,
        Family.MERAKI,
        Family.MIST,
        Family.CAMBIUM,
        Family.FORTINET,
    }
)
"""Families whose MAC authentication sends the MAC itself as password unless told otherwise, or always."""


class WalledGarden(StrEnum):
    """How a NAS keeps the public services open to who is not logged in, or was cut."""

    CONFIGURED = "configured"  # `nas config` writes it
    BY_HAND = "by_hand"  # the vendor has a list of its own, to be filled in
    NONE = "none"  # no portal, and nothing is open without a login


_WALLED_GARDENS: Final = {
    Family.MIKROTIK: WalledGarden.CONFIGURED,
    Family.COOVACHILLI: WalledGarden.CONFIGURED,
    Family.OPENNDS: WalledGarden.CONFIGURED,
    Family.USPOT: WalledGarden.CONFIGURED,
    Family.ACCEL_PPP: WalledGarden.NONE,
    Family.JUNIPER: WalledGarden.NONE,
    Family.HOSTAPD: WalledGarden.NONE,
    Family.STRONGSWAN: WalledGarden.NONE,
}

TAKES_FILTER: Final = frozenset(
    {
        Family.MIKROTIK,
        Family.ARUBA,
        Family.CISCO,
        Family.MERAKI,
        Family.RUCKUS,
        Family.MIST,
        Family.FORTINET,
        Family.STRONGSWAN,
        Family.GENERIC,
    }
)
"""Families that hold a device to a filter or role by its name. CoovaChilli hands the name to its scripts only."""

COMES_BACK: Final = frozenset({Family.MIKROTIK, Family.COOVACHILLI, Family.USPOT, Family.CAMBIUM})
"""Families that cut at an octet and ask about the MAC again, so that a known phone comes back without a page."""


TAKES_OCTETS: Final = frozenset({Family.COOVACHILLI})
"""Families at which an open session can be told another amount of octets: a slice is granted anew without a cut."""


NEVER_REACHED: Final = frozenset({Family.OPNSENSE, Family.UNIFI, Family.OMADA, Family.JUNIPER})
"""Families at which we can neither change nor end an open session."""


class Demand(StrEnum):
    """Whether a protection is demanded of a NAS; `auto` learns it."""

    YES = "yes"
    NO = "no"
    AUTO = "auto"


class Direction(StrEnum):
    """From whose side a NAS counts octets: `rfc` (input is what the user sent), `client` (the reverse), or `auto`.

    With `auto` the packet says it (ChilliSpot-Acct-View-Point), else the family; a hint tells where that looks wrong.
    """

    AUTO = "auto"
    RFC = "rfc"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Site:
    """A place with NASes: an island spot or an office. `guest_plan_id` is its free tap, None if it has none."""

    id: str
    name: str
    capacity_bps: int | None = None
    guest_plan_id: str | None = None
    interim_seconds: int = 60


class SiteOfNas(NamedTuple):
    """Where a NAS stands, and how much the line there carries in bit/s; None is unknown."""

    id: str | None
    capacity_bps: int | None


@dataclass(frozen=True, slots=True)
class Nas:
    """One NAS without its secrets. `login_address` is HOST[:PORT], the only place phones are ever sent back to.

    Changes of sessions go to `coa_address`, or, without it, to where the session was last heard from.
    """

    id: str
    name: str
    site_id: str
    family: Family
    address: IPv4Network | IPv6Network
    identifier: str | None = None
    login_address: str | None = None
    require_message_authenticator: Demand = Demand.AUTO
    limit_proxy_state: Demand = Demand.AUTO
    learned_message_authenticator: bool | None = None
    direction: Direction = Direction.AUTO
    coa_port: int = 3799
    coa_address: str | None = None
    status_server: bool = True
    strict_identity: bool = False
    debug_answers: bool = False
    mac_login: bool = True  # known devices may come back through it by their MAC alone

    @property
    def takes_mac_as_password(self) -> bool:
        """Tell whether a MAC may be its own password here: only where packets come from one exact address."""
        return self.mac_login and self.family in MAC_IS_PASSWORD and self.address.num_addresses == 1

    @property
    def can_garden(self) -> bool:
        """Tell whether it can leave a device the public services only, by a filter that it knows."""
        return self.family in TAKES_FILTER

    def cuts_at_steps(self, *, deaf: bool) -> bool:
        """Tell whether it cuts where a throttle begins: it answers no CoA, and a known phone comes back by itself."""
        return deaf and self.family in COMES_BACK

    def takes_octets(self, *, deaf: bool) -> bool:
        """Tell whether an open session there can be told another amount of octets; `deaf`: it answers no CoA."""
        return not deaf and self.family in TAKES_OCTETS

    def is_unreached(self, *, deaf: bool) -> bool:
        """Tell whether nothing can change or end an open session there; `deaf`: it answers no CoA."""
        return deaf or self.family in NEVER_REACHED

    @property
    def walled_garden(self) -> WalledGarden:
        """Tell how the public services stay open there to who is not logged in."""
        return _WALLED_GARDENS.get(self.family, WalledGarden.BY_HAND)

    @property
    def is_unprotected(self) -> bool:
        """Tell whether nothing stands between it and forged answers (CVE-2024-3596)."""
        demand = self.require_message_authenticator
        unsigned = demand is Demand.NO or (demand is Demand.AUTO and self.learned_message_authenticator is False)
        return unsigned and self.limit_proxy_state is Demand.NO


@dataclass(frozen=True, slots=True)
class Protections:
    """What is demanded of every NAS that leaves it at `auto`; here `auto` means that it is learnt, and limited."""

    require_message_authenticator: Demand = Demand.AUTO
    limit_proxy_state: Demand = Demand.AUTO

    def applied_to(self, nas: Nas) -> Nas:
        """Return the NAS with what is in force for it."""
        sign, limit = nas.require_message_authenticator, nas.limit_proxy_state
        return replace(
            nas,
            require_message_authenticator=self.require_message_authenticator if sign is Demand.AUTO else sign,
            limit_proxy_state=self.limit_proxy_state if limit is Demand.AUTO else limit,
        )


LEARNT: Final = Protections()


@dataclass(frozen=True, slots=True)
class NasSecrets:
    """A NAS's secrets in clear, for as long as they are needed.

    `radius` is the shared secret, `old_radius` the one before it while a rotation lasts; `portal` is chilli's
    uamsecret or openNDS's FAS key; `mac` is the password of MAC authentication.
    """

    radius: str = field(repr=False)
    portal: str = field(repr=False)
    mac: str = field(repr=False)
    old_radius: str | None = field(default=None, repr=False)
    old_radius_until: datetime | None = None
