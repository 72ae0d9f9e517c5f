"""Sessions as a projection of what routers reported: no order of the same reports gives another result.

A session's state is a join of its reports. Totals are the greatest that was reported; for each local day the first
and the last report are kept; whatever else a session says is computed from these. So a report seen twice, late, or
in another order leaves the same state, and usage is the difference between two states.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.plans import day_begins_at, local_day

START_TOLERANCE: Final = timedelta(minutes=2)
"""How far two reports may disagree about one session's start: clocks and delays drift by seconds, and no router
reuses an Acct-Session-Id for the same device within two minutes."""

_MAX_DAYS: Final = 400
"""A session that claims to be older than this began at its first report instead."""


class ReportKind(StrEnum):
    """Acct-Status-Type of one session (RFC 2866 section 5.1)."""

    START = "start"
    INTERIM = "interim"
    STOP = "stop"


class SessionState(StrEnum):
    """Open until the NAS, its restart, or long silence ends it."""

    OPEN = "open"
    CLOSED = "closed"


class Flag(StrEnum):
    """What is unusual about a session, shown to people."""

    UNMATCHED = "unmatched"  # no login of ours stands behind it: charged to nobody
    ESTIMATED = "estimated"  # closed by us after long silence, at its last report
    DECREASED = "decreased"  # the NAS reported smaller counters later


@dataclass(frozen=True, slots=True)
class SessionReport:
    """One Start, Interim-Update or Stop, in our words: whole octet counts since the session began, by the user's view.

    `nas_scope` is the NAS-Identifier, else the address. `acceptance_id` and `account_id` are proven by Class, or by a
    recent Accept for this user name, NAS and MAC; None is unmatched. `mac` is "" where the NAS names no device.
    `event_at` is when it happened (standards: Event-Timestamp if plausible, else arrival minus Acct-Delay-Time).
    """

    kind: ReportKind
    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str
    event_at: datetime
    up_octets: int
    down_octets: int
    session_seconds: int | None = None
    acceptance_id: str | None = None
    account_id: str | None = None
    ip: str | None = None
    terminate_cause: str | None = None

    @property
    def starts_at(self) -> datetime | None:
        """Return the start that the report implies; None if it does not say how long the session has lasted."""
        if self.kind is ReportKind.START:
            return self.event_at
        if self.session_seconds is None or self.session_seconds > _MAX_DAYS * 86_400:
            return None
        return self.event_at - timedelta(seconds=self.session_seconds)


@dataclass(frozen=True, slots=True)
class NasRestart:
    """Accounting-On or -Off: every session of that scope that was last heard of before `at` is over."""

    nas_id: str
    nas_scope: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """The counters at one moment."""

    at: datetime
    up_octets: int
    down_octets: int


@dataclass(frozen=True, slots=True)
class DayMarks:
    """The first and the last report of one local day."""

    day: date
    first: Mark
    last: Mark


@dataclass(frozen=True, slots=True)
class Session:
    """One session. `id` is "" until it is stored. Row identity: scope, Acct-Session-Id, MAC and start."""

    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str
    started_at: datetime
    last_report_at: datetime
    up_octets: int
    down_octets: int
    session_seconds: int
    marks: tuple[DayMarks, ...]
    id: str = ""
    acceptance_id: str | None = None
    account_id: str | None = None
    site_id: str | None = None
    ip: str | None = None
    stop: "Stop | None" = None
    flags: frozenset[Flag] = frozenset()

    @property
    def state(self) -> SessionState:
        """Tell whether the session is open."""
        return SessionState.OPEN if self.stop is None else SessionState.CLOSED


@dataclass(frozen=True, slots=True, order=True)
class Stop:
    """How a session ended: what the NAS said (`reported`), or what its restart or silence told us."""

    reported: bool
    at: datetime
    cause: str


def same_session(session: Session, report: SessionReport) -> bool:
    """Tell whether a report with the session's scope, Acct-Session-Id and MAC speaks of this very session.

    Routers reuse ids (RouterOS after some reboots, PAM the process id). An Accept is answered by one session, so
    where both carry one it decides; otherwise the implied start does.
    """
    if session.acceptance_id is not None and report.acceptance_id is not None:
        return session.acceptance_id == report.acceptance_id
    starts_at = report.starts_at
    if starts_at is not None:
        return abs(starts_at - session.started_at) <= START_TOLERANCE
    ended_at = session.stop.at if session.stop is not None else None
    return session.started_at - START_TOLERANCE <= report.event_at and (
        ended_at is None or report.event_at <= ended_at + START_TOLERANCE
    )


def find_session(candidates: Iterable[Session], report: SessionReport) -> Session | None:
    """Return the session that a report belongs to, the latest if several fit."""
    fitting = [session for session in candidates if same_session(session, report)]
    return max(fitting, key=lambda session: session.started_at, default=None)


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Octets of one local day."""

    up_octets: int = 0
    down_octets: int = 0

    @property
    def octets(self) -> int:
        """Return up and down together."""
        return self.up_octets + self.down_octets


def apply_report(session: Session | None, report: SessionReport, *, zone: ZoneInfo) -> Session:
    """Join one report into its session (None: its first); the result does not depend on the order of reports."""
    day = local_day(report.event_at, zone)
    mark = Mark(report.event_at, report.up_octets, report.down_octets)
    stop = _stop_of(report)
    starts_at = report.starts_at or report.event_at
    seconds = report.session_seconds or 0
    if session is None:
        return Session(
            nas_id=report.nas_id,
            nas_scope=report.nas_scope,
            acct_session_id=report.acct_session_id,
            mac=report.mac,
            user_name=report.user_name,
            started_at=min(starts_at, report.event_at),
            last_report_at=report.event_at,
            up_octets=report.up_octets,
            down_octets=report.down_octets,
            session_seconds=seconds,
            marks=(DayMarks(day, mark, mark),),
            acceptance_id=report.acceptance_id,
            account_id=report.account_id,
            ip=report.ip,
            stop=stop,
            flags=frozenset() if report.account_id is not None else frozenset({Flag.UNMATCHED}),
        )
    account_id = session.account_id if session.account_id is not None else report.account_id
    newest = report.event_at >= session.last_report_at
    return replace(
        session,
        started_at=min(session.started_at, starts_at),
        last_report_at=max(session.last_report_at, report.event_at),
        up_octets=max(session.up_octets, report.up_octets),
        down_octets=max(session.down_octets, report.down_octets),
        session_seconds=max(session.session_seconds, seconds),
        marks=_with_mark(session.marks, day, mark),
        acceptance_id=session.acceptance_id if session.acceptance_id is not None else report.acceptance_id,
        account_id=account_id,
        ip=report.ip if report.ip is not None and (newest or session.ip is None) else session.ip,
        stop=_later_stop(_still_stopped(session.stop, report), stop),
        flags=_flags(session, report, account_id),
    )


def _stop_of(report: SessionReport) -> Stop | None:
    if report.kind is not ReportKind.STOP:
        return None
    return Stop(reported=True, at=report.event_at, cause=report.terminate_cause or "")


def _still_stopped(stop: Stop | None, report: SessionReport) -> Stop | None:
    """A stop that we inferred is undone by news from after it; one that the NAS reported stands."""
    if stop is not None and not stop.reported and report.event_at > stop.at:
        return None
    return stop


def _later_stop(left: Stop | None, right: Stop | None) -> Stop | None:
    """A reported stop before an inferred one; of two of a kind the later."""
    return max((s for s in (left, right) if s is not None), default=None)


def _with_mark(marks: tuple[DayMarks, ...], day: date, mark: Mark) -> tuple[DayMarks, ...]:
    for index, known in enumerate(marks):
        if known.day == day:
            joined = DayMarks(day, min(known.first, mark), max(known.last, mark))
            return marks if joined == known else (*marks[:index], joined, *marks[index + 1 :])
    return tuple(sorted((*marks, DayMarks(day, mark, mark)), key=lambda known: known.day))


def _flags(session: Session, report: SessionReport, account_id: str | None) -> frozenset[Flag]:
    flags = session.flags
    if account_id is not None:
        flags -= {Flag.UNMATCHED}
    if report.event_at > session.last_report_at:
        flags -= {Flag.ESTIMATED}
    return flags


def apply_restart(session: Session, restart: NasRestart) -> Session:
    """End a session that its NAS's restart has ended: one that began before it and was not heard of since."""
    if session.last_report_at > restart.at or session.started_at > restart.at:
        return session
    inferred = Stop(reported=False, at=session.last_report_at, cause=restart.cause)
    return replace(session, stop=_later_stop(session.stop, inferred))


def close_stale(session: Session) -> Session:
    """End a session that has been silent too long, as an estimate: later news reopens or corrects it."""
    inferred = Stop(reported=False, at=session.last_report_at, cause="lost")
    return replace(session, stop=_later_stop(session.stop, inferred), flags=session.flags | {Flag.ESTIMATED})


def usage_by_day(session: Session, *, zone: ZoneInfo) -> Mapping[date, DayUsage]:
    """Cut a session's totals at local midnights.

    What was used between two reports on either side of a midnight is divided evenly over the time between them; the
    parts of a session add up to its totals, to the octet.
    """
    points = _points(session)
    first_day = local_day(points[0].at, zone)
    last_day = local_day(points[-1].at, zone)
    usage: dict[date, DayUsage] = {}
    up_before = down_before = 0
    day = first_day
    while day < last_day:
        next_day = day + timedelta(days=1)
        boundary = day_begins_at(next_day, zone)
        up, down = _at(points, boundary)
        usage[day] = DayUsage(up - up_before, down - down_before)
        up_before, down_before = up, down
        day = next_day
    usage[last_day] = DayUsage(session.up_octets - up_before, session.down_octets - down_before)
    return {day: used for day, used in usage.items() if used != DayUsage()}


def _points(session: Session) -> list[Mark]:
    """Return the known counters in time order, made monotonic: start at zero, then each day's first and last."""
    start = Mark(session.started_at, 0, 0)
    points = [start]
    for marks in session.marks:
        for mark in (marks.first, marks.last):
            if mark.at >= start.at:
                last = points[-1]
                points.append(
                    Mark(mark.at, max(last.up_octets, mark.up_octets), max(last.down_octets, mark.down_octets))
                )
    return points


def _at(points: list[Mark], at: datetime) -> tuple[int, int]:
    """Return the counters at a moment between the first and the last point, by straight lines."""
    for left, right in pairwise(points):
        if left.at <= at <= right.at:
            span = (right.at - left.at) // timedelta(microseconds=1)
            part = (at - left.at) // timedelta(microseconds=1)
            if span == 0:
                return right.up_octets, right.down_octets
            return (
                left.up_octets + (right.up_octets - left.up_octets) * part // span,
                left.down_octets + (right.down_octets - left.down_octets) * part // span,
            )
    return points[-1].up_octets, points[-1].down_octets


def usage_added(before: Session | None, after: Session, *, zone: ZoneInfo) -> Mapping[date, DayUsage]:
    """Return what must be added to an account's days when its session goes from `before` to `after`.

    A session that had no account yet is charged whole once it gets one. Values may be negative: a nearer report
    moves usage from one day to another.
    """
    if after.account_id is None:
        return {}
    new = usage_by_day(after, zone=zone)
    old = usage_by_day(before, zone=zone) if before is not None and before.account_id is not None else {}
    changed: dict[date, DayUsage] = {}
    for day in {*new, *old}:
        n, o = new.get(day, DayUsage()), old.get(day, DayUsage())
        if n != o:
            changed[day] = DayUsage(n.up_octets - o.up_octets, n.down_octets - o.down_octets)
    return changed
