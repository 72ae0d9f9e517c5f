"""How reports are joined into sessions: in any order, late or twice, the same reports give the same session.

Which reports make one session is a matter of time: a report covers the stretch from the start that it implies to its
own moment, and reports of one identity whose stretches touch belong together. A report that touches two sessions
shows that they are one (`join`).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.addresses import addresses_said, join_addresses
from app.domain.counters import Count, Counting, count, count_on, nothing_counted
from app.domain.ends import Stop, join_stops
from app.domain.marks import Cuts, DayMarks, Mark, day_marks, join_marks, part_of
from app.domain.moves import Moves, join_moves, moves_of
from app.domain.readings import Reading
from app.domain.reports import ReportKind, SessionReport
from app.domain.sessions import Proof, Session

START_TOLERANCE: Final = timedelta(seconds=30)
"""How far apart two reports of one session may seem: clocks, delays and whole seconds drift, and no router gives an
Acct-Session-Id to the same device and user again within that time."""

UNDATED_TOLERANCE: Final = timedelta(days=1)
"""The same where a report does not say how long its session has lasted: then only its own moment is known."""


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


def recognise(session: Session, proof: Proof) -> Session:
    """Join an Accept that was found after the reports it belongs to."""
    return session._replace(proof=_earliest(session.proof, proof))
