"""Uplinks in the database, and how sites hang on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.db.tables.sites import sites
from app.db.tables.uplinks import (
    governor_moves,
    governor_rounds,
    site_lines,
    site_networks,
    uplink_addresses,
    uplink_classes,
    uplinks,
)
from app.db.upsert import upsert
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import ClassTerms, GovernorMode, Network, Shares, SiteLine, SiteNetwork, Uplink


def read_all(connection: Connection) -> list[Uplink]:
    """Return every uplink by name."""
    addresses: dict[str, list[Network]] = defaultdict(list)
    for row in connection.execute(select(uplink_addresses).order_by(uplink_addresses.c.network)):
        addresses[row.uplink_id].append(ip_network(row.network))
    terms: dict[str, dict[ServiceClass, ClassTerms]] = defaultdict(dict)
    for row in connection.execute(select(uplink_classes)):
        one = _terms(row, addresses[row.uplink_id])
        terms[row.uplink_id][one.service_class] = one
    return [
        Uplink(row.id, row.name, row.down_bps, row.up_bps, row.interface, terms[row.id], GovernorMode(row.governor))
        for row in connection.execute(select(uplinks).order_by(uplinks.c.name))
    ]


def lock(connection: Connection, uplink_id: str) -> None:
    """Wait until no other transaction changes what an uplink promises (SQLite has one writer at a time anyway)."""
    connection.execute(select(uplinks.c.id).where(uplinks.c.id == uplink_id).with_for_update())


def add(connection: Connection, uplink_id: str, name: str, values: Mapping[str, object], *, now: datetime) -> None:
    """Store a new uplink; `values` are columns."""
    connection.execute(insert(uplinks).values(id=uplink_id, name=name, created_at=now, **values))


def change(connection: Connection, uplink_id: str, values: Mapping[str, object]) -> None:
    """Change columns of an uplink."""
    if values:
        connection.execute(update(uplinks).where(uplinks.c.id == uplink_id).values(**values))


def remove(connection: Connection, uplink_id: str) -> None:
    """Remove an uplink and its classes; sites that were on it are on the only one that is left, if any."""
    connection.execute(update(site_lines).where(site_lines.c.uplink_id == uplink_id).values(uplink_id=None))
    for table in (uplink_classes, uplink_addresses, governor_rounds, governor_moves):
        connection.execute(delete(table).where(table.c.uplink_id == uplink_id))
    connection.execute(delete(uplinks).where(uplinks.c.id == uplink_id))


def change_class(
    connection: Connection, uplink_id: str, service_class: ServiceClass, values: Mapping[str, object]
) -> None:
    """Change columns of a class of an uplink; the rest keeps its value, or its default."""
    row = {"uplink_id": uplink_id, "service_class": service_class.value, **values}
    wish = upsert(connection, uplink_classes).values(row)
    if values:
        wish = wish.on_conflict_do_update(index_elements=["uplink_id", "service_class"], set_=dict(values))
    else:
        wish = wish.on_conflict_do_nothing(index_elements=["uplink_id", "service_class"])
    connection.execute(wish)


def replace_addresses(connection: Connection, uplink_id: str, networks: Iterable[Network]) -> None:
    """Set the addresses of the public services of an uplink."""
    connection.execute(delete(uplink_addresses).where(uplink_addresses.c.uplink_id == uplink_id))
    rows = [{"uplink_id": uplink_id, "network": str(network)} for network in networks]
    if rows:
        connection.execute(insert(uplink_addresses), rows)


# ---- sites


def read_lines(connection: Connection) -> list[SiteLine]:
    """Return how every site hangs on its uplink, by name of the site."""
    networks: dict[str, list[SiteNetwork]] = defaultdict(list)
    for row in connection.execute(select(site_networks).order_by(site_networks.c.network)):
        networks[row.site_id].append(SiteNetwork(ip_network(row.network), ServiceClass(row.service_class)))
    found = select(
        sites.c.id, sites.c.name, sites.c.capacity_bps, site_lines.c.devices, site_lines.c.uplink_id
    ).outerjoin(site_lines, site_lines.c.site_id == sites.c.id)
    return [
        SiteLine(row.id, row.name, row.capacity_bps, row.devices, row.uplink_id, tuple(networks[row.id]))
        for row in connection.execute(found.order_by(sites.c.name))
    ]


def change_line(connection: Connection, site_id: str, values: Mapping[str, object]) -> None:
    """Change columns of how a site hangs on its uplink."""
    if values:
        wish = upsert(connection, site_lines).values(site_id=site_id, **values)
        connection.execute(wish.on_conflict_do_update(index_elements=["site_id"], set_=dict(values)))


def replace_networks(connection: Connection, site_id: str, networks: Iterable[SiteNetwork]) -> None:
    """Set the addresses of a site."""
    connection.execute(delete(site_networks).where(site_networks.c.site_id == site_id))
    rows = [
        {"site_id": site_id, "network": str(one.network), "service_class": one.service_class.value} for one in networks
    ]
    if rows:
        connection.execute(insert(site_networks), rows)


def pin(connection: Connection, uplink_id: str, site_ids: Iterable[str]) -> None:
    """Hang sites on an uplink by name, because soon it is not the only one."""
    for site_id in site_ids:
        change_line(connection, site_id, {"uplink_id": uplink_id})


# ---- what moves


def read_shares(connection: Connection, uplink_id: str) -> Shares:
    """Return what was moved of an uplink's classes, and of every site."""
    floors = select(uplink_classes.c.service_class, uplink_classes.c.governed_floor_bps).where(
        uplink_classes.c.uplink_id == uplink_id, uplink_classes.c.governed_floor_bps.is_not(None)
    )
    ceilings = select(site_lines.c.site_id, site_lines.c.governed_ceiling_bps).where(
        site_lines.c.governed_ceiling_bps.is_not(None)
    )
    return Shares(
        floors={ServiceClass(name): bps for name, bps in connection.execute(floors)},
        site_ceilings={site_id: bps for site_id, bps in connection.execute(ceilings)},  # noqa: C416 rows are no pairs to mypy
    )


def move(
    connection: Connection,
    uplink_id: str,
    floors: Mapping[ServiceClass, int | None],
    site_ceilings: Mapping[str, int | None],
) -> None:
    """Store what was moved; None: as configured again."""
    for service_class, bps in floors.items():
        change_class(connection, uplink_id, service_class, {"governed_floor_bps": bps})
    for site_id, bps in site_ceilings.items():
        change_line(connection, site_id, {"governed_ceiling_bps": bps})


def forget_floors(connection: Connection, uplink_id: str) -> None:
    """Put every floor of an uplink back to what is configured."""
    query = update(uplink_classes).where(uplink_classes.c.uplink_id == uplink_id)
    connection.execute(query.values(governed_floor_bps=None))


def _terms(row: Row[Any], addresses: Iterable[Network]) -> ClassTerms:
    service_class = ServiceClass(row.service_class)
    return ClassTerms(
        service_class,
        floor_bps=row.floor_bps,
        ceiling_bps=row.ceiling_bps,
        up_floor_bps=row.up_floor_bps,
        up_ceiling_bps=row.up_ceiling_bps,
        weight=row.weight,
        dscp=row.dscp,
        networks=tuple(addresses) if service_class is ServiceClass.PUBLIC_SERVICE else (),
    )
