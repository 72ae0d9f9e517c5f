"""Calendars in the database: days that windows of schedules ask for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, insert, select

from app.db.chunks import chunks
from app.db.tables.plans import calendar_days, calendars


@dataclass(frozen=True, slots=True)
class KnownCalendar:
    """A calendar and how far it reaches; without days `first` and `last` are None."""

    id: str
    name: str
    days: int
    first: date | None
    last: date | None


def read_all(connection: Connection) -> list[KnownCalendar]:
    """Return every calendar by name."""
    query = (
        select(
            calendars.c.id,
            calendars.c.name,
            func.count(calendar_days.c.day).label("days"),
            func.min(calendar_days.c.day).label("first"),
            func.max(calendar_days.c.day).label("last"),
        )
        .outerjoin_from(calendars, calendar_days, calendar_days.c.calendar_id == calendars.c.id)
        .group_by(calendars.c.id, calendars.c.name)
        .order_by(calendars.c.name)
    )
    return [KnownCalendar(*row) for row in connection.execute(query)]


def days_by_name(connection: Connection, names: Collection[str]) -> dict[str, frozenset[date]]:
    """Return the days of some calendars, by their names."""
    found: dict[str, set[date]] = {}
    for some in chunks(names):
        query = (
            select(calendars.c.name, calendar_days.c.day)
            .join(calendar_days, calendar_days.c.calendar_id == calendars.c.id)
            .where(calendars.c.name.in_(some))
        )
        for name, day in connection.execute(query):
            found.setdefault(name, set()).add(day)
    return {name: frozenset(days) for name, days in found.items()}


def days_of(connection: Connection, calendar_id: str) -> dict[date, str]:
    """Return the days of a calendar in order, and what each is."""
    query = select(calendar_days.c.day, calendar_days.c.summary).where(calendar_days.c.calendar_id == calendar_id)
    return {row.day: row.summary for row in connection.execute(query.order_by(calendar_days.c.day))}


def add(connection: Connection, calendar_id: str, name: str, *, now: datetime) -> None:
    """Store a new calendar."""
    connection.execute(insert(calendars).values(id=calendar_id, name=name, created_at=now))


def replace_days(connection: Connection, calendar_id: str, days: Mapping[date, str]) -> None:
    """Set the days of a calendar, whatever they were."""
    connection.execute(delete(calendar_days).where(calendar_days.c.calendar_id == calendar_id))
    rows = [{"calendar_id": calendar_id, "day": day, "summary": summary} for day, summary in sorted(days.items())]
    for some in chunks(rows):
        connection.execute(insert(calendar_days), list(some))


def remove(connection: Connection, calendar_id: str) -> None:
    """Remove a calendar and its days."""
    connection.execute(delete(calendar_days).where(calendar_days.c.calendar_id == calendar_id))
    connection.execute(delete(calendars).where(calendars.c.id == calendar_id))
