"""Windows of schedules as hypothesis draws them, and what a clock on the wall says of one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from app.domain.schedules import Window

DAY = timedelta(days=1)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    begins, ends = draw(st.lists(st.integers(0, 1_439), min_size=2, max_size=2, unique=True))
    days = tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1))))
    kind = draw(st.sampled_from(["closed", "free", "rates"]))
    return Window(
        draw(st.sampled_from("abc")),
        days,
        begins,
        draw(st.sampled_from([ends, 1_440])),
        closed=kind == "closed",
        free=kind == "free",
        rates=(("down_bps", 1_000_000),) if kind == "rates" else (),
        only_on=draw(st.sampled_from([None, None, "libur"])),
        not_on=draw(st.sampled_from([None, None, "libur"])),
    )


ZONES = st.sampled_from([ZoneInfo("Asia/Makassar"), ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")])
WITH_DST = st.sampled_from([ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/St_Johns")])
MOMENTS = st.datetimes(datetime(2026, 11, 2), datetime(2028, 4, 1), timezones=st.just(UTC))  # noqa: DTZ001 hypothesis wants naive bounds
DAYS = {"libur": frozenset({date(2026, 11, 25), date(2026, 12, 31), date(2027, 1, 1), date(2028, 2, 29)})}


def is_open(window: Window, moment: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a window is open, by the clock on the wall alone."""
    wall = moment.astimezone(zone)
    minute = 60 * wall.hour + wall.minute
    today, yesterday = wall.date(), wall.date() - DAY
    if window.begins < window.ends:
        return window.begins <= minute < window.ends and window.begins_on(today, DAYS)
    return (minute >= window.begins and window.begins_on(today, DAYS)) or (
        minute < window.ends and window.begins_on(yesterday, DAYS)
    )
