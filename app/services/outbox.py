"""The outbox at work: what is due is claimed with all that sending it needs, and what came of it is recorded.

What a change says is decided here, after it was claimed: whatever moves later queues another one.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, ceilings, changes, events, feed, hints, nases, resume, sessions, sites
from app.db.changes import Due, Lane
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.hints import Notice
from app.domain.access import End, Grant, reconsider
from app.domain.changes import Answer, Change, ChangeKind, ChangeState, Result, Way
from app.domain.granted import Limits, limits_of
from app.domain.hints import HintKind
from app.domain.local_time import local_day
from app.domain.nases import Nas
from app.domain.resume import grant_for
from app.domain.sessions import Session
from app.services.changes import UNCONDITIONAL, ask_again
from app.services.held import held_limits
from app.services.keyring import Keyring
from app.services.nases import open_secrets
from app.services.stale import close_denied
from app.services.usage import usages_of

LEASE: Final = timedelta(minutes=3)
"""How long a claim holds: longer than every try of one change takes together."""


ROOM_OF_LANE: Final = 16
"""How many changes are on their way to one router at a time: its own CPU is small."""

_LOOKED_AT: Final = 256


class Busy(NamedTuple):
    """What is on its way already: what room is left altogether and to the routers known, and of which sessions."""

    room: int
    rooms: Mapping[Lane, int]
    sessions: Collection[str]


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed change. `granted` None: the session is to end. `secrets` are those in force, the newest first.

    `packet` is the last accounting packet of the session and `source` whence it came, None where there is none.
    `left` is what the account may use altogether, `held` what the session was told, counted from its start.
    """

    change: Change
    lane: Lane
    nas: Nas
    secrets: tuple[str, ...]
    packet: bytes | None
    source: str | None
    down_octets: int
    up_octets: int
    elapsed_seconds: int
    granted: Limits | None
    left: Limits
    held: Limits | None
    resumes: bool


class Outcome(NamedTuple):
    """What came of one job. `told` is what the session is held to since; `way` None: nothing was sent."""

    job: Job
    answer: Answer
    way: Way | None = None
    told: Limits | None = None


def claim(database: Database, keyring: Keyring, *, busy: Busy, now: datetime, zone: ZoneInfo) -> list[Job]:
    """Claim what is due and finds room; what needs no router is finished here.

    Of one session one change is on its way at a time, or an older one might arrive last.
    """
    full = [lane for lane, room in busy.rooms.items() if room == 0]
    with database.read() as connection:
        found = _fitting(changes.due(connection, now=now, full=full, limit=_LOOKED_AT), busy)
    if not found:
        return []
    with database.write() as connection:
        mine = [due for due in found if changes.claim(connection, due.change.id, retry_at=now + LEASE)]
    with database.read() as connection:
        jobs, moot = _Gathering(connection, keyring, mine, now, zone).jobs()
    if moot:
        with database.write() as connection:
            for change, result in moot:
                _finish(connection, change.id, Answer(ChangeState.DONE, result), now=now)
    return jobs


def _fitting(found: Iterable[Due], busy: Busy) -> list[Due]:
    rooms, sessions_busy = dict(busy.rooms), set(busy.sessions)
    fitting: list[Due] = []
    for due in found:
        left = rooms.setdefault(due.lane, ROOM_OF_LANE)
        if left == 0 or due.change.session_id in sessions_busy or len(fitting) == busy.room:
            continue
        rooms[due.lane] = left - 1
        sessions_busy.add(due.change.session_id)
        fitting.append(due)
    return fitting


def record(database: Database, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Record what came of jobs; a session that its NAS does not know of is closed here."""
    gone = [one.job.change.session_id for one in outcomes if one.answer.result is Result.NO_SESSION]
    with database.write() as connection:
        for one in outcomes:
            told = "" if one.told is None else _text(one.told)
            _finish(connection, one.job.change.id, one.answer, now=now, way=one.way, payload=told)
        _hint(connection, outcomes, now)
    if gone:
        close_denied(database, gone, now=now)


def release(database: Database, change_ids: Iterable[str], *, now: datetime) -> None:
    """Give back what was claimed and will not be sent from here."""
    with database.write() as connection:
        for change_id in change_ids:
            changes.finish(connection, change_id, state=ChangeState.PENDING, result="", due_at=now)


def requeue_lost(database: Database, *, now: datetime) -> int:
    """Send again what was claimed by a worker that died; return how many."""
    with database.write() as connection:
        return changes.requeue_lost(connection, now=now)


def postpone(database: Database, lane: Lane, *, now: datetime) -> int:
    """Let all that is due for a router that does not answer wait until its sessions are heard of; return how much."""
    with database.write() as connection:
        return changes.postpone(connection, lane, now=now)


def _finish(
    connection: Connection, change_id: str, answer: Answer, *, now: datetime, way: Way | None = None, payload: str = ""
) -> None:
    over = answer.state in {ChangeState.DONE, ChangeState.FAILED}
    changes.finish(
        connection,
        change_id,
        state=answer.state,
        result=answer.text,
        due_at=answer.due_at or now,
        way=way,
        payload=payload,
        finished_at=now if over else None,
    )


def _hint(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Note NASes that say they are configured wrongly, or stay silent though they are heard of; take back the rest."""
    notices = [
        Notice(one.job.nas.id, HintKind.COA_REFUSED, one.answer.detail, 1) for one in outcomes if one.answer.is_alarm
    ]
    notices += [
        Notice(one.job.nas.id, HintKind.COA_SILENT, one.answer.detail, 1)
        for one in outcomes
        if one.answer.result is Result.SILENT and one.job.change.attempts > 0
    ]
    deaf = hints.deaf(connection)
    hints.add(connection, notices, now=now)
    answered = {one.job.nas.id for one in outcomes if one.way is not None and one.answer.result is not Result.SILENT}
    for nas_id in answered:
        if hints.forget(connection, nas_id, HintKind.COA_SILENT):
            ask_again(connection, now=now, nas_id=nas_id)
    for nas_id in {one.job.nas.id for one in outcomes if one.answer.result is Result.ACKNOWLEDGED}:
        hints.forget(connection, nas_id, HintKind.COA_REFUSED)
    changed = deaf ^ hints.deaf(connection)
    if changed:  # such a router cuts where a throttle begins
        feed.append(connection, now=now, items={FeedKind.NAS: changed})


def _text(limits: Limits) -> str:
    return json.dumps({name: value for name, value in limits._asdict().items() if value is not None})


class _Gathering:
    """Everything that a number of claimed changes need, read together."""

    def __init__(
        self, connection: Connection, keyring: Keyring, claimed: Sequence[Due], now: datetime, zone: ZoneInfo
    ) -> None:
        self._connection, self._keyring, self._claimed = connection, keyring, claimed
        self._now, self._zone = now, zone
        found = sessions.by_ids(connection, {due.change.session_id for due in claimed})
        self._sessions = {session.id: session for session in found}
        self._held = held_limits(connection, found)
        ids = {session.account_id for session in found if session.account_id is not None}
        places = {(session.account_id, session.site_id) for session in found if session.account_id is not None}
        self._accounts = accounts.by_places(connection, places, zone=zone, now=now)
        self._spent = usages_of(connection, self._accounts.values(), local_day(now, zone))
        self._ceilings = ceilings.of_accounts(connection, ids, now=now)
        self._grants = resume.of_macs(connection, {session.mac for session in found}, now=now)
        self._devices: dict[str, set[str]] = {}
        for account_id, mac in sessions.devices_of_accounts(connection, ids):
            self._devices.setdefault(account_id, set()).add(mac)
        self._nases = {nas.id: nas for nas in nases.read_all(connection)}
        self._sealed = nases.secrets(connection)
        self._sites = {site.id: site for site in sites.read_all(connection)}
        self._silent, self._deaf = hints.unaccounted(connection), hints.deaf(connection)

    def jobs(self) -> tuple[list[Job], list[tuple[Change, Result]]]:
        """Return the jobs, and the changes that nobody needs any more, with why."""
        jobs: list[Job] = []
        moot: list[tuple[Change, Result]] = []
        for change, lane in self._claimed:
            session = self._sessions.get(change.session_id)
            nas = None if session is None else self._nases.get(session.nas_id)
            if session is None or nas is None or session.stop is not None:
                moot.append((change, Result.ENDED))
                continue
            grant: Grant | None = None
            if change.reason not in UNCONDITIONAL:
                decision = self._decide(session, nas)
                grant = decision if isinstance(decision, Grant) else None
                if decision is None or (grant is not None and change.kind is ChangeKind.DISCONNECT):
                    moot.append((change, Result.WITHDRAWN))
                    continue
            jobs.append(self._job(change, lane, session, nas, grant))
        return jobs, moot

    def _decide(self, session: Session, nas: Nas) -> Grant | End | None:
        """Decide anew; None: there is nothing to tell, since the session belongs to nobody."""
        account = None
        if session.account_id is not None:
            account = self._accounts.get((session.account_id, session.site_id))
        if account is None:
            return None
        return reconsider(
            account,
            self._spent[account.id],
            device=session.mac,
            online_devices=(),
            now=self._now,
            zone=self._zone,
            ceilings=self._ceilings.get(account.id, ()),
            elapsed_seconds=self._elapsed(session),
            garden=nas.can_garden,
        )

    def _job(self, change: Change, lane: Lane, session: Session, nas: Nas, grant: Grant | None) -> Job:
        packet, source = events.last_of(self._connection, session.id) or (None, None)
        others = self._devices.get(session.account_id or "", set()) - {session.mac}
        granted, whole = None, Limits()
        if grant is not None:
            granted, whole = (
                limits_of(
                    grant,
                    others=sharing,
                    acceptance_id=session.acceptance_id or "7fff",
                    interim_seconds=self._sites[nas.site_id].interim_seconds,
                    accounts=nas.id not in self._silent,
                    steps=nas.cuts_at_steps(deaf=nas.id in self._deaf),
                    unreached=nas.is_unreached(deaf=nas.id in self._deaf),
                )
                for sharing in (len(others), 0)
            )
        secrets = open_secrets(self._keyring, nas.id, self._sealed[nas.id])
        old, until = secrets.old_radius, secrets.old_radius_until
        return Job(
            change=change,
            lane=lane,
            nas=nas,
            secrets=(secrets.radius, old) if old and until is not None and self._now < until else (secrets.radius,),
            packet=packet,
            source=source,
            down_octets=session.down_octets,
            up_octets=session.up_octets,
            elapsed_seconds=self._elapsed(session),
            granted=granted,
            left=whole,
            held=self._held.get(session.id),
            resumes=grant_for(self._grants.get(session.mac, ()), nas.site_id, self._now) is not None,
        )

    def _elapsed(self, session: Session) -> int:
        return max(0, int((self._now - session.started_at).total_seconds()))
