"""The rules by which policies are worked out, read in one transaction."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from app.db import calendars, overlays, plans, windows
from app.domain.policies import Rules


def read_rules(connection: Connection, zone: ZoneInfo | None) -> Rules:
    """Return plans, what sites lay over them, and the calendars that windows ask for.

    Without a zone they are for no hour and no site: the plans, and what people have of their own.
    """
    if zone is None:
        return Rules(plans.by_id(connection))
    named = windows.calendars_named(connection)
    days = calendars.days_by_name(connection, named) if named else {}
    return Rules(plans.by_id(connection), overlays.of_sites(connection), days, zone)
