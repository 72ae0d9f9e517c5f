"""What an admin does with sites: one function, one transaction each."""

from datetime import datetime
from typing import Unpack

from app.db import feed, plans, sites
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance, draw_id
from app.domain.nases import Site
from app.domain.text import spelled
from app.services import fields
from app.services.errors import Conflict, NotFound
from app.services.uplinks import LineValues, change_line


class SiteValues(LineValues, total=False):
    """What a site has; what is left out keeps its value (a new site: no capacity, no free tap, 60 s)."""

    capacity_bps: int | None
    guest_plan: str | None  # a plan's name; None: no free tap
    interim_seconds: int


def add_site(database: Database, name: str, *, now: datetime, chance: Chance, **values: Unpack[SiteValues]) -> Site:
    """Make a site; raise Conflict, Invalid, NotFound (the plan or the uplink)."""
    name = fields.label("name", name)
    with database.write() as connection:
        if sites.by_name(connection, name) is not None:
            raise Conflict("site", name)
        site_id = draw_id(chance)
        sites.add(connection, site_id, name, _columns(connection, values), now=now)
        change_line(connection, site_id, values)
        feed.append(connection, now=now, items={FeedKind.SITE: [site_id]})
        return _stored(connection, name)


def list_sites(database: Database) -> list[Site]:
    """Return every site by name."""
    with database.read() as connection:
        return sites.read_all(connection)


def show_site(database: Database, name: str) -> Site:
    """Return one site; raise NotFound."""
    with database.read() as connection:
        return _stored(connection, name)


def set_site(database: Database, name: str, *, now: datetime, **values: Unpack[SiteValues]) -> Site:
    """Change a site; raise NotFound (the site, plan or uplink), Invalid, Conflict (addresses)."""
    with database.write() as connection:
        site = _stored(connection, name)
        sites.change(connection, site.id, _columns(connection, values))
        change_line(connection, site.id, values)
        feed.append(connection, now=now, items={FeedKind.SITE: [site.id]})
        return _stored(connection, name)


def _stored(connection: Connection, name: str) -> Site:
    site = sites.by_name(connection, spelled(name))
    if site is None:
        raise NotFound("site", name)
    return site


def _columns(connection: Connection, values: SiteValues) -> dict[str, int | str | None]:
    columns: dict[str, int | str | None] = {}
    if "capacity_bps" in values:
        columns["capacity_bps"] = fields.amount("capacity_bps", values["capacity_bps"], least=1_000)
    if "interim_seconds" in values:
        # RFC 2869 section 5.16: not below 60.
        columns["interim_seconds"] = fields.amount(
            "interim_seconds", values["interim_seconds"], least=60, greatest=86_400
        )
    if "guest_plan" in values:
        columns["guest_plan_id"] = _plan_id(connection, values["guest_plan"])
    return columns


def _plan_id(connection: Connection, name: str | None) -> str | None:
    if name is None:
        return None
    plan = plans.by_name(connection, spelled(name))
    if plan is None:
        raise NotFound("plan", name)
    return plan.id
