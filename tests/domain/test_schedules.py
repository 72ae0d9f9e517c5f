"""Windows of schedules: when they are open, what holds then, and when that changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import MADE_AT
from app.domain.local_time import WITA, local_moment
from app.domain.schedules import (
    NEVER,
    Phase,
    Span,
    Window,
    format_clock,
    format_days,
    free_stretches,
    parse_clock,
    parse_days,
    phase_of,
    stretches,
)
from tests.factories import NOON
from tests.hours import DAYS, MOMENTS, WITH_DST, ZONES, is_open, windows

TUESDAY = date(2026, 11, 24)
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
EVERY = tuple(range(7))
SCHOOL = Window("jam sekolah", (0, 1, 2, 3, 4), 7 * 60, 13 * 60, closed=True, not_on="libur")
NIGHT = Window("malam", EVERY, 22 * 60, 5 * 60, free=True)
BUSY = Window("ramai", EVERY, 18 * 60, 24 * 60, rates=(("down_bps", 1_000_000),))
HOLIDAYS = {"libur": frozenset({date(2026, 11, 25)})}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return local_moment(day, 60 * hour + minute, WITA)


@pytest.mark.parametrize(
    ("moment", "closed_until", "closes_at"),
    [
        pytest.param(at(TUESDAY, 6, 59), None, at(TUESDAY, 7), id="a minute before"),
        pytest.param(at(TUESDAY, 7), at(TUESDAY, 13), at(TUESDAY + 2 * DAY, 7), id="the first moment; tomorrow is off"),
        pytest.param(at(TUESDAY, 13) - SECOND, at(TUESDAY, 13), at(TUESDAY + 2 * DAY, 7), id="the last second"),
        pytest.param(at(TUESDAY, 13), None, at(TUESDAY + 2 * DAY, 7), id="over"),
        pytest.param(at(TUESDAY + DAY, 9), None, at(TUESDAY + 2 * DAY, 7), id="on the holiday"),
        pytest.param(at(date(2026, 11, 27), 14), None, at(date(2026, 11, 30), 7), id="over the week-end"),
    ],
)
def test_closing_hours(moment: datetime, closed_until: datetime | None, closes_at: datetime) -> None:
    phase = phase_of([SCHOOL], HOLIDAYS, moment, WITA)
    assert (None if phase.closed is None else phase.closed.ends_at) == closed_until
    assert phase.closes_at == closes_at


def test_window_past_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday = Window("malam Sabtu", (4,), 22 * 60, 5 * 60, free=True)
    saturday = date(2026, 11, 28)
    for moment, is_free in [
        (at(saturday, 0) - SECOND, True),
        (at(saturday, 4, 59), True),
        (at(saturday, 5), False),
        (at(saturday, 22), False),
    ]:
        assert (phase_of([friday], {}, moment, WITA).free is not None) == is_free


def test_window_at_the_end_of_a_month_and_a_year_goes_on_into_the_next() -> None:
    for last in (date(2026, 11, 30), date(2026, 12, 31), date(2028, 2, 29)):
        assert phase_of([NIGHT], {}, at(last, 23), WITA).free == Span(at(last, 22), at(last + DAY, 5))


def test_of_windows_that_overlap_the_last_to_begin_holds() -> None:
    inner = Window("paling ramai", EVERY, 20 * 60, 21 * 60, rates=(("down_bps", 512_000),))
    for some in ([BUSY, inner], [inner, BUSY]):
        running = phase_of(some, {}, at(TUESDAY, 20, 30), WITA).running
        assert [stretch.window.name for stretch in running] == ["ramai", "paling ramai"]


def test_windows_that_touch_are_one_span() -> None:
    evening = Window("sore", EVERY, 18 * 60, 22 * 60, free=True)
    assert phase_of([evening, NIGHT], {}, at(TUESDAY, 19), WITA).free == Span(at(TUESDAY, 18), at(TUESDAY + DAY, 5))


def test_window_only_on_the_days_of_a_calendar() -> None:
    feast = Window("hari raya", EVERY, 0, 24 * 60, free=True, only_on="libur")
    phase = phase_of([feast], HOLIDAYS, NOON, WITA)
    assert (phase.free, phase.until) == (None, at(TUESDAY + DAY, 0))
    assert phase_of([feast], HOLIDAYS, at(TUESDAY + DAY, 23, 59), WITA).free == Span(
        at(TUESDAY + DAY, 0), at(TUESDAY + 2 * DAY, 0)
    )
    assert phase_of([feast], {}, NOON, WITA).until is None


def test_far_holiday_is_found_within_a_year() -> None:
    far = Window("libur panjang", EVERY, 0, 24 * 60, closed=True, only_on="jauh")
    assert phase_of([far], {"jauh": {date(2027, 8, 17)}}, NOON, WITA).closes_at == at(date(2027, 8, 17), 0)


def test_window_of_every_whole_day_has_no_edges() -> None:
    always = Window("bebas", EVERY, 0, 24 * 60, free=True)
    phase = phase_of([always], {}, NOON, WITA)
    assert (phase.until, phase.closed) == (None, None)
    assert phase.free is not None
    assert phase.free.ends_at == NEVER
    assert len(phase.running) == 1
    but = phase_of([replace(always, not_on="libur")], HOLIDAYS, NOON, WITA)
    assert but.free is not None
    assert but.free.ends_at == but.until == at(TUESDAY + DAY, 0)


def test_clock_without_battery_opens_no_window() -> None:
    phase = phase_of([SCHOOL, NIGHT], {}, datetime(1970, 1, 1, tzinfo=UTC), WITA)
    assert (phase.running, phase.closed, phase.until) == ((), None, MADE_AT)


def test_without_windows_nothing_ever_changes() -> None:
    assert phase_of([], {}, NOON, WITA) == Phase()


@given(some=st.lists(windows(), max_size=4), moment=MOMENTS, zone=ZONES)
def test_what_is_open_is_what_the_clock_on_the_wall_says(some: list[Window], moment: datetime, zone: ZoneInfo) -> None:
    phase = phase_of(some, DAYS, moment, zone)
    open_now = [window for window in some if is_open(window, moment, zone)]
    assert {stretch.window for stretch in phase.running} == set(open_now)
    assert (phase.closed is not None) == any(window.closed for window in open_now)
    assert (phase.free is not None) == any(window.free for window in open_now)


@given(some=st.lists(windows(), min_size=1, max_size=4), moment=MOMENTS, zone=ZONES | WITH_DST)
def test_nothing_changes_between_two_edges(some: list[Window], moment: datetime, zone: ZoneInfo) -> None:
    phase = phase_of(some, DAYS, moment, zone)
    assert phase.holds(moment)
    until = phase.until or moment + 30 * DAY
    for part in (1, 2, 3):
        between = moment + (until - moment) * part / 4
        later = phase_of(some, DAYS, between, zone)
        assert later.running == phase.running
        assert phase.holds(between)
        assert later.closes_at == phase.closes_at or phase.closes_at is None
    assert not phase.holds(until) or phase.until is None


@given(some=st.lists(windows(), max_size=4), moment=MOMENTS, zone=ZONES | WITH_DST, data=st.data())
def test_the_order_in_which_windows_were_made_means_nothing(
    some: list[Window], moment: datetime, zone: ZoneInfo, data: st.DataObject
) -> None:
    named = [Window(f"{n}", *[getattr(w, f) for f in Window.__slots__[1:]]) for n, w in enumerate(some)]
    shuffled = data.draw(st.permutations(named))
    assert phase_of(shuffled, DAYS, moment, zone) == phase_of(named, DAYS, moment, zone)


@given(
    some=st.lists(windows(), max_size=4),
    moment=MOMENTS,
    hours=st.integers(1, 24 * 40),
    part=st.floats(0, 1),
    zone=ZONES | WITH_DST,
)
def test_free_time_is_the_same_whole_or_in_parts(
    some: list[Window], moment: datetime, hours: int, part: float, zone: ZoneInfo
) -> None:
    end = moment + timedelta(hours=hours)
    middle = moment + (end - moment) * part
    whole = free_stretches(some, DAYS, moment, end, zone)
    halves = free_stretches(some, DAYS, moment, middle, zone) + free_stretches(some, DAYS, middle, end, zone)
    assert sum((s.ends_at - s.begins_at for s in halves), timedelta()) == sum(
        (s.ends_at - s.begins_at for s in whole), timedelta()
    )
    assert all(moment <= s.begins_at < s.ends_at <= end for s in whole)
    assert all(left.ends_at < right.begins_at for left, right in pairwise(whole))


def test_free_time_of_a_night() -> None:
    assert free_stretches([NIGHT, BUSY], {}, at(TUESDAY, 21), at(TUESDAY + DAY, 3), WITA) == [
        Span(at(TUESDAY, 22), at(TUESDAY + DAY, 3))
    ]


def test_hour_that_a_clock_skips_opens_no_window() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    skipped = Window("hilang", EVERY, 2 * 60, 3 * 60, closed=True)
    night = datetime(2027, 3, 28, tzinfo=berlin).astimezone(UTC)
    assert list(stretches([skipped], {}, night, night + timedelta(hours=6), berlin)) == []


# ---- as people write them


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("Senin-Jumat", (0, 1, 2, 3, 4)),
        ("sat,sun", (5, 6)),
        ("sabtu, minggu", (5, 6)),
        ("fri-mon", (0, 4, 5, 6)),
        ("every", EVERY),
        ("setiap", EVERY),
        ("wed", (2,)),
    ],
)
def test_days_are_read(text: str, days: tuple[int, ...]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["", "mon-", "funday", "1", "mon;tue"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no day of the week"):
        parse_days(text)


@given(days=st.sets(st.integers(0, 6), min_size=1))
def test_days_are_read_back_as_written(days: set[int]) -> None:
    assert parse_days(format_days(days)) == tuple(sorted(days))


@given(minute=st.integers(0, 1_440))
def test_times_are_read_back_as_written(minute: int) -> None:
    assert parse_clock(format_clock(minute)) == minute
    assert parse_clock(format_clock(minute).replace(":", ".")) == minute


@pytest.mark.parametrize("text", ["", "7", "7:5", "24:01", "12:60", "ab:cd", "-1:00", "١٢:٠٠"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time of the day"):
        parse_clock(text)
