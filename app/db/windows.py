"""Windows of schedules in the database: of plans, and at sites. The hours are JSON, read by their own names."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, union

from app.db.tables.plans import plan_windows
from app.db.tables.sites import site_windows
from app.domain.schedules import Window


def of_plans(connection: Connection) -> dict[str, tuple[Window, ...]]:
    """Return the windows of plans, by plan id; a plan without windows is left out."""
    found: dict[str, tuple[Window, ...]] = {}
    for row in connection.execute(select(plan_windows).order_by(plan_windows.c.plan_id, plan_windows.c.name)):
        found[row.plan_id] = (*found.get(row.plan_id, ()), window_of(row.name, json.loads(row.hours)))
    return found


def of_sites(connection: Connection) -> dict[tuple[str, str], tuple[Window, ...]]:
    """Return the windows at sites, by (site id, plan id); the plan id is "" for every plan."""
    found: dict[tuple[str, str], tuple[Window, ...]] = {}
    order = (site_windows.c.site_id, site_windows.c.plan_id, site_windows.c.name)
    for row in connection.execute(select(site_windows).order_by(*order)):
        key = row.site_id, row.plan_id
        found[key] = (*found.get(key, ()), window_of(row.name, json.loads(row.hours)))
    return found


def put_of_plan(connection: Connection, plan_id: str, window: Window) -> None:
    """Set a window of a plan, whatever it was."""
    _put(connection, plan_windows, {"plan_id": plan_id}, window)


def put_at_site(connection: Connection, site_id: str, plan_id: str, window: Window) -> None:
    """Set a window at a site, whatever it was."""
    _put(connection, site_windows, {"site_id": site_id, "plan_id": plan_id}, window)


def remove_of_plan(connection: Connection, plan_id: str, name: str) -> bool:
    """Remove a window of a plan; False if there is none of that name."""
    return _remove(connection, plan_windows, {"plan_id": plan_id}, name)


def remove_at_site(connection: Connection, site_id: str, plan_id: str, name: str) -> bool:
    """Remove a window at a site; False if there is none of that name."""
    return _remove(connection, site_windows, {"site_id": site_id, "plan_id": plan_id}, name)


def calendars_named(connection: Connection) -> set[str]:
    """Return the names of the calendars that any window asks for."""
    written = connection.scalars(union(select(plan_windows.c.hours), select(site_windows.c.hours)))
    hours = [json.loads(each) for each in written]
    return {name for each in hours for name in (each["only_on"], each["not_on"]) if name is not None}


def hours_of(window: Window) -> dict[str, Any]:
    """Return a window without its name, as JSON holds it."""
    return {field: value for field, value in asdict(window).items() if field != "name"}


def window_of(name: str, hours: Mapping[str, Any]) -> Window:
    """Return a window from how JSON holds it."""
    lists: Iterable[tuple[str, Any]] = (("days", tuple(hours["days"])), ("rates", tuple(map(tuple, hours["rates"]))))
    return Window(name, **dict(hours) | dict(lists))


def _put(connection: Connection, table: Table, key: Mapping[str, str], window: Window) -> None:
    _remove(connection, table, key, window.name)
    connection.execute(insert(table).values(**key, name=window.name, hours=json.dumps(hours_of(window))))


def _remove(connection: Connection, table: Table, key: Mapping[str, str], name: str) -> bool:
    query = delete(table).where(table.c.name == name, *(table.c[column] == value for column, value in key.items()))
    return connection.execute(query).rowcount == 1
