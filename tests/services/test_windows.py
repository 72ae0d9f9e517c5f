"""Windows and calendars as an admin makes them, and what open sessions are told at their edges."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from app.db import accounts, overlays
from app.db.engine import Database
from app.db.tables.changes import changes
from app.db.tables.sessions import usage
from app.domain.access import Denial, DenialReason, Grant, decide_access
from app.domain.changes import ChangeKind
from app.domain.granted import limits_of
from app.domain.local_time import WITA, local_day, local_moment
from app.domain.nases import Site
from app.domain.policies import Where
from app.domain.quotas import Measure, Period, Quota, Tally
from app.domain.schedules import Window
from app.domain.spending import Usage
from app.domain.users import User
from app.services import calendars, overrides
from app.services.changes import HOURS
from app.services.edges import pass_edges
from app.services.errors import Conflict, Invalid, NotFound
from app.services.keyring import Keyring
from app.services.limits import heed_usage
from app.services.overrides import Why
from app.services.plans import add_plan, show_plan
from app.services.quotas import change_quotas
from app.services.sites import add_site
from app.services.users import add_user
from app.services.windows import (
    rates_of,
    remove_plan_window,
    remove_site_window,
    set_plan_window,
    set_site_window,
)
from tests.factories import MAC, NOON, by_tally
from tests.rows import add_session

Chance = Callable[[int], bytes]
TUESDAY = date(2026, 11, 24)
EVERY = tuple(range(7))
SECOND = timedelta(seconds=1)
MB = 1_000_000
LIBUR = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261124
SUMMARY:Hari jadi kota
END:VEVENT
END:VCALENDAR
"""
AFTERNOON = Window("sore", EVERY, 15 * 60, 18 * 60, closed=True)
BUSY = Window("ramai", EVERY, 18 * 60, 24 * 60, rates=(("down_bps", 1_000_000),))
NIGHT = Window("malam", EVERY, 22 * 60, 5 * 60, free=True)


def at(hour: int, minute: int = 0) -> datetime:
    return local_moment(TUESDAY, 60 * hour + minute, WITA)


@pytest.fixture
def user(database: Database, keyring: Keyring, chance: Chance) -> User:
    add_plan(database, "Warga", now=NOON, chance=chance, down_bps=4 * MB, daily_octets=500 * MB)
    return add_user(database, keyring, "siti", password=None, now=NOON, chance=chance)


@pytest.fixture
def site(database: Database, chance: Chance) -> Site:
    return add_site(database, "Gusung", now=NOON, chance=chance)


@pytest.fixture
def set_window(database: Database, user: User, chance: Chance) -> Callable[[Window], None]:
    assert user
    return lambda window: set_plan_window(database, "Warga", window, zone=WITA, now=NOON, chance=chance)


def open_session(database: Database, user: User, site_id: str | None = None, session_id: str = "session") -> None:
    with database.write() as connection:
        add_session(connection, session_id, account_id=user.account.id, site_id=site_id)


def told(database: Database) -> list[tuple[str, str, str]]:
    """Return what was queued since the last time."""
    with database.write() as connection:
        found = [(row.session_id, row.kind, row.reason) for row in connection.execute(select(changes))]
        connection.execute(delete(changes))
    return sorted(found)


def decision(database: Database, user: User, now: datetime, *, site_id: str | None = None, used: int = 0) -> object:
    with database.read() as connection:
        account = accounts.by_id(connection, user.account.id, now=now, where=Where(site_id, WITA))
    assert account is not None
    spent = Usage(local_day(now, WITA), (Tally(Period.DAY, Measure.BOTH),), (used,))
    return decide_access(account, spent, device=MAC, online_devices=(), now=now, zone=WITA)


def test_window_is_shown_as_it_was_set_and_replaced_by_name(
    database: Database, set_window: Callable[[Window], None], chance: Chance
) -> None:
    set_window(AFTERNOON)
    set_window(BUSY)
    assert set(show_plan(database, "Warga").windows) == {AFTERNOON, BUSY}
    set_window(replace(AFTERNOON, ends=16 * 60))
    assert {window.ends for window in show_plan(database, "Warga").windows if window.closed} == {16 * 60}
    remove_plan_window(database, "Warga", "sore", zone=WITA, now=NOON, chance=chance)
    assert show_plan(database, "Warga").windows == (BUSY,)
    with pytest.raises(NotFound, match="window"):
        remove_plan_window(database, "Warga", "sore", zone=WITA, now=NOON, chance=chance)


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (replace(AFTERNOON, name=" "), "name"),
        (replace(AFTERNOON, days=()), "days"),
        (replace(AFTERNOON, ends=15 * 60), "to"),
        (replace(AFTERNOON, closed=False), "window"),
        (replace(AFTERNOON, free=True), "window"),
    ],
    ids=["no name", "no day", "no time", "changes nothing", "closed and free"],
)
def test_window_that_makes_no_sense_is_refused(
    database: Database, set_window: Callable[[Window], None], window: Window, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        set_window(window)
    assert caught.value.field == field
    assert show_plan(database, "Warga").windows == ()


def test_window_asks_for_calendars_that_are_there(set_window: Callable[[Window], None]) -> None:
    with pytest.raises(NotFound, match="calendar"):
        set_window(replace(AFTERNOON, not_on="libur"))


def test_what_is_no_rate_is_not_changed_by_the_hour() -> None:
    assert rates_of({"up_bps": 1 * MB, "down_bps": 2 * MB}) == (("down_bps", 2 * MB), ("up_bps", 1 * MB))
    with pytest.raises(Invalid, match="by the hour"):
        rates_of({"vlan": 7})


def test_closed_hours_let_nobody_in_and_no_session_lasts_into_them(
    database: Database, user: User, set_window: Callable[[Window], None]
) -> None:
    set_window(AFTERNOON)
    before = decision(database, user, at(14, 59))
    assert isinstance(before, Grant)
    assert before.session_seconds == 60
    assert decision(database, user, at(15)) == Denial(DenialReason.CLOSED, at(18))
    after = decision(database, user, at(18))
    assert isinstance(after, Grant)
    assert after.session_seconds == 21 * 3_600


def test_rate_of_the_hour_ends_no_session(database: Database, user: User, set_window: Callable[[Window], None]) -> None:
    set_window(BUSY)
    for now, rate in [(at(18) - SECOND, 4 * MB), (at(18), 1 * MB), (at(24), 4 * MB)]:
        granted = decision(database, user, now)
        assert isinstance(granted, Grant)
        assert (granted.down_bps, granted.session_seconds) == (rate, None)


def test_in_free_hours_a_used_up_quota_stops_nobody_until_they_end(
    database: Database, user: User, set_window: Callable[[Window], None]
) -> None:
    set_window(NIGHT)
    assert isinstance(decision(database, user, at(21), used=500 * MB), Denial)
    granted = decision(database, user, at(23), used=500 * MB)
    assert isinstance(granted, Grant)
    assert (granted.octets_left, granted.session_seconds, granted.counts_seconds) == (None, None, 6 * 3_600)


@pytest.mark.parametrize(("unreached", "seconds"), [(False, None), (True, 6 * 3_600)])
def test_end_of_free_hours_ends_only_sessions_that_cannot_be_told(
    database: Database, user: User, set_window: Callable[[Window], None], unreached: bool, seconds: int | None
) -> None:
    set_window(NIGHT)
    granted = decision(database, user, at(23), used=0)
    assert isinstance(granted, Grant)
    limits = limits_of(granted, others=0, acceptance_id="7fff", interim_seconds=60, accounts=True, unreached=unreached)
    assert limits.session_seconds == seconds


def test_session_whose_quota_is_used_up_in_free_hours_goes_on(
    database: Database, user: User, set_window: Callable[[Window], None], chance: Chance
) -> None:
    set_window(NIGHT)
    open_session(database, user)
    told(database)
    with database.write() as connection:
        connection.execute(
            insert(usage).values(account_id=user.account.id, day=TUESDAY, up_octets=0, down_octets=500 * MB)
        )
    for hour, ends in ((23, []), (21, [("session", ChangeKind.DISCONNECT.value, DenialReason.QUOTA_EXHAUSTED.value)])):
        with database.write() as connection:
            (account,) = accounts.by_ids(connection, [user.account.id], now=at(hour))
            heed_usage(connection, [account], (), zone=WITA, now=at(hour), chance=chance)
        assert told(database) == ends


def test_windows_of_a_site_come_beside_the_plans_and_a_person_may_be_exempt(
    database: Database, user: User, site: Site, set_window: Callable[[Window], None], chance: Chance
) -> None:
    set_window(BUSY)
    set_site_window(database, "Gusung", AFTERNOON, plan=None, zone=WITA, now=NOON, chance=chance)
    assert isinstance(decision(database, user, at(16), site_id=site.id), Denial)
    assert isinstance(decision(database, user, at(16)), Grant)
    why = Why("dokter jaga", "admin")
    overrides.set_own(database, "siti", {"schedule": None}, why, zone=WITA, now=NOON, chance=chance)
    for hour in (16, 20):
        granted = decision(database, user, at(hour), site_id=site.id)
        assert isinstance(granted, Grant)
        assert (granted.down_bps, granted.session_seconds) == (4 * MB, None)
    remove_site_window(database, "Gusung", "sore", plan=None, zone=WITA, now=NOON, chance=chance)
    with database.read() as connection:
        assert overlays.of_sites(connection) == {}


# ---- calendars


def test_calendar_is_imported_whole_and_lifts_a_window(
    database: Database, user: User, set_window: Callable[[Window], None], chance: Chance
) -> None:
    def take(text: str) -> calendars.Imported:
        return calendars.import_calendar(database, "libur", text, zone=WITA, now=NOON, chance=chance)

    assert take(LIBUR) == (1, 0, 0)
    set_window(replace(AFTERNOON, not_on="libur"))
    assert isinstance(decision(database, user, at(16)), Grant)
    open_session(database, user)
    assert take(LIBUR.replace("20261124", "20261125")) == (1, 1, 0)
    assert [kind for _, kind, _ in told(database)] == [ChangeKind.CHANGE.value]
    assert isinstance(decision(database, user, at(16)), Denial)
    assert calendars.days_of_calendar(database, "libur") == {date(2026, 11, 25): "Hari jadi kota"}
    (listed,) = calendars.list_calendars(database)
    assert (listed.name, listed.days, listed.first) == ("libur", 1, date(2026, 11, 25))
    with pytest.raises(Conflict, match="window"):
        calendars.remove_calendar(database, "libur")


def test_calendar_that_nothing_names_is_removed(database: Database, chance: Chance) -> None:
    calendars.import_calendar(database, "libur", LIBUR, zone=WITA, now=NOON, chance=chance)
    calendars.remove_calendar(database, "libur")
    assert calendars.list_calendars(database) == []
    with pytest.raises(NotFound):
        calendars.remove_calendar(database, "libur")


@pytest.mark.parametrize(
    ("text", "said"), [("BEGIN:VCALENDAR\nEND:VCALENDAR", "no day"), ("x", "line 1")], ids=["empty", "none at all"]
)
def test_calendar_that_says_nothing_is_refused(database: Database, chance: Chance, text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        calendars.import_calendar(database, "libur", text, zone=WITA, now=NOON, chance=chance)
    assert calendars.list_calendars(database) == []


# ---- edges


@pytest.fixture
def pass_time(database: Database, chance: Chance) -> Callable[[datetime], int]:
    return lambda now: pass_edges(database, zone=WITA, now=now, chance=chance)


def test_sessions_are_told_when_a_window_opens_and_ends_and_not_between(
    database: Database,
    user: User,
    set_window: Callable[[Window], None],
    pass_time: Callable[[datetime], int],
) -> None:
    for window in (AFTERNOON, BUSY):
        set_window(window)
    open_session(database, user)
    told(database)
    assert pass_time(at(14)) == 0
    assert pass_time(at(15) - SECOND) == 0
    assert pass_time(at(15)) == 1
    assert told(database) == [("session", ChangeKind.DISCONNECT.value, DenialReason.CLOSED.value)]
    assert pass_time(at(15, 1)) == 0
    assert pass_time(at(18, 0) + 2 * SECOND) == 1
    assert told(database) == [("session", ChangeKind.CHANGE.value, HOURS)]
    assert pass_time(at(24)) == 1
    assert pass_time(at(24) + SECOND) == 0


def test_who_comes_after_an_edge_is_not_told_of_it(
    database: Database,
    user: User,
    set_window: Callable[[Window], None],
    pass_time: Callable[[datetime], int],
) -> None:
    set_window(BUSY)
    pass_time(at(17))
    assert pass_time(at(18)) == 0
    open_session(database, user)
    assert pass_time(at(18, 1)) == 0
    assert told(database) == []


def test_midnight_is_no_edge_of_what_holds_all_day(
    database: Database,
    user: User,
    set_window: Callable[[Window], None],
    pass_time: Callable[[datetime], int],
) -> None:
    set_window(Window("bebas", EVERY, 0, 24 * 60, free=True))
    open_session(database, user)
    told(database)
    pass_time(at(23))
    assert pass_time(at(25)) == 0
    granted = decision(database, user, at(25), used=500 * MB)
    assert isinstance(granted, Grant)
    assert (granted.octets_left, granted.session_seconds) == (None, None)


def test_edge_of_a_site_concerns_those_who_are_there(
    database: Database, user: User, site: Site, chance: Chance, pass_time: Callable[[datetime], int]
) -> None:
    set_site_window(database, "Gusung", AFTERNOON, plan="Warga", zone=WITA, now=NOON, chance=chance)
    open_session(database, user, None, "elsewhere")
    pass_time(at(14))
    assert pass_time(at(15)) == 0
    open_session(database, user, site.id, "there")
    assert pass_time(at(18)) == 1
    assert {session_id for session_id, *_ in told(database)} == {"elsewhere", "there"}


def test_values_that_end_are_told_of(
    database: Database, user: User, site: Site, chance: Chance, pass_time: Callable[[datetime], int]
) -> None:
    def why(hour: int) -> Why:
        return Why("ujian", "admin", at(hour))

    overrides.set_own(database, "siti", {"down_bps": 8 * MB}, why(14), zone=WITA, now=NOON, chance=chance)
    overrides.set_at_site(
        database, "Gusung", {"down_bps": 2 * MB}, why(15), plan=None, zone=WITA, now=NOON, chance=chance
    )
    change_quotas(
        database,
        "siti",
        by_tally(Quota(Period.DAY, 900 * MB)),
        reason="ujian",
        author="admin",
        until=at(16),
        zone=WITA,
        now=NOON,
        chance=chance,
    )
    open_session(database, user, site.id)
    pass_time(at(13))
    assert [pass_time(at(hour)) for hour in (14, 15, 16, 17)] == [1, 1, 1, 0]


def test_worker_that_was_away_tells_of_the_edge_it_missed_and_a_clock_set_back_does_no_harm(
    database: Database,
    user: User,
    set_window: Callable[[Window], None],
    pass_time: Callable[[datetime], int],
) -> None:
    set_window(AFTERNOON)
    open_session(database, user)
    pass_time(at(14))
    assert pass_time(at(16)) == 1
    assert pass_time(at(14, 30)) == 0
    assert pass_time(at(15)) == 1
