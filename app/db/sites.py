"""Sites in the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.db.tables.sites import sites
from app.domain.nases import Site


def read_all(connection: Connection) -> list[Site]:
    """Return every site by name."""
    return [_site(row) for row in connection.execute(select(sites).order_by(sites.c.name))]


def by_name(connection: Connection, name: str) -> Site | None:
    """Return one site; None if there is none of that name."""
    row = connection.execute(select(sites).where(sites.c.name == name)).one_or_none()
    return None if row is None else _site(row)


def by_id(connection: Connection, site_id: str) -> Site | None:
    """Return one site; None if there is none of that id."""
    row = connection.execute(select(sites).where(sites.c.id == site_id)).one_or_none()
    return None if row is None else _site(row)


def add(
    connection: Connection, site_id: str, name: str, values: Mapping[str, int | str | None], *, now: datetime
) -> None:
    """Store a new site; `values` are columns."""
    connection.execute(insert(sites).values(id=site_id, name=name, created_at=now, **values))


def change(connection: Connection, site_id: str, values: Mapping[str, int | str | None]) -> None:
    """Change columns of a site."""
    if values:
        connection.execute(update(sites).where(sites.c.id == site_id).values(**values))


def _site(row: Row[Any]) -> Site:
    return Site(
        id=row.id,
        name=row.name,
        capacity_bps=row.capacity_bps,
        guest_plan_id=row.guest_plan_id,
        interim_seconds=row.interim_seconds,
    )
