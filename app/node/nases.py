"""The NASes that a node answers, found by source address: exact addresses first, then the longest prefix. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from app.domain.nases import Demand, Direction, Nas, NasSecrets, Site
from radius.backend import Demand as WireDemand
from radius.backend import Nas as WireNas
from radius.vendors import profile_for
from radius.vendors.profile import Direction as WireDirection
from radius.vendors.profile import Profile

_HOSTS_KEPT: Final = 8192


@dataclass(frozen=True, slots=True)
class KnownNas:
    """One NAS with all that a decision or a report needs. `mac_secret` is the password of its MAC authentication.

    `old_secret_until` is when the second of two shared secrets ends, None if there is one only. `accounts` is False
    while it lets people in and tells nothing of them, `deaf` True while it does not take what is to change meanwhile.
    """

    nas: Nas
    site: Site
    wire: WireNas
    direction: WireDirection
    mac_secret: str = field(repr=False)
    old_secret_until: datetime | None = None
    accounts: bool = True
    deaf: bool = False

    @property
    def cuts_at_steps(self) -> bool:
        """Tell whether it cuts where a throttle begins, as it is now."""
        return self.nas.cuts_at_steps(deaf=self.deaf)

    @property
    def unreached(self) -> bool:
        """Tell whether nothing can change or end an open session there, as it is now."""
        return self.nas.is_unreached(deaf=self.deaf)

    @property
    def profile(self) -> Profile:
        """Return how the router's family speaks."""
        return self.wire.profile


class NasTable:
    """Every NAS, ready to be found. `changes_at` is when the first old secret ends, None if there is none."""

    def __init__(self, known: Iterable[KnownNas] = ()) -> None:
        self.by_id: Mapping[str, KnownNas] = {one.nas.id: one for one in known}
        self.changes_at = min(
            (one.old_secret_until for one in self.by_id.values() if one.old_secret_until is not None), default=None
        )
        self._found: dict[str, tuple[WireNas, ...]] = {}  # what each host was found to be, nothing included
        self._exact: dict[IPv4Address | IPv6Address, tuple[WireNas, ...]] = {}
        self._prefixes: dict[int, list[tuple[int, dict[int, tuple[WireNas, ...]]]]] = {4: [], 6: []}
        wide: dict[tuple[int, int], dict[int, tuple[WireNas, ...]]] = {}
        for one in self.by_id.values():
            network = one.nas.address
            if one.wire.exact_address:
                address = network.network_address
                self._exact[address] = (*self._exact.get(address, ()), one.wire)
            else:
                shift = network.max_prefixlen - network.prefixlen
                start = int(network.network_address) >> shift
                same = wide.setdefault((network.version, shift), {})
                same[start] = (*same.get(start, ()), one.wire)
        for (version, shift), networks in sorted(wide.items()):
            self._prefixes[version].append((shift, networks))

    def find(self, host: str) -> Sequence[WireNas]:
        """Return the NASes of a literal address, those of the longest prefix only; each is worked out once."""
        found = self._found.get(host)
        if found is None:
            if len(self._found) >= _HOSTS_KEPT:
                self._found.clear()
            found = self._found[host] = self._find(ip_address(host))
        return found

    def _find(self, address: IPv4Address | IPv6Address) -> tuple[WireNas, ...]:
        exact = self._exact.get(address)
        if exact is not None:
            return exact
        number = int(address)
        for shift, networks in self._prefixes[address.version]:
            found = networks.get(number >> shift)
            if found is not None:
                return found
        return ()

    def at(self, now: datetime) -> "NasTable":
        """Return the table as it stands at `now`: without old secrets that have ended."""
        return NasTable(
            known_nas(one.nas, one.site, secrets_of(one), now=now, accounts=one.accounts, deaf=one.deaf)
            for one in self.by_id.values()
        )


def secrets_of(known: KnownNas) -> NasSecrets:
    """Return the secrets that a node knows of a NAS; the portal's is none of them."""
    radius, *old = (secret.decode() for secret in known.wire.secrets)
    return NasSecrets(radius, "", known.mac_secret, old[0] if old else None, known.old_secret_until)


def known_nas(
    nas: Nas, site: Site, secrets: NasSecrets, *, now: datetime, accounts: bool = True, deaf: bool = False
) -> KnownNas:
    """Put together what is known about one NAS at `now`."""
    valid, until = [secrets.radius], None
    if secrets.old_radius and secrets.old_radius_until is not None and now < secrets.old_radius_until:
        valid.append(secrets.old_radius)
        until = secrets.old_radius_until
    wire = WireNas(
        id=nas.id,
        secrets=tuple(secret.encode() for secret in valid),
        profile=profile_for(nas.family.value),
        identifier=nas.identifier,
        require_message_authenticator=WireDemand(nas.require_message_authenticator.value),
        limit_proxy_state=_limit_proxy_state(nas.limit_proxy_state),
        exact_address=nas.address.num_addresses == 1,
        addresses=(nas.address.network_address.packed, nas.address.broadcast_address.packed),
        answers_status=nas.status_server,
        strict_identity=nas.strict_identity,
        debug_answers=nas.debug_answers,
    )
    direction = WireDirection.AUTO if nas.direction is Direction.AUTO else WireDirection(nas.direction.value)
    return KnownNas(nas, site, wire, direction, secrets.mac, until, accounts, deaf)


def _limit_proxy_state(demand: Demand) -> WireDemand:
    return WireDemand(demand.value)
