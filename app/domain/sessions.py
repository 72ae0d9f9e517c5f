"""Sessions as a projection of what routers reported: no order of the same reports gives another result.

A session's state is a join of its reports: for each local day the first and the last report are kept, and whatever
else a session says is computed from these; its totals are counted from all readings in order (`app.domain.counters`).
So a report seen twice, late, or in another order leaves the same state, and usage is the difference between two states.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.domain.addresses import Address
from app.domain.counters import NO_EXCESS, Counting
from app.domain.ends import Stop, join_stops
from app.domain.marks import DayMarks, Mark
from app.domain.moves import Moves
from app.domain.reports import NasRestart, SessionKey


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
