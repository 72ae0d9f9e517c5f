"""Sessions as a projection of what routers reported: no order of the same reports gives another result.

A session's state is a join of its reports: totals are the greatest that was reported, for each local day the first
and the last report are kept, and whatever else a session says is computed from these. So a report seen twice, late,
or in another order leaves the same state, and usage is the difference between two states.

Which reports make one session is a matter of time: a report covers the stretch from the start that it implies to its
own moment, and reports of one identity whose stretches touch belong together. A report that touches two sessions
shows that they are one (`join`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.plans import local_day

START_TOLERANCE: Final = timedelta(seconds=30)
"""How far apart two reports of one session may seem: clocks, delays and whole seconds drift, and no router gives an
Acct-Session-Id to the same device and user again within that time."""

UNDATED_TOLERANCE: Final = timedelta(days=1)
"""The same where a report does not say how long its session has lasted: then only its own moment is known."""

_MAX_SECONDS: Final = 400 * 86_400
"""A report that claims a longer session is taken as one that claims nothing."""


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
    ORPHANED = "orphaned"  # its account has been erased since: charged to nobody
    ESTIMATED = "estimated"  # closed by us after long silence, at its last report
    DECREASED = "decreased"  # the NAS reported smaller counters later


class SessionKey(NamedTuple):
    """Whose Acct-Session-Id: routers repeat ids, and names of routers repeat behind different NASes."""

    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str


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
        if self.session_seconds is None or self.session_seconds > _MAX_SECONDS:
            return None
        return self.event_at - timedelta(seconds=self.session_seconds)

    @property
    def key(self) -> SessionKey:
        """Return the identity under which the report is sorted into sessions."""
        return SessionKey(self.nas_id, self.nas_scope, self.acct_session_id, self.mac, self.user_name)


@dataclass(frozen=True, slots=True)
class NasRestart:
    """Accounting-On or -Off: every session of that NAS and scope that was last heard of before `at` is over."""

    nas_id: str
    nas_scope: str
    at: datetime
    cause: str


class Mark(NamedTuple):
    """The counters at one moment."""

    at: datetime
    up_octets: int
    down_octets: int


class DayMarks(NamedTuple):
    """The first and the last report of one local day."""

    day: date
    first: Mark
    last: Mark


class Proof(NamedTuple):
    """Our Accept behind a session; of several the earliest counts: who went online first is charged.

    `acceptance_id` is "" where only the account is known.
    """

    at: datetime
    acceptance_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """How a session ended: what the NAS said (`reported`), or what its restart or our estimate told.

    `known_at` is the moment of that Stop or restart, or of the last report before we gave up waiting (`estimated`).
    """

    reported: bool
    at: datetime
    cause: str
    known_at: datetime
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One session. `id` is "" until it is stored. Row identity: its key and its start.

    `undated` are the first and the last moment of reports that implied no start; `ip_at` is when `ip` was reported.
    """

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
    proof: Proof | None = None
    site_id: str | None = None
    ip: str | None = None
    ip_at: datetime | None = None
    undated: tuple[datetime, datetime] | None = None
    stop: Stop | None = None
    orphaned: bool = False

    @property
    def state(self) -> SessionState:
        """Tell whether the session is open."""
        return SessionState.OPEN if self.stop is None else SessionState.CLOSED

    @property
    def acceptance_id(self) -> str | None:
        """Return the Accept behind the session; None if none of ours is known."""
        return None if self.proof is None else self.proof.acceptance_id or None

    @property
    def account_id(self) -> str | None:
        """Return the account that the session belongs to; None is unmatched."""
        return None if self.proof is None else self.proof.account_id

    @property
    def key(self) -> SessionKey:
        """Return the identity that all reports of the session share."""
        return SessionKey(self.nas_id, self.nas_scope, self.acct_session_id, self.mac, self.user_name)

    @property
    def flags(self) -> frozenset[Flag]:
        """Tell what is unusual; it follows from the state, so it does not depend on the order of reports either."""
        found = {
            Flag.UNMATCHED: self.proof is None,
            Flag.ORPHANED: self.orphaned,
            Flag.ESTIMATED: self.stop is not None and self.stop.estimated,
            Flag.DECREASED: _decreased(self),
        }
        return frozenset(flag for flag, present in found.items() if present)


def _decreased(session: Session) -> bool:
    """Tell whether a later mark counts less than an earlier one, or the last one less than the totals."""
    up = down = 0
    for _day, first, last in session.marks:
        for _at, mark_up, mark_down in (first, last):
            if mark_up < up or mark_down < down:
                return True
            up, down = mark_up, mark_down
    return up < session.up_octets or down < session.down_octets


# ---- which reports make a session


def same_session(session: Session, report: SessionReport) -> bool:
    """Tell whether a report speaks of this very session: the same key, and a stretch of time that touches it.

    Routers reuse ids (RouterOS after some reboots, PAM the process id): a start after the last report is another
    session. Class does not decide: one session keeps its counters through an Accept of its own re-authentication.
    """
    if session.user_name != report.user_name or session.acct_session_id != report.acct_session_id:
        return False
    if session.mac != report.mac or session.nas_scope != report.nas_scope or session.nas_id != report.nas_id:
        return False
    starts_at = report.starts_at
    if starts_at is None:
        return session.started_at - UNDATED_TOLERANCE <= report.event_at <= session.last_report_at + UNDATED_TOLERANCE
    if (
        session.started_at - START_TOLERANCE <= report.event_at
        and starts_at <= session.last_report_at + START_TOLERANCE
    ):
        return True
    if session.undated is None:
        return False
    first, last = session.undated
    return first - UNDATED_TOLERANCE <= report.event_at and starts_at <= last + UNDATED_TOLERANCE


def find_sessions(candidates: Iterable[Session], report: SessionReport) -> list[Session]:
    """Return the sessions that a report belongs to, earliest first; more than one: the report shows they are one."""
    found = [session for session in candidates if same_session(session, report)]
    return found if len(found) < 2 else sorted(found, key=lambda session: session.started_at)


# ---- joining


def apply_report(session: Session | None, report: SessionReport, *, zone: ZoneInfo) -> Session:
    """Join one report into its session (None: its first); the result does not depend on the order of reports."""
    first = _session_of(report, zone)
    return first if session is None else join(session, first)


def _session_of(report: SessionReport, zone: ZoneInfo) -> Session:
    """Return the session that one report alone tells of."""
    at, starts_at = report.event_at, report.starts_at
    mark = Mark(at, report.up_octets, report.down_octets)
    return Session(
        report.nas_id,
        report.nas_scope,
        report.acct_session_id,
        report.mac,
        report.user_name,
        started_at=at if starts_at is None else starts_at,
        last_report_at=at,
        up_octets=report.up_octets,
        down_octets=report.down_octets,
        session_seconds=report.session_seconds or 0,
        marks=(DayMarks(local_day(at, zone), mark, mark),),
        proof=None if report.account_id is None else Proof(at, report.acceptance_id or "", report.account_id),
        ip=report.ip,
        ip_at=None if report.ip is None else at,
        undated=(at, at) if starts_at is None else None,
        stop=Stop(True, at, report.terminate_cause or "", at) if report.kind is ReportKind.STOP else None,
    )


def join(left: Session, right: Session) -> Session:
    """Return the one session that two states of it tell of; it keeps the id of the left one."""
    last_report_at = max(left.last_report_at, right.last_report_at)
    ip_at, ip = _latest_ip(left, right)
    return Session(
        left.nas_id,
        left.nas_scope,
        left.acct_session_id,
        left.mac,
        left.user_name,
        started_at=min(left.started_at, right.started_at),
        last_report_at=last_report_at,
        up_octets=max(left.up_octets, right.up_octets),
        down_octets=max(left.down_octets, right.down_octets),
        session_seconds=max(left.session_seconds, right.session_seconds),
        marks=_join_marks(left.marks, right.marks),
        id=left.id or right.id,
        proof=_earliest(left.proof, right.proof),
        site_id=left.site_id or right.site_id,
        ip=ip,
        ip_at=ip_at,
        undated=_join_undated(left.undated, right.undated),
        stop=_join_stops(left.stop, right.stop, last_report_at),
        orphaned=left.orphaned or right.orphaned,
    )


def _join_marks(left: tuple[DayMarks, ...], right: tuple[DayMarks, ...]) -> tuple[DayMarks, ...]:
    if left[-1].day < right[0].day:
        return left + right
    if len(left) == 1 and len(right) == 1 and left[0].day == right[0].day:
        return (DayMarks(left[0].day, min(left[0].first, right[0].first), max(left[0].last, right[0].last)),)
    days = {marks.day: marks for marks in left}
    for marks in right:
        known = days.get(marks.day, marks)
        days[marks.day] = DayMarks(marks.day, min(known.first, marks.first), max(known.last, marks.last))
    return tuple(days[day] for day in sorted(days))


def _earliest(left: Proof | None, right: Proof | None) -> Proof | None:
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)


def _latest_ip(left: Session, right: Session) -> tuple[datetime | None, str | None]:
    if left.ip is None or left.ip_at is None or right.ip is None or right.ip_at is None:
        one = right if left.ip is None else left
        return one.ip_at, one.ip
    return max((left.ip_at, left.ip), (right.ip_at, right.ip))


def _join_undated(
    left: tuple[datetime, datetime] | None, right: tuple[datetime, datetime] | None
) -> tuple[datetime, datetime] | None:
    if left is None or right is None:
        return right if left is None else left
    return min(left[0], right[0]), max(left[1], right[1])


def _join_stops(left: Stop | None, right: Stop | None, last_report_at: datetime) -> Stop | None:
    """A Stop of the NAS stands; what we inferred is undone by a report from after it, and ends at the last report."""
    stops = [stop for stop in (left, right) if stop is not None]
    reported = [stop for stop in stops if stop.reported]
    if reported:
        return max(reported, key=lambda stop: (stop.at, stop.cause))
    standing = [stop for stop in stops if stop.known_at >= last_report_at]
    if not standing:
        return None
    return replace(min(standing, key=_precedence), at=last_report_at)


def _precedence(inferred: Stop) -> tuple[bool, datetime, str]:
    """A restart before an estimate; of two restarts the earlier."""
    return inferred.estimated, inferred.known_at, inferred.cause


# ---- ends that no Stop reported


def apply_restart(session: Session, restart: NasRestart) -> Session:
    """End a session that a restart of its NAS has ended: one that began before it and was not heard of since."""
    if session.last_report_at > restart.at or session.started_at >= restart.at:
        return session
    inferred = Stop(False, session.last_report_at, restart.cause, restart.at)
    return replace(session, stop=_join_stops(session.stop, inferred, session.last_report_at))


def apply_restarts(session: Session, restarts: Iterable[NasRestart]) -> Session:
    """Apply all known restarts of the session's NAS and scope: a late report does not outlive the restart after it."""
    if session.stop is not None and session.stop.reported:
        return session
    for restart in restarts:
        session = apply_restart(session, restart)
    return session


def close_stale(session: Session) -> Session:
    """End a session that has been silent too long, as an estimate: later news reopens or corrects it."""
    if session.stop is not None:
        return session
    at = session.last_report_at
    return replace(session, stop=Stop(False, at, "lost", at, estimated=True))


def recognise(session: Session, proof: Proof) -> Session:
    """Join an Accept that was found after the reports it belongs to."""
    return replace(session, proof=_earliest(session.proof, proof))
