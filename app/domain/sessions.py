"""Sessions as a projection of what routers reported: no order of the same reports gives another result.

A session's state is a join of its reports: for each local day the first and the last report are kept, and whatever
else a session says is computed from these; its totals are counted from all readings in order (`app.domain.counters`).
So a report seen twice, late, or in another order leaves the same state, and usage is the difference between two states.

Which reports make one session is a matter of time: a report covers the stretch from the start that it implies to its
own moment, and reports of one identity whose stretches touch belong together. A report that touches two sessions
shows that they are one (`join`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.addresses import Address, AddressKind, addresses_said, join_addresses
from app.domain.counters import NO_EXCESS, Count, Counting, count, count_on, nothing_counted
from app.domain.ends import Stop, join_stops
from app.domain.marks import Cuts, DayMarks, Mark, day_marks, join_marks, part_of
from app.domain.moves import Moves, join_moves, moves_of
from app.domain.readings import Reading

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
    WRAPPED = "wrapped"  # because a counter of 32 bits passed its end
    RESET = "reset"  # because it began to count anew
    IMPLAUSIBLE = "implausible"  # more than its line can have carried, or its packets held: charged only up to that


class SessionKey(NamedTuple):
    """Whose Acct-Session-Id: routers repeat ids, and names of routers repeat behind different NASes."""

    nas_id: str
    nas_scope: str
    acct_session_id: str
    mac: str
    user_name: str


class SessionReport(NamedTuple):
    """One Start, Interim-Update or Stop, in our words: whole octet counts since the session began, by the user's view.

    `nas_scope` is the NAS-Identifier, else the address. `acceptance_id` and `account_id` are proven by Class, or by a
    recent Accept for this user name, NAS and MAC; None is unmatched. `mac` is "" where the NAS names no device.
    `event_at` is when it happened (standards: Event-Timestamp if plausible, else arrival minus Acct-Delay-Time).
    Packets are None where the router counts none; `has_octets` and `has_gigawords` tell whether it said any.
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
    up_packets: int | None = None
    down_packets: int | None = None
    addresses: tuple[tuple[AddressKind, str], ...] = ()
    has_octets: bool = True
    has_gigawords: bool = True

    @property
    def reading(self) -> Reading:
        """Return what the report says of the counters."""
        starts_at = self.starts_at
        return Reading(
            seconds=0 if self.kind is ReportKind.START else self.session_seconds if starts_at is not None else None,
            at=self.event_at,
            up=self.up_octets,
            down=self.down_octets,
            up_packets=self.up_packets,
            down_packets=self.down_packets,
            counted=self.has_octets,
            wide=self.has_gigawords,
            final=self.kind is ReportKind.STOP,
        )

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


class Proof(NamedTuple):
    """Our Accept behind a session; of several the earliest counts: who went online first is charged.

    `acceptance_id` is "" where only the account is known.
    """

    at: datetime
    acceptance_id: str
    account_id: str


class Session(NamedTuple):
    """One session. `id` is "" until it is stored. Row identity: its key and its start.

    `undated` are the first and the last moment of reports that implied no start; `ip_at` is when `ip` was reported.
    `counting` is None where all its readings must be looked at again (`settle`), and for good where some are not kept.
    `link_bps` is the capacity of the site when the session was first heard of; None: nobody knows. `moves` is None for
    sessions from before it was kept.
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
    counting: Counting | None = None
    link_bps: int | None = None
    addresses: tuple[Address, ...] = ()
    moves: Moves | None = None

    @property
    def moved_at(self) -> datetime:
        """Return when the last data had moved; the last report where the router counts none, or nobody knows."""
        if self.moves is None or not self.moves.counted:
            return self.last_report_at
        return self.moves.last(self.charged) or self.started_at

    @property
    def charged(self) -> Mark:
        """Return what is charged of the totals until the last report."""
        excess = NO_EXCESS if self.counting is None else self.counting.excess
        return Mark(self.last_report_at, self.up_octets - excess.up, self.down_octets - excess.down)

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
            Flag.DECREASED: self.counting is None and _decreased(self),
        }
        odd = () if self.counting is None else (Flag(oddity.value) for oddity in self.counting.oddities)
        return frozenset(flag for flag, present in found.items() if present).union(odd)


def _decreased(session: Session) -> bool:
    """Tell whether a later mark counts less than an earlier one, or the last one less than the totals."""
    up = down = 0
    for _day, first, last, _ in session.marks:
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


def apply_report(
    session: Session | None, report: SessionReport, *, zone: ZoneInfo, cuts: Cuts = (), link_bps: int | None = None
) -> Session:
    """Join one report into its session (None: its first); the result does not depend on the order of reports.

    A report that goes on from the last one is counted at once; any other leaves a session that must be settled.
    `cuts` divide the days for which reports are kept apart; `link_bps` is the capacity of the line behind which the
    first report was made.
    """
    started_at = report.starts_at or report.event_at
    if session is None:
        counted = count_on(nothing_counted(started_at), report.reading, started_at, link_bps)
        return _session_of(report, part_of(report.event_at, zone, cuts), counted)._replace(link_bps=link_bps)
    if session.counting is None or (session.undated is not None and started_at < session.started_at):
        return join(
            session, _session_of(report, part_of(report.event_at, zone, cuts))
        )  # an earlier start moves the ages of undated readings
    before = Count(session.up_octets, session.down_octets, (), session.counting)
    counted = count_on(before, report.reading, session.started_at, session.link_bps)
    part = part_of(report.event_at, zone, cuts)
    return join(session, _session_of(report, part, counted), None if counted is None else counted.counting)


def settle(session: Session, readings: Sequence[Reading], *, zone: ZoneInfo, cuts: Cuts = ()) -> Session:
    """Count a session from all its readings."""
    counted = count(readings, started_at=session.started_at, link_bps=session.link_bps)
    return session._replace(
        up_octets=counted.up_octets,
        down_octets=counted.down_octets,
        marks=day_marks(counted.marks, zone, cuts),
        counting=counted.counting,
        moves=moves_of(counted.marks, counted=any(reading.counted for reading in readings)),
    )


def _session_of(report: SessionReport, part: tuple[date, int], counted: Count | None = None) -> Session:
    """Return the session that one report alone tells of; `counted` is what had been used by then, if it is known."""
    at, starts_at = report.event_at, report.starts_at
    mark = Mark(at, report.up_octets, report.down_octets) if counted is None else counted.mark(at)
    return Session(
        report.nas_id,
        report.nas_scope,
        report.acct_session_id,
        report.mac,
        report.user_name,
        started_at=at if starts_at is None else starts_at,
        last_report_at=at,
        up_octets=report.up_octets if counted is None else counted.up_octets,
        down_octets=report.down_octets if counted is None else counted.down_octets,
        session_seconds=report.session_seconds or 0,
        marks=(DayMarks(part[0], mark, mark, part[1]),),
        proof=None if report.account_id is None else Proof(at, report.acceptance_id or "", report.account_id),
        ip=report.ip,
        ip_at=None if report.ip is None else at,
        undated=(at, at) if starts_at is None else None,
        stop=Stop(True, at, report.terminate_cause or "", at) if report.kind is ReportKind.STOP else None,
        counting=None if counted is None else counted.counting,
        addresses=addresses_said(at, report.addresses) if report.addresses else (),
        moves=Moves(at, at, report.has_octets),
    )


def join(left: Session, right: Session, counting: Counting | None = None) -> Session:
    """Return the one session that two states of it tell of; it keeps the id of the left one.

    Without `counting` it is to be settled, and until then its totals are the greatest that was reported.
    """
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
        marks=join_marks(left.marks, right.marks),
        id=left.id or right.id,
        proof=_earliest(left.proof, right.proof),
        site_id=left.site_id or right.site_id,
        ip=ip,
        ip_at=ip_at,
        undated=_join_undated(left.undated, right.undated),
        stop=join_stops(left.stop, right.stop, last_report_at),
        orphaned=left.orphaned or right.orphaned,
        counting=counting,
        addresses=join_addresses(left.addresses, right.addresses),
        link_bps=max((left.link_bps, right.link_bps), key=lambda bps: bps or 0),
        moves=join_moves(_moves(left), left.charged, _moves(right), right.charged),
    )


def _moves(session: Session) -> Moves:
    return session.moves or Moves(session.last_report_at, session.last_report_at, counted=False)


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


# ---- ends that no Stop reported


def apply_restart(session: Session, restart: NasRestart) -> Session:
    """End a session that a restart of its NAS has ended: one that began before it and was not heard of since."""
    if session.last_report_at > restart.at or session.started_at >= restart.at:
        return session
    inferred = Stop(False, session.last_report_at, restart.cause, restart.at)
    return session._replace(stop=join_stops(session.stop, inferred, session.last_report_at))


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
    return session._replace(stop=Stop(False, at, "lost", at, estimated=True))


def recognise(session: Session, proof: Proof) -> Session:
    """Join an Accept that was found after the reports it belongs to."""
    return session._replace(proof=_earliest(session.proof, proof))
