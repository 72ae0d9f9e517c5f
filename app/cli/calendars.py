"""`pesisir calendar`: days that the windows of schedules ask for, such as holidays."""

import os
from typing import Annotated

import typer

from app.cli.failures import Failure
from app.cli.installation import now, open_installation
from app.cli.noun import example, noun
from app.cli.options import Name, read_octets
from app.cli.output import Json, Yes, confirm, many, say, show_json, show_table

commands = noun("calendar", "Days that schedules ask for: holidays, school terms.")

File = Annotated[str, typer.Argument(metavar="FILE.ics", help="An iCalendar file; - is standard input.")]
CalendarName = Annotated[str, typer.Option("--name", metavar="NAME", help="What windows call it.")]


@commands.command("import", epilog=example("pesisir calendar import libur-2027.ics --name 'Libur nasional'"))
def import_(file: File, name: CalendarName) -> None:
    """Take the days of an iCalendar file; those that the calendar had before are replaced."""
    from app.services.calendars import import_calendar

    try:
        text = read_octets(file).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"cannot read {file}", why="it is not text in UTF-8") from error
    with open_installation() as here:
        done = import_calendar(here.database, name, text, zone=here.zone, now=now(), chance=os.urandom)
    say(f"calendar {name}: {many(done.added, 'new day')}, {done.kept} as before, {done.removed} gone")


@commands.command("list", epilog=example("pesisir calendar list"))
def list_(as_json: Json = False) -> None:
    """List every calendar."""
    from app.services.calendars import list_calendars

    with open_installation() as here:
        known = list_calendars(here.database)
    if as_json:
        show_json(
            [
                {
                    "name": one.name,
                    "days": one.days,
                    "first": None if one.first is None else one.first.isoformat(),
                    "last": None if one.last is None else one.last.isoformat(),
                }
                for one in known
            ]
        )
    else:
        show_table(("name", "days", "first", "last"), [(one.name, one.days, one.first, one.last) for one in known])


@commands.command(epilog=example("pesisir calendar show 'Libur nasional'"))
def show(name: Name, as_json: Json = False) -> None:
    """Show the days of a calendar."""
    from app.services.calendars import days_of_calendar

    with open_installation() as here:
        days = days_of_calendar(here.database, name)
    if as_json:
        show_json([{"day": day.isoformat(), "summary": summary} for day, summary in days.items()])
    else:
        show_table(("day", "what"), list(days.items()))


@commands.command(epilog=example("pesisir calendar remove 'Libur nasional' --yes"))
def remove(name: Name, yes: Yes = False) -> None:
    """Remove a calendar that no window names."""
    from app.services.calendars import days_of_calendar, remove_calendar

    with open_installation() as here:
        days = days_of_calendar(here.database, name)
        confirm(f"Remove the calendar {name} with {many(len(days), 'day')}?", yes=yes)
        remove_calendar(here.database, name)
    say(f"removed calendar {name}")
