"""Schedule windows: hours of the week, in local time, with other rates, free of charge, or closed to everybody.

A window belongs to the day on which it begins, also where it ends on the next: the days of the week and of calendars
are those.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.clock import MADE_AT, believable
from app.domain.local_time import local_day, local_moment

RATES: Final = ("down_bps", "up_bps", "down_burst_bps", "up_burst_bps", "burst_seconds")
"""What of a plan a window may change."""

DAY_MINUTES: Final = 1_440
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a stretch began that has lasted for more than a week."""

NEVER: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""When a stretch ends that does not end within a year."""

_DAY: Final = timedelta(days=1)
_LOOK_BACK: Final = timedelta(days=8)
_HORIZONS: Final = (timedelta(days=8), timedelta(days=400))  # a week and a day, else a year and what holidays move

Calendars = Mapping[str, Collection[date]]
"""The days of each calendar, by its name."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some hours of some days of the week, and what holds then.

    `days` are 0 (Monday) to 6; `begins` and `ends` are minutes of the day, `ends` up to 1440; one that ends no later
    than it begins ends on the next day. `rates` are values of a plan (rates and bursts) that hold instead. Free: what
    is used counts for no quota. Closed: nobody is online. `only_on` and `not_on` name calendars.
    """

    name: str
    days: tuple[int, ...]
    begins: int
    ends: int
    closed: bool = False
    free: bool = False
    rates: tuple[tuple[str, int | None], ...] = ()
    only_on: str | None = None
    not_on: str | None = None

    def begins_on(self, day: date, calendars: Calendars) -> bool:
        """Tell whether the window opens on a local day; a calendar that is not there has no days."""
        return (
            day.weekday() in self.days
            and (self.only_on is None or day in calendars.get(self.only_on, ()))
            and (self.not_on is None or day not in calendars.get(self.not_on, ()))
        )


class Span(NamedTuple):
    """A stretch of time: the first moment that belongs to it, and the first that does not any more."""

    begins_at: datetime
    ends_at: datetime


class Stretch(NamedTuple):
    """One time that a window is open."""

    span: Span
    window: Window


class Phase(NamedTuple):
    """What a schedule says at a moment, and until when.

    `running` are the windows that are open, the one that holds against the others last: the latest to begin, of those
    the first to end. `since` and `until` are when a window last and next opens or ends: before (a clock can be set
    back) and after it says something else. `closed` and `free` are the whole spans in which it is so now, up to NEVER;
    `closes_at` is when it is next closed. None: not within a year.
    """

    running: tuple[Stretch, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    closed: Span | None = None
    free: Span | None = None
    closes_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether the schedule says the same at `now`."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


def stretches(
    windows: Iterable[Window], calendars: Calendars, since: datetime, until: datetime, zone: ZoneInfo
) -> Iterator[Stretch]:
    """Yield every time that a window is open between two moments, whole, in the order of the days they begin on."""
    windows = tuple(windows)
    day, last = local_day(since, zone) - _DAY, local_day(until, zone)
    while day <= last:
        for window in windows:
            if window.begins_on(day, calendars):
                end_day = day if window.ends > window.begins else day + _DAY
                span = Span(local_moment(day, window.begins, zone), local_moment(end_day, window.ends, zone))
                if since < span.ends_at and span.begins_at < until and span.begins_at < span.ends_at:
                    yield Stretch(span, window)
        day += _DAY


def phase_of(windows: Sequence[Window], calendars: Calendars, now: datetime, zone: ZoneInfo) -> Phase:
    """Return what a schedule says at `now`; a clock that cannot be right opens no window."""
    if not windows:
        return Phase()
    if not believable(now):
        return Phase(until=MADE_AT)
    may_close = any(window.closed for window in windows)
    near, far = _HORIZONS
    phase = _phase(windows, calendars, now, zone, until=now + near)
    lasting = any(span is not None and span.ends_at >= NEVER for span in (phase.closed, phase.free))
    if lasting or phase.until is None or (may_close and phase.closes_at is None):
        phase = _phase(windows, calendars, now, zone, until=now + far)
    return phase


def _phase(windows: Sequence[Window], calendars: Calendars, now: datetime, zone: ZoneInfo, *, until: datetime) -> Phase:
    """Return the phase as far as it can be told from what happens before `until`; what lasts until then never ends."""
    since = now - _LOOK_BACK
    whole = [
        Stretch(
            Span(
                span.begins_at if since < span.begins_at else EVER,
                span.ends_at if span.ends_at < until else NEVER,
            ),
            window,
        )
        for span, window in whole_stretches(windows, calendars, since, until, zone)
    ]
    running = [stretch for stretch in whole if stretch.span.begins_at <= now < stretch.span.ends_at]
    running.sort(key=lambda one: (one.span.begins_at, -one.span.ends_at.timestamp(), one.window.name))
    edges = [edge for stretch in whole for edge in stretch.span]
    edges += [span.begins_at + _LOOK_BACK for span, _ in running if EVER < span.begins_at < span.ends_at - _LOOK_BACK]
    closed = _joined(stretch.span for stretch in whole if stretch.window.closed)
    free = _joined(stretch.span for stretch in whole if stretch.window.free)
    return Phase(
        tuple(running),
        max((edge for edge in edges if since < edge <= now), default=since),
        min((edge for edge in edges if now < edge < until), default=None),
        _around(closed, now),
        _around(free, now),
        next((span.begins_at for span in closed if now < span.begins_at), None),
    )


def whole_stretches(
    windows: Iterable[Window], calendars: Calendars, since: datetime, until: datetime, zone: ZoneInfo
) -> Iterator[Stretch]:
    """Yield as `stretches` does, but those of one window that touch, as of a whole day and the next, as one."""
    of_window: dict[Window, list[Span]] = {}
    for span, window in stretches(windows, calendars, since, until, zone):
        of_window.setdefault(window, []).append(span)
    for window, spans in of_window.items():
        for span in _joined(spans):
            yield Stretch(span, window)


def free_stretches(
    windows: Iterable[Window], calendars: Calendars, since: datetime, until: datetime, zone: ZoneInfo
) -> list[Span]:
    """Return the parts of the time between two moments that are free of charge, in order and apart."""
    open_then = stretches((window for window in windows if window.free), calendars, since, until, zone)
    return [
        Span(max(span.begins_at, since), min(span.ends_at, until)) for span in _joined(one.span for one in open_then)
    ]


def _around(spans: Iterable[Span], now: datetime) -> Span | None:
    return next((span for span in spans if span.begins_at <= now < span.ends_at), None)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.begins_at <= joined[-1].ends_at:
            joined[-1] = Span(joined[-1].begins_at, max(joined[-1].ends_at, span.ends_at))
        else:
            joined.append(span)
    return joined


# ---- as people write them

_NAMES: Final = (
    ("monday", "senin"),
    ("tuesday", "selasa"),
    ("wednesday", "rabu"),
    ("thursday", "kamis"),
    ("friday", "jumat"),
    ("saturday", "sabtu"),
    ("sunday", "minggu"),
)
_SHORT: Final = 3
_ENGLISH: Final = tuple(english[:_SHORT] for english, _ in _NAMES)
_EVERY: Final = frozenset({"every", "daily", "setiap"})


def parse_days(text: str) -> tuple[int, ...]:
    """Return days of the week from `mon-fri`, `sat,sun`, `senin-jumat`, `every`; raise ValueError."""
    days: set[int] = set()
    for part in text.strip().lower().split(","):
        if part.strip() in _EVERY:
            return tuple(range(7))
        first, to, last = part.strip().partition("-")
        begin = _weekday(first)
        end = _weekday(last) if to else begin
        days.update((begin + n) % 7 for n in range((end - begin) % 7 + 1))
    return tuple(sorted(days))


def _weekday(text: str) -> int:
    typed = text.strip()
    for number, names in enumerate(_NAMES):
        if len(typed) >= _SHORT and any(name.startswith(typed) for name in names):
            return number
    raise ValueError(f"{text!r} is no day of the week such as mon or senin")


def format_days(days: Collection[int], names: Sequence[str] = _ENGLISH, every: str = "every") -> str:
    """Write days of the week in the shortest form; in English, or in words of three letters, as `parse_days` reads."""
    if len(days) == len(names):
        return every
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}-{names[run[-1]]}" for run in runs)


def parse_clock(text: str) -> int:
    """Return the minute of the day from `07:00`, `7.30` or `24:00`; raise ValueError."""
    hours, separator, minutes = text.strip().replace(".", ":").partition(":")
    digits = hours + minutes
    if separator and digits.isascii() and digits.isdigit() and len(hours) <= 2 and len(minutes) == 2:
        minute = 60 * int(hours) + int(minutes)
        if int(minutes) < 60 and minute <= DAY_MINUTES:
            return minute
    raise ValueError(f"{text!r} is no time of the day such as 07:00")


def format_clock(minute: int) -> str:
    """Write a minute of the day as `07:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"
