"""Windows of schedules and calendars on the command line."""

from pathlib import Path

import pytest

from tests.cli.conftest import Pesisir

LIBUR = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20270817\r\nSUMMARY:Kemerdekaan\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
SCHOOL = {
    "name": "jam sekolah",
    "days": [0, 1, 2, 3, 4],
    "from": "07:00",
    "to": "13:00",
    "closed": True,
    "free": False,
    "rates": {},
    "only_on": None,
    "not_on": "Libur",
}


@pytest.fixture
def holidays(city: Pesisir, tmp_path: Path) -> Pesisir:
    path = tmp_path / "libur.ics"
    path.write_bytes(LIBUR.encode())
    city.ok("calendar", "import", str(path), "--name", "Libur")
    return city


def test_calendar_is_imported_shown_and_removed(holidays: Pesisir) -> None:
    assert holidays.ok("calendar", "list", "--json").json == [
        {"name": "Libur", "days": 1, "first": "2027-08-17", "last": "2027-08-17"}
    ]
    assert holidays.ok("calendar", "show", "Libur", "--json").json == [{"day": "2027-08-17", "summary": "Kemerdekaan"}]
    again = holidays.run("calendar", "import", "-", "--name", "Libur", stdin=LIBUR.replace("0817", "0818"))
    assert "1 new day, 0 as before, 1 gone" in again.err
    holidays.ok("calendar", "remove", "Libur", "--yes")
    assert holidays.ok("calendar", "list", "--json").json == []


def test_bad_calendar_is_refused_by_its_line(city: Pesisir) -> None:
    done = city.run("calendar", "import", "-", "--name", "Libur", stdin=LIBUR.replace("20270817", "20270817T080000"))
    assert done.code != 0
    assert "line 3" in done.err


def test_window_of_a_plan_is_shown_as_it_was_said(holidays: Pesisir) -> None:
    holidays.ok(
        "plan", "set-window", "Warga", "jam sekolah", "--days", "senin-jumat", "--from", "07:00", "--to", "13.00",
        "--closed", "--not-on", "Libur",
    )  # fmt: skip
    assert holidays.ok("plan", "show", "Warga", "--json").json["windows"] == [SCHOOL]
    assert "jam sekolah: mon-fri 07:00-13:00, not on Libur: closed" in holidays.ok("plan", "show", "Warga").out
    assert holidays.run("calendar", "remove", "Libur", "--yes").code == 4
    holidays.ok("plan", "remove-window", "Warga", "jam sekolah")
    assert holidays.ok("plan", "show", "Warga", "--json").json["windows"] == []


def test_window_at_a_site_is_listed_beside_its_values(city: Pesisir) -> None:
    city.ok("site", "set-window", "Gusung", "malam", "--from", "23:00", "--to", "05:00", "--free", "--down", "8M")
    city.ok("site", "set-window", "Gusung", "sore", "--plan", "Warga", "--from", "15:00", "--to", "18:00", "--up", "1M")
    listed = city.ok("site", "override", "Gusung", "--json").json
    assert [(one["plan"], one["window"]["name"], one["window"]["rates"]) for one in listed] == [
        (None, "malam", {"down_bps": 8_000_000}),
        ("Warga", "sore", {"up_bps": 1_000_000}),
    ]
    assert "malam: every 23:00-05:00: free of charge, down 8M" in city.ok("site", "override", "Gusung").out
    city.ok("site", "remove-window", "Gusung", "sore", "--plan", "Warga")
    assert len(city.ok("site", "override", "Gusung", "--json").json) == 1


def test_window_at_a_site_is_shown_with_the_site(city: Pesisir) -> None:
    assert city.ok("site", "show", "Gusung", "--json").json["windows"] == []
    city.ok("site", "set-window", "Gusung", "malam", "--from", "23:00", "--to", "05:00", "--free")
    city.ok("site", "set-window", "Gusung", "sore", "--plan", "Warga", "--from", "15:00", "--to", "18:00", "--up", "1M")
    shown = city.ok("site", "show", "Gusung").out
    assert "malam: every 23:00-05:00: free of charge\n" in shown
    assert "sore: every 15:00-18:00: up 1M; plan Warga only" in shown
    site = city.ok("site", "show", "Gusung", "--json").json
    assert [(one["plan"], one["window"]["name"]) for one in site["windows"]] == [(None, "malam"), ("Warga", "sore")]
    assert city.ok("site", "list", "--json").json == [site]


def test_window_that_is_not_there_is_looked_for_where_it_would_be(city: Pesisir) -> None:
    of_plan, at_site = city.run("plan", "remove-window", "Warga", "x"), city.run("site", "remove-window", "Gusung", "x")
    assert (of_plan.code, at_site.code) == (3, 3)
    assert "next: pesisir plan show NAME" in of_plan.err
    assert "there is no window 'x'" in at_site.err
    assert "next: pesisir site show NAME" in at_site.err


def test_person_is_exempt_from_windows(city: Pesisir) -> None:
    city.ok("user", "override", "siti", "--schedule", "none", "--reason", "dokter jaga")
    (own,) = city.ok("user", "override", "siti", "--json").json
    assert (own["field"], own["value"]) == ("schedule", None)
    city.ok("user", "override", "siti", "--clear", "schedule")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--from", "25:00", "--to", "13:00", "--closed"], 2, "no time of the day"),
        (["--days", "hari", "--from", "07:00", "--to", "13:00", "--closed"], 2, "no day of the week"),
        (["--from", "07:00", "--to", "13:00"], 2, "changes nothing"),
        (["--from", "07:00", "--to", "13:00", "--closed", "--not-on", "Libur"], 3, "pesisir calendar list"),
    ],
    ids=["no time", "no day", "changes nothing", "no such calendar"],
)
def test_what_is_wrong_is_said(city: Pesisir, arguments: list[str], code: int, said: str) -> None:
    done = city.run("plan", "set-window", "Warga", "x", *arguments)
    assert said in done.err
    assert done.code == code
