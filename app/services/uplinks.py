"""What an admin does with uplinks: one function, one transaction each. More than a line carries is never promised."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict, Unpack

from app.db import uplinks
from app.db.engine import Connection, Database
from app.domain.keys import Chance, draw_id
from app.domain.service_classes import ServiceClass
from app.domain.text import spelled
from app.domain.units import format_rate
from app.domain.uplinks import (
    GovernorMode,
    Network,
    Shares,
    SiteLine,
    SiteNetwork,
    Uplink,
    Way,
    overbooked,
    overlapping,
    sites_of,
)
from app.services import fields
from app.services.errors import Conflict, Invalid, NotFound

LEAST_BPS: Final = 64_000
GREATEST_BPS: Final = 100_000_000_000
LARGEST_WEIGHT: Final = 100
_LARGEST_DSCP: Final = 63
_NETWORK: Final = "a network such as 10.9.1.0/24"
_INTERFACE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}\Z")  # the kernel's limit; safe in any script


class UplinkValues(TypedDict, total=False):
    """What an uplink has; what is left out keeps its value."""

    down_bps: int
    up_bps: int
    interface: str | None  # of its head, towards the sites
    governor: GovernorMode


class ClassValues(TypedDict, total=False):
    """What an uplink gives a class; what is left out keeps its value (at first: no floor, no ceiling, weight 1)."""

    floor_bps: int
    ceiling_bps: int | None
    up_floor_bps: int | None  # None: the same part of the line as down
    up_ceiling_bps: int | None
    weight: int
    dscp: int | None  # public services only, as are the networks
    networks: Sequence[str]


class LineValues(TypedDict, total=False):
    """How a site hangs on its uplink; what is left out keeps its value."""

    uplink: str | None  # by name; None: the only one
    devices: int | None
    networks: Sequence[str]  # [CLASS=]CIDR


@dataclass(frozen=True, slots=True)
class UplinkView:
    """An uplink, the sites that hang on it by name, and what was moved since it was configured."""

    uplink: Uplink
    sites: Sequence[SiteLine]
    shares: Shares


def add_uplink(
    database: Database, name: str, *, now: datetime, chance: Chance, **values: Unpack[UplinkValues]
) -> Uplink:
    """Make an uplink; raise Conflict, Invalid. Sites on what was the only uplink stay there, by name from now on."""
    name = fields.label("name", name)
    columns = _columns(values)
    with database.write() as connection:
        before = uplinks.read_all(connection)
        if any(one.name == name for one in before):
            raise Conflict("uplink", name)
        if len(before) == 1:
            unnamed = [line.site_id for line in uplinks.read_lines(connection) if line.uplink_id is None]
            uplinks.pin(connection, before[0].id, unnamed)
        uplinks.add(connection, draw_id(chance), name, columns, now=now)
        return _stored(connection, name)


def list_uplinks(database: Database) -> list[UplinkView]:
    """Return every uplink by name."""
    with database.read() as connection:
        found, lines = uplinks.read_all(connection), uplinks.read_lines(connection)
        return [_view(connection, uplink, lines, only=len(found) == 1) for uplink in found]


def show_uplink(database: Database, name: str) -> UplinkView:
    """Return one uplink; raise NotFound."""
    with database.read() as connection:
        return _shown(connection, name)


def set_uplink(database: Database, name: str, **values: Unpack[UplinkValues]) -> Uplink:
    """Change an uplink; raise NotFound, Invalid, Conflict (more is promised than it would carry)."""
    columns = _columns(values)
    with database.write() as connection:
        uplink = _locked(connection, name)
        uplinks.change(connection, uplink.id, columns)
        return _kept(connection, name)


def set_class(database: Database, name: str, service_class: ServiceClass, **values: Unpack[ClassValues]) -> Uplink:
    """Change what an uplink gives a class; raise NotFound, Invalid, Conflict (more is promised than it carries)."""
    columns, networks = _class_columns(service_class, values)
    with database.write() as connection:
        uplink = _locked(connection, name)
        uplinks.change_class(connection, uplink.id, service_class, columns)
        if networks is not None:
            uplinks.replace_addresses(connection, uplink.id, networks)
        return _kept(connection, name)


def remove_uplink(database: Database, name: str) -> None:
    """Remove an uplink; raise NotFound, Conflict (sites hang on it, and there is another)."""
    with database.write() as connection:
        view = _shown(connection, name)
        others = [one for one in uplinks.read_all(connection) if one.id != view.uplink.id]
        if view.sites and others:
            first, more = view.sites[0].name, len(view.sites) - 1
            named = f"{first!r} and {more} more" if more else repr(first)
            raise Conflict("uplink", view.uplink.name, f"has {named} on it: pesisir site set SITE --uplink OTHER first")
        uplinks.remove(connection, view.uplink.id)


def move_shares(
    database: Database,
    name: str,
    *,
    floors: Mapping[ServiceClass, int | None] | None = None,
    site_ceilings: Mapping[str, int | None] | None = None,
) -> UplinkView:
    """Move floors of classes and ceilings of sites (by id) away from what is configured, or back to it by None.

    Raise NotFound, Conflict (more would be promised than the line carries).
    """
    with database.write() as connection:
        uplink = _locked(connection, name)
        uplinks.move(connection, uplink.id, floors or {}, site_ceilings or {})
        view = _shown(connection, name)
        moved = view.shares.moved_floors(uplink)
        _refuse_if_too_much(uplink, sum(moved.values()), Way.DOWN)
        return view


def site_lines(database: Database) -> dict[str, SiteLine]:
    """Return how each site hangs on its uplink, by the site's id."""
    with database.read() as connection:
        return {line.site_id: line for line in uplinks.read_lines(connection)}


def change_line(connection: Connection, site_id: str, values: LineValues) -> None:
    """Change how a site hangs on its uplink, within a transaction; raise NotFound, Invalid, Conflict (addresses)."""
    columns: dict[str, object] = {}
    if "uplink" in values:
        name = values["uplink"]
        columns["uplink_id"] = None if name is None else _stored(connection, name).id
    if "devices" in values:
        columns["devices"] = fields.amount("devices", values["devices"], greatest=10_000)
    uplinks.change_line(connection, site_id, columns)
    if "networks" in values:
        uplinks.replace_networks(connection, site_id, [_site_network(text) for text in values["networks"]])
    _refuse_overlaps(connection)


def _refuse_overlaps(connection: Connection) -> None:
    """Raise Conflict where two sites on one uplink claim the same addresses: its head could not tell them apart."""
    found, lines = uplinks.read_all(connection), uplinks.read_lines(connection)
    for uplink in found:
        clash = overlapping(sites_of(uplink, lines, only=len(found) == 1))
        if clash is not None:
            one, other, network = clash
            raise Conflict("site", other.name, f"shares {network} with site {one.name!r} on uplink {uplink.name!r}")


def _stored(connection: Connection, name: str) -> Uplink:
    wanted = spelled(name)
    for uplink in uplinks.read_all(connection):
        if uplink.name == wanted:
            return uplink
    raise NotFound("uplink", name)


def _locked(connection: Connection, name: str) -> Uplink:
    """Return an uplink that nobody else changes until this transaction ends."""
    uplinks.lock(connection, _stored(connection, name).id)
    return _stored(connection, name)


def _kept(connection: Connection, name: str) -> Uplink:
    """Return an uplink as it was changed, all floors as configured; raise Invalid, Conflict (too much is promised)."""
    uplink = _stored(connection, name)
    for way in Way:
        for one in ServiceClass:
            floor, ceiling = uplink.floor_bps(one, way), uplink.ceiling_bps(one, way)
            if floor > ceiling:
                least = f"{format_rate(floor)} is above the ceiling of {one} {way}, {format_rate(ceiling)}"
                raise Invalid("floor", least)
    uplinks.forget_floors(connection, uplink.id)
    too_much = overbooked(uplink)
    if too_much is not None:
        _refuse_if_too_much(uplink, too_much.promised_bps, too_much.way)
    return uplink


def _refuse_if_too_much(uplink: Uplink, promised_bps: int, way: Way) -> None:
    excess = promised_bps - uplink.capacity_bps(way)
    if excess > 0:
        raise Conflict(
            "uplink",
            uplink.name,
            f"would guarantee {format_rate(promised_bps)} {way.value}: that is {format_rate(excess)} more than"
            f" the {format_rate(uplink.capacity_bps(way))} it carries",
        )


def _shown(connection: Connection, name: str) -> UplinkView:
    only = len(uplinks.read_all(connection)) == 1
    return _view(connection, _stored(connection, name), uplinks.read_lines(connection), only=only)


def _view(connection: Connection, uplink: Uplink, lines: Sequence[SiteLine], *, only: bool) -> UplinkView:
    sites = sites_of(uplink, lines, only=only)
    shares = uplinks.read_shares(connection, uplink.id)
    ours = {line.site_id for line in sites}
    ceilings = {site_id: bps for site_id, bps in shares.site_ceilings.items() if site_id in ours}
    return UplinkView(uplink, sites, Shares(shares.floors, ceilings))


def _columns(values: UplinkValues) -> dict[str, object]:
    columns: dict[str, object] = {}
    if "down_bps" in values:
        columns["down_bps"] = fields.amount("down", values["down_bps"], least=LEAST_BPS, greatest=GREATEST_BPS)
    if "up_bps" in values:
        columns["up_bps"] = fields.amount("up", values["up_bps"], least=LEAST_BPS, greatest=GREATEST_BPS)
    if "interface" in values:
        columns["interface"] = interface(values["interface"])
    if "governor" in values:
        columns["governor"] = values["governor"].value
    return columns


def interface(name: str | None) -> str | None:
    """Return the name of a network interface; raise Invalid."""
    if name is not None and _INTERFACE.match(name) is None:
        raise Invalid("interface", f"{name!r} is not the name of a network interface such as eth1 or br-lan")
    return name


def _class_columns(
    service_class: ServiceClass, values: ClassValues
) -> tuple[dict[str, object], Sequence[Network] | None]:
    columns: dict[str, object] = {}
    for field, flag in (("floor_bps", "floor"), ("up_floor_bps", "up floor")):
        if field in values:
            columns[field] = fields.amount(flag, values[field], least=0, greatest=GREATEST_BPS)  # type: ignore[literal-required] # mypy wants each name written out
    for field, flag in (("ceiling_bps", "ceiling"), ("up_ceiling_bps", "up ceiling")):
        if field in values:
            columns[field] = fields.amount(flag, values[field], least=LEAST_BPS, greatest=GREATEST_BPS)  # type: ignore[literal-required] # the same
    if "weight" in values:
        columns["weight"] = fields.amount("weight", values["weight"], greatest=LARGEST_WEIGHT)
    by_address = {"dscp", "networks"} & set(values)
    if by_address and service_class is not ServiceClass.PUBLIC_SERVICE:
        raise Invalid("class", f"{service_class} is told by the networks of its sites: pesisir site set SITE --network")
    if "dscp" in values:
        columns["dscp"] = fields.amount("dscp", values["dscp"], greatest=_LARGEST_DSCP)
    networks = (
        [fields.network("address", text, _NETWORK) for text in values["networks"]] if "networks" in values else None
    )
    return columns, networks


def _site_network(text: str) -> SiteNetwork:
    word, equals, cidr = text.rpartition("=")
    if not equals:
        return SiteNetwork(fields.network("network", cidr, _NETWORK))
    try:
        service_class = ServiceClass(word.strip())
    except ValueError as error:
        raise Invalid("network", f"{text!r} names no class: {', '.join(ServiceClass)}") from error
    return SiteNetwork(fields.network("network", cidr, _NETWORK), service_class)
