"""What the portal must know of a NAS before it shows anything: who it is, its secrets, what its site gives freely."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from zoneinfo import ZoneInfo

from app.db import nases, online, overlays, plans, sites
from app.db.engine import Connection, Database
from app.db.rules import read_rules
from app.domain.access import DenialReason
from app.domain.nases import Nas, NasSecrets, Site
from app.domain.plans import Plan
from app.domain.text import spelled
from app.services.keyring import Keyring
from app.services.nases import open_secrets

_JUST_NOW: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Spot:
    """A NAS at its site. `free_plan` is the free tap, None if the site has none."""

    nas: Nas
    site: Site
    free_plan: Plan | None
    secrets: NasSecrets = field(repr=False)


def find_spot(database: Database, keyring: Keyring, name: str) -> Spot | None:
    """Return the spot of a NAS; None if there is no NAS of that name."""
    with database.read() as connection:
        return _spot(connection, keyring, nases.by_name(connection, spelled(name)))


def spot_of(database: Database, keyring: Keyring, nas_id: str) -> Spot | None:
    """Return the spot of a NAS; None if there is none of that id any more."""
    with database.read() as connection:
        return _spot(connection, keyring, nases.by_id(connection, nas_id))


def offered_at(database: Database, spot: Spot, *, zone: ZoneInfo, now: datetime) -> Plan | None:
    """Return what the free tap gives a newcomer at this spot at this hour; None if the site has none."""
    if spot.free_plan is None:
        return None
    with database.read() as connection:
        if not overlays.says_otherwise(connection, spot.site.id, spot.free_plan.id):
            return spot.free_plan
        rules = read_rules(connection, zone)
    policy = rules.policy(spot.free_plan.id, None, spot.site.id, now)
    return replace(policy.plan, quotas=tuple(effective.quota for effective in policy.quotas))


def nas_at(database: Database, address: IPv4Address | IPv6Address) -> Nas | None:
    """Return the one NAS from whose address a phone comes to us; None if there is none, or more than one."""
    with database.read() as connection:
        found = [nas for nas in nases.read_all(connection) if address in nas.address]
    return found[0] if len(found) == 1 else None


def refusal_at(database: Database, nas: Nas, mac: str, *, now: datetime) -> DenialReason | None:
    """Return why a node has just refused this device at this NAS; None if nothing is known of it (yet)."""
    with database.read() as connection:
        reason = online.last_refusal(connection, nas.id, mac, since=now - _JUST_NOW)
    return None if reason is None else next((known for known in DenialReason if known == reason), None)


def _spot(connection: Connection, keyring: Keyring, nas: Nas | None) -> Spot | None:
    if nas is None:
        return None
    site = sites.by_id(connection, nas.site_id)
    assert site is not None, "a NAS stands at a site"
    sealed = nases.secrets(connection, nas.id)[nas.id]
    free = None if site.guest_plan_id is None else plans.by_id(connection)[site.guest_plan_id]
    return Spot(nas, site, free, open_secrets(keyring, nas.id, sealed))
