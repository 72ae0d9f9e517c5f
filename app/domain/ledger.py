"""A batch of reports, applied in memory: what was stored, what became of it, and what accounts gain by it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.joining import apply_report, find_sessions, join, recognise, settle
from app.domain.marks import Cuts
from app.domain.nases import SiteOfNas
from app.domain.online import Moved, moved
from app.domain.readings import Reading
from app.domain.reports import NasRestart, SessionKey, SessionReport
from app.domain.sessions import Proof, Session, apply_restarts
from app.domain.usage import DayUsage, FreeTimes, never_free, usage_moved

_NO_SITE: Final = SiteOfNas(None, None)
Scope = tuple[str, str]
"""NAS id and NAS scope."""


class Ledger:
    """Sessions as reports change them. Give it every stored session that the reports may belong to, once."""

    def __init__(
        self, zone: ZoneInfo, sites: Mapping[str, SiteOfNas], new_id: Callable[[], str], cuts: Cuts = ()
    ) -> None:
        self._zone, self._cuts = zone, cuts
        self._sites = sites  # by NAS id
        self._new_id = new_id
        self._stored: dict[str, Session] = {}
        self._by_key: dict[SessionKey, list[Session]] = {}
        self._reports: dict[str, list[SessionReport]] = {}  # of this batch
        self.absorbed: dict[str, str] = {}  # id -> id of the session that it turned out to be a part of

    def load(self, stored: Iterable[Session]) -> None:
        """Take stored sessions; one that is known already is not taken again."""
        for session in stored:
            if session.id not in self._stored:
                self._stored[session.id] = session
                self._by_key.setdefault(session.key, []).append(session)

    def record(self, report: SessionReport) -> str:
        """Apply one report; return the id of its session (`survivor` tells whether it still stands at the end)."""
        sessions = self._by_key.setdefault(report.key, [])
        parts = find_sessions(sessions, report)
        if not parts:
            site = self._sites.get(report.nas_id, _NO_SITE)
            session = apply_report(None, report, zone=self._zone, cuts=self._cuts, link_bps=site.capacity_bps)
            session = session._replace(id=self._new_id(), site_id=site.id)
            sessions.append(session)
            self._reports[session.id] = [report]
            return session.id
        session = apply_report(parts[0], report, zone=self._zone, cuts=self._cuts)
        for part in parts[1:]:
            session = join(session, part)
            self.absorbed[part.id] = session.id
            sessions.remove(part)
        sessions[sessions.index(parts[0])] = session
        self._reports.setdefault(session.id, []).append(report)
        return session.id

    def unsettled(self) -> dict[str, list[str]]:
        """Return the sessions to be settled, each with the ids under which its stored reports stand."""
        found: dict[str, list[str]] = {
            session.id: [] for session in self.sessions() if session.counting is None and session.id in self._reports
        }
        if found:
            for stored in self._stored:
                survivor = self.survivor(stored)
                if survivor in found:
                    found[survivor].append(stored)
        return found

    def settle(self, stored: Mapping[str, Sequence[Reading | None]]) -> None:
        """Settle by the stored readings under each id; one of which a reading is not kept (None) cannot be."""
        known: dict[str, list[Reading | None]] = {}
        for session_id, reports in self._reports.items():
            known.setdefault(self.survivor(session_id), []).extend(report.reading for report in reports)
        for session_id, kept in stored.items():
            known.setdefault(self.survivor(session_id), []).extend(kept)
        whole: dict[str, list[Reading]] = {}
        for session_id in self.unsettled():
            readings = [reading for reading in known[session_id] if reading is not None]
            if len(readings) == len(known[session_id]):
                whole[session_id] = readings
        self._update(
            lambda one: settle(one, whole[one.id], zone=self._zone, cuts=self._cuts) if one.id in whole else one
        )

    def survivor(self, session_id: str) -> str:
        """Return the id under which a session is stored in the end."""
        while session_id in self.absorbed:
            session_id = self.absorbed[session_id]
        return session_id

    def restart(self, restarts: Mapping[Scope, Sequence[NasRestart]]) -> None:
        """Apply the restarts of each NAS and scope to all sessions here."""
        self._update(lambda session: apply_restarts(session, restarts.get((session.nas_id, session.nas_scope), ())))

    def recognise(self, proofs: Mapping[str, Proof]) -> None:
        """Join Accepts, by session id, that were found beside the reports."""
        self._update(lambda session: recognise(session, proofs[session.id]) if session.id in proofs else session)

    def orphan(self, accounts: Iterable[str]) -> None:
        """Mark the sessions whose account is not among those that exist."""
        known = {None, *accounts}
        self._update(
            lambda session: (
                session
                if session.orphaned is (session.account_id not in known)
                else session._replace(orphaned=not session.orphaned)
            )
        )

    def _update(self, change: Callable[[Session], Session]) -> None:
        for sessions in self._by_key.values():
            sessions[:] = [change(session) for session in sessions]

    def sessions(self) -> Iterator[Session]:
        """Give every session as it stands."""
        for sessions in self._by_key.values():
            yield from sessions

    def accounts(self) -> set[str]:
        """Return the accounts to which sessions here belong, or have belonged: an earlier Accept may take one away."""
        every = (*self.sessions(), *self._stored.values())
        return {session.account_id for session in every if session.account_id is not None}

    def changed(self) -> list[Session]:
        """Return the sessions that must be written."""
        return [session for session in self.sessions() if self._stored.get(session.id) != session]

    def begun(self) -> set[str]:
        """Return the accounts of open sessions that are new in this batch, or whose account is."""
        found: set[str] = set()
        for session in self.changed():
            before = self._stored.get(session.id)
            known = before is not None and before.account_id == session.account_id
            if session.account_id is not None and session.stop is None and not known:
                found.add(session.account_id)
        return found

    def stopped(self) -> Iterator[Session]:
        """Give the sessions of accounts that a Stop has ended in this batch; the same Stop again ends none."""
        for session in self.changed():
            if session.stop is None or not session.stop.reported or session.account_id is None:
                continue
            before = self._stored.get(session.id)
            if before is None or (before.stop, before.account_id) != (session.stop, session.account_id):
                yield session

    def gone(self) -> list[str]:
        """Return the ids of stored sessions that are parts of others now."""
        return [session_id for session_id in self.absorbed if session_id in self._stored]

    def usage_moved(self, free: FreeTimes = never_free) -> Mapping[tuple[str, date], DayUsage]:
        """Return what each account's days gain or lose; `free` tells when a session was free of charge."""
        changed = self.changed()
        before = [self._stored[session.id] for session in changed if session.id in self._stored]
        before += [self._stored[session_id] for session_id in self.gone()]
        return usage_moved(before, changed, zone=self._zone, free=free)

    def online_moved(self) -> Moved:
        """Return when accounts were online in what has changed."""
        parts: dict[str, list[Session]] = {}
        for session_id, stored in self._stored.items():
            parts.setdefault(self.survivor(session_id), []).append(stored)
        return moved(((parts.get(session.id, []), session) for session in self.changed()), self._zone)
