"""Sites and routers."""

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_network

from app.domain.nases import Demand, Direction, Family, Nas, NasSecrets, Site
from app.node.nases import KnownNas, known_nas, secrets_of
from app.node.stored.rows.values import Row, moment_of, text_of


def site_row(site: Site) -> Row:
    """Write a site, in the order of its fields."""
    return [site.id, site.name, site.capacity_bps, site.guest_plan_id, site.interim_seconds]


def nas_row(known: KnownNas) -> Row:
    """Write a router with its secrets in clear: the file is sealed."""
    nas, secrets = known.nas, secrets_of(known)
    return [
        nas.id,
        nas.name,
        nas.site_id,
        nas.family.value,
        str(nas.address),
        nas.identifier,
        nas.login_address,
        nas.require_message_authenticator.value,
        nas.limit_proxy_state.value,
        nas.learned_message_authenticator,
        nas.direction.value,
        nas.coa_port,
        nas.coa_address,
        nas.status_server,
        nas.strict_identity,
        nas.debug_answers,
        nas.mac_login,
        secrets.radius,
        secrets.mac,
        secrets.old_radius,
        text_of(secrets.old_radius_until),
        known.accounts,
        known.deaf,
    ]


def read_nas(row: Row, sites: Mapping[str, Site], now: datetime) -> KnownNas:
    """Read a router; an old secret that has ended by `now` is left out."""
    *values, radius, mac, old_radius, old_until, accounts, deaf = row
    id_, name, site_id, family, address, identifier, login_address, sign, limit, learned, direction, *rest = values
    nas = Nas(
        id_,
        name,
        site_id,
        Family(family),
        ip_network(address),
        identifier,
        login_address,
        Demand(sign),
        Demand(limit),
        learned,
        Direction(direction),
        *rest,
    )
    secrets = NasSecrets(radius, "", mac, old_radius, moment_of(old_until))
    return known_nas(nas, sites[site_id], secrets, now=now, accounts=accounts, deaf=deaf)
