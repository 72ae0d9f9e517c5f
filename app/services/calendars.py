"""Calendars that windows of schedules ask for: imported whole, listed, removed while nothing names them."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.db import calendars, feed, sessions, windows
from app.db.calendars import KnownCalendar
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.icalendar import IcalendarError, read_days
from app.domain.keys import Chance, draw_id
from app.domain.text import spelled
from app.services import fields
from app.services.changes import reconsider_sessions
from app.services.errors import Conflict, Invalid, NotFound

__all__ = ["KnownCalendar"]


class Imported(NamedTuple):
    """What an import has changed: days that came, days that went, days that stayed."""

    added: int
    removed: int
    kept: int


def import_calendar(
    database: Database, name: str, text: str, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> Imported:
    """Set the days of a calendar from an iCalendar file; raise Invalid with the line that cannot be read."""
    name = fields.label("name", name)
    try:
        days = read_days(text)
    except IcalendarError as error:
        raise Invalid("file", str(error)) from error
    if not days:
        raise Invalid("file", "holds no day")
    with database.write() as connection:
        known = _find(connection, name)
        calendar_id = draw_id(chance) if known is None else known.id
        if known is None:
            calendars.add(connection, calendar_id, name, now=now)
        before = calendars.days_of(connection, calendar_id).keys()
        calendars.replace_days(connection, calendar_id, days)
        if name in windows.calendars_named(connection):
            _announce(connection, zone=zone, now=now, chance=chance)
        return Imported(len(days.keys() - before), len(before - days.keys()), len(days.keys() & before))


def list_calendars(database: Database) -> list[KnownCalendar]:
    """Return every calendar by name."""
    with database.read() as connection:
        return calendars.read_all(connection)


def days_of_calendar(database: Database, name: str) -> dict[date, str]:
    """Return the days of a calendar in order, and what each is; raise NotFound."""
    with database.read() as connection:
        return calendars.days_of(connection, stored_calendar(connection, name).id)


def remove_calendar(database: Database, name: str) -> None:
    """Remove a calendar that no window names; raise NotFound, Conflict."""
    with database.write() as connection:
        known = stored_calendar(connection, name)
        if known.name in windows.calendars_named(connection):
            raise Conflict("calendar", known.name, "is named by a window of a schedule")
        calendars.remove(connection, known.id)


def stored_calendar(connection: Connection, name: str) -> KnownCalendar:
    """Return a calendar within a transaction; raise NotFound."""
    known = _find(connection, spelled(name))
    if known is None:
        raise NotFound("calendar", name)
    return known


def _find(connection: Connection, name: str) -> KnownCalendar | None:
    return next((known for known in calendars.read_all(connection) if known.name == name), None)


def _announce(connection: Connection, *, zone: ZoneInfo, now: datetime, chance: Chance) -> None:
    """Tell the nodes, and ask anew about everybody who is online: what a calendar moves may be any plan's hours."""
    feed.append(connection, now=now, items={FeedKind.PLAN: []})
    reconsider_sessions(connection, sessions.accounts_online(connection), zone=zone, now=now, chance=chance)
