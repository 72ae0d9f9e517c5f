"""What routers reported and what we decided becomes sessions, usage and the access log: exactly once.

One batch is one transaction, and how far the journal has been read is committed with its rows: a crash at any point
repeats the batch or goes on after it. The same report twice changes nothing but the list of packets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import (
    access_log,
    accounts,
    changes,
    events,
    feed,
    positions,
    readings,
    restarts,
    resume,
    sessions,
    set_aside,
    usage,
)
from app.db.engine import Connection, Database
from app.db.events import Event
from app.db.feed import FeedKind
from app.db.rules import read_rules
from app.domain.joining import START_TOLERANCE
from app.domain.keys import Chance, draw_id
from app.domain.ledger import Ledger, Scope
from app.domain.policies import Rules
from app.domain.reports import (
    Decided,
    Item,
    Move,
    NasRestart,
    Position,
    Reported,
    SessionReport,
    Unreadable,
    Unusable,
    UnusableReason,
    storable,
)
from app.domain.resume import LOG_OUT_CAUSE
from app.domain.sessions import Proof, Session
from app.services import limits
from app.services.changes import heed_reports
from app.services.free import cuts_of, free_times
from app.services.online_time import online_after
from app.services.top_ups import take_used
from app.services.verdicts import begin_grants, log_verdicts

_ACCEPT_BEFORE_START: Final = timedelta(minutes=10)
"""How long before its session's start an Accept may lie that accounting does not name."""

_CUT_LATELY: Final = timedelta(minutes=5)

_MOST_OCTETS: Final = 2**50
"""More than a 10 Gbit/s line carries in ten days: a counter above it is noise."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge did. `merged` False: the journal stands at `position`, not where the batch begins; read again."""

    merged: bool
    position: Position | None
    events: int = 0
    verdicts: int = 0
    set_aside: int = 0


def stored_position(database: Database, node: str, worker: int) -> Position | None:
    """Return how far a worker's journal has been merged; None if nothing of it was."""
    with database.read() as connection:
        return positions.read(connection, node, worker)


def merge(
    database: Database,
    items: Sequence[Item],
    *,
    position: Move | None,
    origin: str,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> MergeResult:
    """Merge a batch in one transaction; `position` is None for what comes by HTTP. `origin` goes to the feed.

    A record that the database refuses is found by merging one by one, and set aside with its reason.
    """
    batch = _Batch(origin, zone, now, chance)
    try:
        return _in_one(database, items, position, batch)
    except set_aside.REFUSED:
        return _one_by_one(database, items, position, batch)


@dataclass(frozen=True, slots=True)
class _Batch:
    origin: str
    zone: ZoneInfo
    now: datetime
    chance: Chance


def _in_one(database: Database, items: Sequence[Item], position: Move | None, batch: _Batch) -> MergeResult:
    with database.write() as connection:
        positions.take_turn(connection)
        behind = _elsewhere(connection, position)
        if behind is not None:
            return behind
        result, told = _merge(connection, items, batch)
        return _finish(connection, position, batch, result, told)


def _one_by_one(database: Database, items: Sequence[Item], position: Move | None, batch: _Batch) -> MergeResult:
    total, told = MergeResult(merged=True, position=None), _Told.nothing()
    with database.write() as connection:
        positions.take_turn(connection)
        behind = _elsewhere(connection, position)
        if behind is not None:
            return behind
        for item in items:
            result, of_item = _merge_or_set_aside(connection, item, batch)
            total = _plus(total, result)
            told = told.plus(of_item)
        return _finish(connection, position, batch, total, told)


def _merge_or_set_aside(connection: Connection, item: Item, batch: _Batch) -> tuple[MergeResult, "_Told"]:
    try:
        with connection.begin_nested():
            return _merge(connection, [item], batch)
    except set_aside.REFUSED as error:
        return _merge(connection, [Unreadable(_record(item), f"{type(error).__name__}: {error}")], batch)


def _record(item: Item) -> bytes:
    match item:
        case Reported():
            return item.packet
        case Unreadable():
            return item.record
        case Decided():
            return repr(item).encode()


def _elsewhere(connection: Connection, position: Move | None) -> MergeResult | None:
    """Return the refusal if the journal stands elsewhere than the batch believes."""
    if position is None:
        return None
    stored = positions.read(connection, position.after.node, position.after.worker)
    return None if stored == position.before else MergeResult(merged=False, position=stored)


def _plus(left: MergeResult, right: MergeResult) -> MergeResult:
    return MergeResult(
        merged=True,
        position=None,
        events=left.events + right.events,
        verdicts=left.verdicts + right.verdicts,
        set_aside=left.set_aside + right.set_aside,
    )


# ---- what nodes are told


@dataclass(frozen=True, slots=True)
class _Told:
    """Ids for the feed."""

    accounts: frozenset[str]
    usage: frozenset[str]
    sessions: frozenset[str]
    resume: frozenset[str]

    @classmethod
    def nothing(cls) -> "_Told":
        return cls(frozenset(), frozenset(), frozenset(), frozenset())

    def plus(self, other: "_Told") -> "_Told":
        return _Told(
            self.accounts | other.accounts,
            self.usage | other.usage,
            self.sessions | other.sessions,
            self.resume | other.resume,
        )


def _finish(
    connection: Connection, position: Move | None, batch: _Batch, result: MergeResult, told: _Told
) -> MergeResult:
    """Move on in the journal, and tell nodes, in one feed row."""
    items: dict[FeedKind, Iterable[str]] = {
        FeedKind.ACCOUNT: told.accounts,
        FeedKind.USAGE: told.usage,
        FeedKind.SESSION: told.sessions,
        FeedKind.RESUME: told.resume,
    }
    if position is not None:
        positions.write(connection, position.after, now=batch.now)
        items[FeedKind.POSITION] = [f"{position.after.node}/{position.after.worker}"]
    items = {kind: ids for kind, ids in items.items() if ids}
    if items:
        feed.append(connection, now=batch.now, items=items, origin=batch.origin)
    return MergeResult(
        merged=True,
        position=None if position is None else position.after,
        events=result.events,
        verdicts=result.verdicts,
        set_aside=result.set_aside,
    )


# ---- one batch


def _merge(connection: Connection, items: Sequence[Item], batch: _Batch) -> tuple[MergeResult, _Told]:
    reported = [_checked(item) for item in items if isinstance(item, Reported)]
    decided = [item for item in items if isinstance(item, Decided)]
    unreadable = [(item.reason, item.record) for item in items if isinstance(item, Unreadable)]
    first_used = log_verdicts(connection, decided)
    logged_in = begin_grants(connection, decided)
    sites = sessions.sites_of(connection, {item.nas_id for item in reported})
    rules = read_rules(connection, batch.zone)
    ledger = Ledger(batch.zone, sites, lambda: draw_id(batch.chance), cuts_of(rules))
    outcomes = _apply(connection, ledger, reported)
    _recognise(connection, ledger, decided)
    accepted = {one.account_id for one in decided if one.accepted and one.account_id is not None}
    told = _store(connection, ledger, rules, batch, accepted)
    events.add(connection, [_event(item, outcome, ledger) for item, outcome in outcomes])
    set_aside.add(connection, unreadable, origin=batch.origin, now=batch.now)
    result = MergeResult(
        merged=True, position=None, events=len(reported), verdicts=len(decided), set_aside=len(unreadable)
    )
    return result, told.plus(_Told(first_used, frozenset(), frozenset(), logged_in))


def _checked(item: Reported) -> Reported:
    """Take counters that no line can have carried for what they are: kept, not charged; make texts storable."""
    report = item.report
    if not isinstance(report, SessionReport):
        return item
    if not (0 <= report.up_octets <= _MOST_OCTETS and 0 <= report.down_octets <= _MOST_OCTETS):
        return replace(item, report=Unusable(UnusableReason.IMPLAUSIBLE))
    name, session_id = storable(report.user_name), storable(report.acct_session_id)
    if name != report.user_name or session_id != report.acct_session_id:
        return replace(item, report=report._replace(user_name=name, acct_session_id=session_id))
    return item


def _apply(
    connection: Connection, ledger: Ledger, reported: Sequence[Reported]
) -> list[tuple[Reported, tuple[str, str | None]]]:
    """Apply reports and restarts to the sessions they touch; return each item's outcome and session id."""
    ledger.load(sessions.of_reports(connection, (r.report for r in reported if isinstance(r.report, SessionReport))))
    outcomes: list[tuple[Reported, tuple[str, str | None]]] = []
    fresh: list[NasRestart] = []
    for item in reported:
        match item.report:
            case SessionReport():
                outcomes.append((item, ("merged", ledger.record(item.report))))
            case NasRestart():
                fresh.append(item.report)
                outcomes.append((item, ("restart", None)))
            case Unusable():
                outcomes.append((item, (item.report.reason.value, None)))
    _settle(connection, ledger)
    _restart(connection, ledger, fresh)
    return outcomes


def _settle(connection: Connection, ledger: Ledger) -> None:
    """Count those sessions anew whose reports did not simply go on, from all that was ever reported of them."""
    unsettled = ledger.unsettled()
    if unsettled:
        stored = [session_id for ids in unsettled.values() for session_id in ids]
        ledger.settle(readings.of_sessions(connection, stored) if stored else {})


def _event(item: Reported, outcome: tuple[str, str | None], ledger: Ledger) -> Event:
    word, session_id = outcome
    survivor = None if session_id is None else ledger.survivor(session_id)
    reading = readings.reading_text(item.report.reading) if isinstance(item.report, SessionReport) else None
    return Event(item.received_at, item.nas_id, item.source, survivor, word, item.packet, reading)


def _restart(connection: Connection, ledger: Ledger, fresh: Sequence[NasRestart]) -> None:
    """Apply all restarts that are known to what the batch touches, and the new ones to whatever they end."""
    restarts.add(connection, fresh)
    since: dict[Scope, datetime] = {}
    for session in ledger.sessions():
        scope = (session.nas_id, session.nas_scope)
        since[scope] = min(session.last_report_at, since.get(scope, session.last_report_at))
    known = restarts.since(connection, since) if since else {}
    ledger.restart(known)
    for restart in fresh:
        before, after = restarts.around(connection, restart)
        ledger.load(sessions.that_may_end(connection, restart, newest=after is None, since=before))
    ledger.restart(_by_scope(fresh))


def _by_scope(fresh: Iterable[NasRestart]) -> Mapping[Scope, Sequence[NasRestart]]:
    found: dict[Scope, list[NasRestart]] = {}
    for restart in fresh:
        found.setdefault((restart.nas_id, restart.nas_scope), []).append(restart)
    return found


def _recognise(connection: Connection, ledger: Ledger, decided: Sequence[Decided]) -> None:
    """Find the Accept behind sessions that name none, whichever of the two came first."""
    accepted = [verdict for verdict in decided if verdict.accepted and verdict.account_id is not None]
    windows = [(v.mac, v.at - START_TOLERANCE, v.at + _ACCEPT_BEFORE_START) for v in accepted]
    ledger.load(sessions.unmatched(connection, windows))
    nameless = [session for session in ledger.sessions() if session.proof is None]
    asked = {(s.mac, s.started_at - _ACCEPT_BEFORE_START, s.started_at + START_TOLERANCE) for s in nameless}
    by_name: dict[tuple[str, str, str], list[Proof]] = {}
    for accept in access_log.accepts(connection, sorted(asked)):
        name = (accept.nas_id, accept.mac, accept.user_name)
        by_name.setdefault(name, []).append(Proof(accept.at, accept.acceptance_id, accept.account_id))
    if by_name:
        ledger.recognise(
            {s.id: proof for s in nameless if (proof := _proof_of(s, by_name)) is not None},
        )


def _proof_of(session: Session, by_name: Mapping[tuple[str, str, str], Sequence[Proof]]) -> Proof | None:
    """Return the last Accept for the session's NAS, device and user name before its start."""
    near = [
        proof
        for proof in by_name.get((session.nas_id, session.mac, session.user_name), ())
        if session.started_at - _ACCEPT_BEFORE_START <= proof.at <= session.started_at + START_TOLERANCE
    ]
    return max(near, default=None)


def _store(connection: Connection, ledger: Ledger, rules: Rules, batch: _Batch, accepted: set[str]) -> _Told:
    """Write what changed, charge it, and end the sessions of those who used up a quota by it.

    Who was `accepted` is looked at as well: perhaps by a server that did not know yet of all that was used.
    """
    charged = ledger.accounts() | accepted
    known = accounts.by_ids(connection, charged, now=batch.now) if charged else []
    existing = {account.id for account in known}
    ledger.orphan(existing)
    free = free_times(connection, rules, ledger.sessions(), zone=batch.zone, now=batch.now)
    moved = {key: used for key, used in ledger.usage_moved(free.of_session).items() if key[0] in existing}
    changed, gone = ledger.changed(), [(id_, ledger.survivor(id_)) for id_ in ledger.gone()]
    sessions.write(connection, changed)
    heed_reports(connection, changed, now=batch.now)
    events.move(connection, dict(gone))
    sessions.remove(connection, gone)
    online = online_after(connection, ledger.online_moved(), existing, batch.zone)
    usage.add(connection, moved, online.before, online.after, free.on_day)
    used_more = {account_id for (account_id, _), used in moved.items() if used.octets > 0}
    used_more |= {account_id for account_id, _ in online.after}
    let_in = ledger.begun() | accepted
    limits.heed_usage(
        connection,
        [account for account in known if account.id in used_more or account.id in let_in],
        changed,
        zone=batch.zone,
        now=batch.now,
        chance=batch.chance,
    )
    topped = take_used(connection, [one for one in known if one.id in used_more], zone=batch.zone, now=batch.now)
    return _Told(
        topped,
        frozenset(account_id for account_id, _ in (*moved, *online.after)),
        frozenset(session.id for session in changed if session.account_id is not None) | {id_ for id_, _ in gone},
        _end_grants(connection, ledger, now=batch.now),
    )


def _end_grants(connection: Connection, ledger: Ledger, *, now: datetime) -> frozenset[str]:
    """End the resume grants of those who logged out at the router; return their MACs.

    Some routers call it the user's request when it was ours: who was cut to be told new limits comes back.

    Batches are short, so a login after a log-out comes after it here too; the tolerance is for the router's clock.
    """
    gone = {
        session.id: resume.LoggedOut(
            session.mac, session.account_id, session.site_id, session.stop.at + START_TOLERANCE
        )
        for session in ledger.stopped()
        if session.stop is not None and session.stop.cause == LOG_OUT_CAUSE and session.account_id is not None
    }
    if not gone:
        return frozenset()
    cut = changes.cut(connection, gone, since=now - _CUT_LATELY)
    return frozenset(resume.end_logged_out(connection, [gone[id_] for id_ in gone if id_ not in cut]))
