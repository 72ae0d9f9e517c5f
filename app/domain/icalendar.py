"""The days of an iCalendar file (RFC 5545), for calendars of holidays: whole days, each given by its own date.

A strict reader of little: VEVENT with DTSTART and DTEND or DURATION as dates. What would need more (a time of the day,
a rule of recurrence) is refused by its line, so that no holiday is silently missed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

LONGEST_DAYS: Final = 366
SUMMARY_LENGTH: Final = 200
_REFUSED: Final = ("RRULE", "RDATE", "EXDATE", "EXRULE")
_LINE: Final = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)\Z')
_DURATION: Final = re.compile(r"\+?P(?:([0-9]{1,3})W|([0-9]{1,3})D)\Z")
_NO_CALENDAR: Final = "is no iCalendar file: it does not begin with BEGIN:VCALENDAR"
_ESCAPED: Final = {"n": " ", "N": " "}


class IcalendarError(ValueError):
    """What cannot be read, and in which line, from 1 on."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class _Property(NamedTuple):
    line: int
    name: str
    value: str


@dataclass(slots=True)
class _Event:
    line: int
    properties: dict[str, _Property] = field(default_factory=dict)


def read_days(text: str) -> dict[date, str]:
    """Return the days on which a calendar's events lie, and what each is; raise IcalendarError."""
    days: dict[date, str] = {}
    for event in _events(text):
        if event.properties.get("STATUS", _NOTHING).value.upper() == "CANCELLED":
            continue
        first, number = _span(event)
        summary = _unescaped(event.properties.get("SUMMARY", _NOTHING).value)
        for n in range(number):
            days.setdefault(first + timedelta(days=n), summary)
    return days


_NOTHING: Final = _Property(0, "", "")


def _events(text: str) -> Iterator[_Event]:
    """Yield the events with their own properties: those of alarms within them are none."""
    open_parts: list[str] = []
    event: _Event | None = None
    begun = False
    for each in _properties(text):
        if each.name == "BEGIN":
            open_parts.append(each.value.upper())
            begun = True
            if open_parts[0] != "VCALENDAR":
                raise IcalendarError(each.line, _NO_CALENDAR)
            if open_parts == ["VCALENDAR", "VEVENT"]:
                event = _Event(each.line)
        elif not open_parts:
            raise IcalendarError(each.line, _NO_CALENDAR)
        elif each.name == "END":
            if open_parts.pop() != each.value.upper():
                raise IcalendarError(each.line, f"END:{each.value} ends what has not begun")
            if event is not None and open_parts == ["VCALENDAR"]:
                yield event
                event = None
        elif event is not None and len(open_parts) == 2:
            if each.name in event.properties and each.name in {"DTSTART", "DTEND", "DURATION", "SUMMARY"}:
                raise IcalendarError(each.line, f"{each.name} stands twice in one event")
            event.properties[each.name] = each
    if not begun:
        raise IcalendarError(1, _NO_CALENDAR)
    if open_parts:
        raise IcalendarError(text.count("\n") + 1, f"END:{open_parts[-1]} is missing")


def _properties(text: str) -> Iterator[_Property]:
    """Yield each content line (section 3.1), unfolded, with the number of the line that it begins on."""
    begun, content = 0, ""
    for number, line in enumerate([*text.removeprefix("\ufeff").split("\n"), ""], start=1):
        line = line.removesuffix("\r")  # noqa: PLW2901 without its end
        if line[:1] in (" ", "\t") and content:
            content += line[1:]
            continue
        if content:
            match = _LINE.match(content)
            if match is None:
                raise IcalendarError(begun, "is no NAME:VALUE")
            yield _Property(begun, match[1].upper(), match[3].strip())
        begun, content = number, line


def _span(event: _Event) -> tuple[date, int]:
    """Return the first day of an event and how many there are (section 3.6.1: DTEND is the first day after it)."""
    for name in _REFUSED:
        if name in event.properties:
            line = event.properties[name].line
            raise IcalendarError(line, f"{name}: it repeats, which is not read; give each day an event of its own")
    start = event.properties.get("DTSTART")
    if start is None:
        raise IcalendarError(event.line, "the event has no DTSTART")
    first = _date(start)
    end, duration = event.properties.get("DTEND"), event.properties.get("DURATION")
    if end is not None:
        number = (_date(end) - first).days
    elif duration is not None:
        match = _DURATION.match(duration.value)
        if match is None:
            raise IcalendarError(duration.line, f"DURATION:{duration.value} is no number of whole days")
        number = 7 * int(match[1]) if match[1] else int(match[2])
    else:
        number = 1
    if not 1 <= number <= LONGEST_DAYS:
        raise IcalendarError((end or duration or start).line, f"the event lasts {number} days, not 1 to {LONGEST_DAYS}")
    return first, number


def _date(given: _Property) -> date:
    if not re.fullmatch(r"[0-9]{8}", given.value):
        raise IcalendarError(given.line, f"{given.name}:{given.value} is no whole day such as 20260817")
    try:
        return date(int(given.value[:4]), int(given.value[4:6]), int(given.value[6:]))
    except ValueError as error:
        raise IcalendarError(given.line, f"{given.name}:{given.value}: there is no such day") from error


def _unescaped(text: str) -> str:
    """Return TEXT (section 3.3.11) in one line."""
    plain = re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), text)
    return "".join(character if character.isprintable() else " " for character in plain)[:SUMMARY_LENGTH].strip()
