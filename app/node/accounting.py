"""What a node's memory makes of accounting that is safe in its journal. No I/O here.

Memory is an estimate that serves the next decision; the database, which gets every record by ingest, is exact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain.reports import NasRestart, SessionReport, Unusable
from app.domain.resume import LOG_OUT_CAUSE
from app.node.nases import KnownNas, NasTable
from app.node.octets import Place
from app.node.reports import ReportingNas, to_report
from app.node.sessions import Sessions
from app.node.snapshot import Snapshot
from radius.attributes import Attributes
from radius.codes import StatusType
from radius.vendors import profile_for
from radius.vendors.profile import Direction

_UNKNOWN_PROFILE: Final = profile_for("generic")


OnReport = Callable[[SessionReport, Attributes, float], None]
"""Hears of a report, what it was read from, and when that arrived."""


@dataclass(slots=True)
class Counters:
    """What was reported since the start."""

    reports: int = 0
    restarts: int = 0
    unusable: int = 0
    unmatched: int = 0  # sessions that no Accept of ours stands behind


class Accountant:
    """Moves the snapshot's sessions on, under its lock, and tells `on_report`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.counters = Counters()
        self.on_report: OnReport | None = None
        self._snapshot = snapshot

    def take(
        self,
        nas_id: str,
        attributes: Attributes,
        status_type: StatusType | int | None,
        *,
        source: str,
        arrived_at: float,
        place: Place,
        fresh: bool = True,
    ) -> None:
        """Take one record that stands at `place` in our journal; `fresh`: the database does not hold it yet."""
        report = to_report(
            attributes,
            status_type,
            nas=reporting_nas(self._snapshot.nases, nas_id),
            source=source,
            arrived_at=arrived_at,
            class_key=self._snapshot.keyring.class_key,
        )
        match report:
            case SessionReport():
                self.counters.reports += 1
                self._take_report(report, place, fresh=fresh)
                if self.on_report is not None:
                    self.on_report(report, attributes, arrived_at)
            case NasRestart():
                self.counters.restarts += 1
                self._snapshot.sessions.take_restart(report.nas_id, report.nas_scope, report.at.timestamp())
            case Unusable():
                self.counters.unusable += 1

    def _take_report(self, report: SessionReport, place: Place, *, fresh: bool) -> None:
        sessions = self._snapshot.sessions
        matched = report if report.account_id is not None else _matched(report, sessions)
        if matched.account_id is None:
            self.counters.unmatched += 1
        left = sessions.take_report(matched, place)
        nas = self._snapshot.nases.by_id.get(report.nas_id)
        logged_out = left and report.terminate_cause == LOG_OUT_CAUSE
        if fresh and logged_out and nas is not None and matched.account_id is not None:
            self._snapshot.note_log_out(report.mac, matched.account_id, nas.nas.site_id)


def reporting_nas(nases: NasTable, nas_id: str) -> ReportingNas:
    """Return how to read what a NAS reports; one that was removed meanwhile is read as a generic one."""
    known: KnownNas | None = nases.by_id.get(nas_id)
    if known is None:
        return ReportingNas(nas_id, _UNKNOWN_PROFILE, Direction.AUTO)
    return ReportingNas(nas_id, known.profile, known.direction)


def _matched(report: SessionReport, sessions: Sessions) -> SessionReport:
    """Tie a report without Class to the latest Accept for its user name, NAS and MAC."""
    accepted = sessions.accepted_here(report.nas_id, report.mac, report.user_name) if report.mac else None
    if accepted is None:
        return report
    account_id, acceptance_id = accepted
    return report._replace(account_id=account_id, acceptance_id=acceptance_id or None)
