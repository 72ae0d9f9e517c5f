"""Days from iCalendar files: what is read, and what is refused by its line."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.icalendar import IcalendarError, read_days

HOLIDAYS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Kota//Libur//ID\r
BEGIN:VTIMEZONE\r
TZID:Asia/Makassar\r
BEGIN:STANDARD\r
DTSTART:19700101T000000\r
TZOFFSETFROM:+0800\r
TZOFFSETTO:+0800\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1@kota\r
DTSTART;VALUE=DATE:20270817\r
DTEND;VALUE=DATE:20270818\r
SUMMARY:Hari Kemerdekaan\\, Republik Indo\r
 nesia\r
BEGIN:VALARM\r
TRIGGER:-P1D\r
DURATION:PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2@kota\r
DTSTART:20270310\r
DURATION:P2D\r
SUMMARY;LANGUAGE="id;x":Idulfitri\\nlibur bersama\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3@kota\r
DTSTART;VALUE=DATE:20271225\r
STATUS:CANCELLED\r
SUMMARY:tidak jadi\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_days_of_a_calendar() -> None:
    assert read_days(HOLIDAYS) == {
        date(2027, 8, 17): "Hari Kemerdekaan, Republik Indonesia",
        date(2027, 3, 10): "Idulfitri libur bersama",
        date(2027, 3, 11): "Idulfitri libur bersama",
    }


@pytest.mark.parametrize(
    "text", [HOLIDAYS.replace("\r\n", "\n"), "\ufeff" + HOLIDAYS], ids=["bare line ends", "a mark"]
)
def test_other_ends_of_lines_and_a_mark_in_front_are_read_alike(text: str) -> None:
    assert read_days(text) == read_days(HOLIDAYS)


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "BEGIN:VCALENDAR"),
        ("<html>", 1, "NAME:VALUE"),
        ("BEGIN:VEVENT\nEND:VEVENT", 1, "BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT", 2, "END:VEVENT"),
        ("BEGIN:VCALENDAR\nEND:VEVENT", 2, "has not begun"),
        (event("SUMMARY:x"), 2, "no DTSTART"),
        (event("DTSTART:20270817T080000Z"), 3, "no whole day"),
        (event("DTSTART:20270230"), 3, "no such day"),
        (event("DTSTART:20270817", "RRULE:FREQ=YEARLY"), 4, "RRULE"),
        (event("DTSTART:20270817", "DTEND:20270817"), 4, "0 days"),
        (event("DTSTART:20270817", "DTEND:20290817"), 4, "731 days"),
        (event("DTSTART:20270817", "DURATION:PT8H"), 4, "whole days"),
        (event("DTSTART:20270817", "DTSTART:20270818"), 4, "twice"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(IcalendarError, match=said) as caught:
        read_days(text)
    assert caught.value.line == line


@given(
    days=st.dictionaries(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.text("ab ,;\\\n", max_size=100), max_size=9)
)
def test_days_are_read_back_as_written(days: dict[date, str]) -> None:
    written = ["BEGIN:VCALENDAR"]
    for day, summary in days.items():
        escaped = summary.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")
        content = f"SUMMARY:{escaped}"
        folded = "\r\n ".join(content[at : at + 20] for at in range(0, len(content), 20))
        written += ["BEGIN:VEVENT", f"DTSTART;VALUE=DATE:{day:%Y%m%d}", folded, "END:VEVENT"]
    text = "\r\n".join([*written, "END:VCALENDAR", ""])
    assert read_days(text) == {day: summary.replace("\n", " ").strip() for day, summary in days.items()}


PIECES = [*'VCALENDRTSUMY:;=," \n', "\r\n", "BEGIN:", "END:", "VEVENT", "DTSTART:20270817"]


@given(text=st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_anything_that_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(IcalendarError) as caught:
        read_days("BEGIN:VCALENDAR\n" + text)
    assert 1 <= caught.value.line <= text.count("\n") + 3
