"""Windows of schedules: set on a plan or at a site, and removed. Open sessions are told at once."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from app.db import feed, plans, sessions, windows
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance
from app.domain.schedules import RATES, Window
from app.domain.text import spelled
from app.services import fields
from app.services.calendars import stored_calendar
from app.services.changes import reconsider_sessions
from app.services.errors import Invalid, NotFound
from app.services.overrides import Place, place_of
from app.services.plans import PlanValues, checked, stored_plan


def set_plan_window(
    database: Database, plan: str, window: Window, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> None:
    """Set a window of a plan, in place of one of that name; raise NotFound (plan, calendar), Invalid."""
    with database.write() as connection:
        plan_id = stored_plan(connection, plan).id
        windows.put_of_plan(connection, plan_id, _checked(connection, window))
        _announce_plan(connection, plan_id, zone=zone, now=now, chance=chance)


def remove_plan_window(
    database: Database, plan: str, name: str, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> None:
    """Remove a window of a plan; raise NotFound."""
    with database.write() as connection:
        plan_id = stored_plan(connection, plan).id
        if not windows.remove_of_plan(connection, plan_id, spelled(name)):
            raise NotFound("window", name)
        _announce_plan(connection, plan_id, zone=zone, now=now, chance=chance)


def set_site_window(
    database: Database,
    site: str,
    window: Window,
    *,
    plan: str | None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> None:
    """Set a window for those at a site, of every plan or of one; raise NotFound (site, plan, calendar), Invalid."""
    with database.write() as connection:
        place = place_of(connection, site, plan)
        windows.put_at_site(connection, *place, _checked(connection, window))
        _announce_site(connection, place, zone=zone, now=now, chance=chance)


def remove_site_window(
    database: Database,
    site: str,
    name: str,
    *,
    plan: str | None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> None:
    """Remove a window at a site; raise NotFound."""
    with database.write() as connection:
        place = place_of(connection, site, plan)
        if not windows.remove_at_site(connection, *place, spelled(name)):
            raise NotFound("window at site", name)
        _announce_site(connection, place, zone=zone, now=now, chance=chance)


def windows_at_sites(database: Database) -> dict[str, list[tuple[str | None, Window]]]:
    """Return the windows at sites, by site id: each with the name of the plan that it is for, None for every plan."""
    with database.read() as connection:
        names = {plan.id: plan.name for plan in plans.read_all(connection)}
        found: dict[str, list[tuple[str | None, Window]]] = {}
        for (site_id, plan_id), some in windows.of_sites(connection).items():
            found.setdefault(site_id, []).extend((names.get(plan_id), window) for window in some)
    return found


def rates_of(values: PlanValues) -> tuple[tuple[str, int | None], ...]:
    """Return what a window says of a plan's values; raise Invalid for one that is no rate."""
    found: list[tuple[str, int | None]] = []
    for field, value in sorted(checked(values).items()):
        if field not in RATES:
            raise Invalid(field, "is not changed by the hour")
        assert value is None or isinstance(value, int)
        found.append((field, value))
    return tuple(found)


def _checked(connection: Connection, window: Window) -> Window:
    window = replace(window, name=fields.label("name", window.name))
    if not window.days:
        raise Invalid("days", "none is named")
    if window.begins == window.ends:
        raise Invalid("to", "is when it begins: a whole day is 00:00 to 24:00")
    if not (window.closed or window.free or window.rates):
        raise Invalid("window", "changes nothing: name rates, or say that it is free or closed")
    if window.closed and (window.free or window.rates):
        raise Invalid("window", "is closed: nobody is online whom anything else could be told")
    if window.only_on is not None and window.not_on is not None and spelled(window.only_on) == spelled(window.not_on):
        raise Invalid("window", "never opens: it is only on, and not on, the days of one calendar")
    for name in (window.only_on, window.not_on):
        if name is not None:
            stored_calendar(connection, name)
    return window


def _announce_plan(connection: Connection, plan_id: str, *, zone: ZoneInfo, now: datetime, chance: Chance) -> None:
    feed.append(connection, now=now, items={FeedKind.PLAN: [plan_id]})
    reconsider_sessions(connection, sessions.accounts_of_plan(connection, plan_id), zone=zone, now=now, chance=chance)


def _announce_site(connection: Connection, place: Place, *, zone: ZoneInfo, now: datetime, chance: Chance) -> None:
    feed.append(connection, now=now, items={FeedKind.SITE: [place.site_id]})
    reconsider_sessions(connection, sessions.accounts_at(connection, *place), zone=zone, now=now, chance=chance)
