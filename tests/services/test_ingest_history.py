"""A made-up city's accounting, delivered late, twice, out of order or not at all, ends in exactly what it must.

The oracle sorts all packets of each true session and computes plainly from the whole list; the code under test sees
them in batches, in the order of arrival, through two nodes, and keeps two reports a day.
"""

import os
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from sqlalchemy import func, insert, select

from app.db.engine import Database
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.journals import accounting_events
from app.db.tables.plans import plans
from app.db.tables.sessions import sessions as sessions_table
from app.db.tables.sessions import usage
from app.db.tables.sites import sites
from app.domain.local_time import WITA
from app.domain.reports import Item, Move, NasRestart, Position, Reported, ReportKind, SessionReport
from app.services.ingest import merge
from app.services.sessions import SessionTotals, session_totals
from app.services.stale import close_superseded
from tests.histories import OFF, ON, STOP, Packet, make_history, settings_for

DAY = timedelta(days=1)


def nas_id(nas: int) -> str:
    return f"nas{nas:013d}"


def account_id(account: int) -> str:
    return f"account{account:09d}"


def item_of(packet: Packet) -> Reported:
    scope = f"router-{packet.nas}"
    said: SessionReport | NasRestart
    if packet.kind in (ON, OFF):
        said = NasRestart(nas_id(packet.nas), scope, packet.event_at, packet.cause)
    else:
        known = packet.account is not None
        said = SessionReport(
            kind=ReportKind(packet.kind),
            nas_id=nas_id(packet.nas),
            nas_scope=scope,
            acct_session_id=packet.acct_session_id,
            mac=packet.mac,
            user_name=packet.user_name,
            event_at=packet.event_at,
            up_octets=packet.up_octets,
            down_octets=packet.down_octets,
            session_seconds=packet.session_seconds,
            acceptance_id=f"{packet.session:016d}" if known else None,
            account_id=account_id(packet.account) if packet.account is not None else None,
            ip=packet.ip,
            terminate_cause=packet.cause or None,
        )
    received_at = packet.event_at + timedelta(seconds=packet.delay_seconds)
    return Reported(said, repr(packet).encode(), received_at, "127.0.0.1:1813", nas_id(packet.nas))


# ---- the oracle


@dataclass(frozen=True)
class Truth:
    nas: str
    acct_session_id: str
    mac: str
    user_name: str
    account: str | None
    started_at: datetime
    stopped_at: datetime | None
    cause: str | None
    up: int
    down: int
    seconds: int


Days = dict[tuple[str, date], tuple[int, int]]


def truth(packets: Iterable[Packet], *, superseded: bool = False) -> tuple[list[Truth], Days]:
    """Compute what the packets that arrived tell, from the whole list at once.

    `superseded`: as it is after the worker closed the sessions whose device has begun another. What it closes before
    it hears of a restart keeps its cause, so ends that no Stop reported have none here.
    """
    restarts: dict[int, list[Packet]] = defaultdict(list)
    by_session: dict[int, list[Packet]] = defaultdict(list)
    for packet in packets:
        if packet.session is None:
            restarts[packet.nas].append(packet)
        else:
            by_session[packet.session].append(packet)
    days: Days = defaultdict(lambda: (0, 0))
    found = []
    last_reports = []
    for said in by_session.values():
        session = _truth(sorted(said, key=lambda p: (p.event_at, p.up_octets)), restarts[said[0].nas])
        if superseded and all(packet.kind != STOP for packet in said):
            session = replace(session, cause=None)
        found.append(session)
        last_reports.append(max(packet.event_at for packet in said))
        if session.account is not None:
            for day, (up, down) in _days(said, session.started_at).items():
                so_far = days[session.account, day]
                days[session.account, day] = so_far[0] + up, so_far[1] + down
    if superseded:
        found = without_superseded(found, last_reports)
    return found, {key: octets for key, octets in days.items() if octets != (0, 0)}


def without_superseded(sessions: Sequence[Truth], last_reports: Sequence[datetime]) -> list[Truth]:
    """Close, as an estimate, the sessions whose device began another after their last report."""
    newest: dict[str, datetime] = {}
    for session in sessions:
        newest[session.mac] = max(session.started_at, newest.get(session.mac, session.started_at))
    return [
        replace(session, stopped_at=last)
        if session.stopped_at is None and session.mac and newest[session.mac] > last
        else session
        for session, last in zip(sessions, last_reports, strict=True)
    ]


def _truth(said: Sequence[Packet], restarts: Sequence[Packet]) -> Truth:
    started_at = min(p.event_at - timedelta(seconds=p.session_seconds or 0) for p in said)
    last = max(p.event_at for p in said)
    stops = [p for p in said if p.kind == STOP]
    ends = sorted((r.event_at, r.cause) for r in restarts if r.event_at >= last and r.event_at > started_at)
    stopped_at = stops[-1].event_at if stops else last if ends else None
    return Truth(
        nas_id(said[0].nas),
        said[0].acct_session_id,
        said[0].mac,
        said[0].user_name,
        None if said[0].account is None else account_id(said[0].account),
        started_at,
        stopped_at,
        stops[-1].cause if stops else ends[0][1] if ends else None,
        max(p.up_octets for p in said),
        max(p.down_octets for p in said),
        max(p.session_seconds or 0 for p in said),
    )


class Point(NamedTuple):
    at: datetime
    up: int
    down: int


def _days(said: Iterable[Packet], started_at: datetime) -> dict[date, tuple[int, int]]:
    """Cut at midnights by all reports, not just two a day."""
    points = [Point(started_at, 0, 0), *sorted(Point(p.event_at, p.up_octets, p.down_octets) for p in said)]
    cuts = [(0, 0)]
    first = started_at.astimezone(WITA).date()
    last = points[-1].at.astimezone(WITA).date()
    for n in range((last - first).days):
        midnight = datetime.combine(first + DAY * (n + 1), datetime.min.time(), WITA).astimezone(UTC)
        before = max(p for p in points if p.at < midnight)
        after = min(p for p in points if p.at >= midnight)
        part, whole = int((midnight - before.at).total_seconds()), int((after.at - before.at).total_seconds())
        up = before.up + (after.up - before.up) * part // whole
        down = before.down + (after.down - before.down) * part // whole
        cuts.append((up, down))
    cuts.append((points[-1].up, points[-1].down))
    return {first + DAY * n: (b[0] - a[0], b[1] - a[1]) for n, (a, b) in enumerate(pairwise(cuts))}


def true_seconds(packets: Iterable[Packet]) -> dict[tuple[str, date], int]:
    """Count, second by second, when an account was online: until the first packet that says all that was ever said."""
    by_session: dict[int, list[Packet]] = defaultdict(list)
    for packet in packets:
        if packet.session is not None:
            by_session[packet.session].append(packet)
    online: dict[str, set[int]] = defaultdict(set)
    for said in by_session.values():
        if said[0].account is None:
            continue
        begin = int(min(p.event_at.timestamp() - (p.session_seconds or 0) for p in said))
        moved = [
            min(p.event_at.timestamp() for p in said if getattr(p, way) == most)
            for way in ("up_octets", "down_octets")
            if (most := max(getattr(p, way) for p in said)) > 0
        ]
        online[account_id(said[0].account)].update(range(begin, int(max(moved, default=begin))))
    found: dict[tuple[str, date], int] = defaultdict(int)
    for account, seconds in online.items():
        for second in seconds:
            found[account, date.fromordinal((second + 8 * 3_600) // 86_400 + date(1970, 1, 1).toordinal())] += 1
    return dict(found)


# ---- what is stored


def stored_seconds(database: Database) -> dict[tuple[str, date], int]:
    with database.read() as connection:
        return {(row.account_id, row.day): row.seconds for row in connection.execute(select(usage)) if row.seconds}


def stored(database: Database, *, superseded: bool = False) -> tuple[list[Truth], Days]:
    with database.read() as connection:
        rows = connection.execute(select(sessions_table)).all()
        used = connection.execute(select(usage)).all()
    sessions = [
        Truth(
            row.nas_id,
            row.acct_session_id,
            row.mac,
            row.user_name,
            row.account_id,
            row.started_at,
            row.stopped_at,
            row.stop_cause if row.stop_reported or not superseded else None,
            row.up_octets,
            row.down_octets,
            row.session_seconds,
        )
        for row in rows
    ]
    days = {(row.account_id, row.day): (row.up_octets, row.down_octets) for row in used}
    return sessions, {key: octets for key, octets in days.items() if octets != (0, 0)}


def add_city(database: Database, accounts: Iterable[int]) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with database.write() as connection:
        connection.execute(insert(plans).values(id="plan", name="Warga", created_at=now))
        connection.execute(insert(sites).values(id="site", name="Gusung", created_at=now))
        connection.execute(
            insert(accounts_table),
            [{"id": account_id(n), "kind": "user", "plan_id": "plan", "created_at": now} for n in accounts],
        )


def deliver(database: Database, history: Sequence[Packet], *, size: int, superseded: bool = False) -> None:
    """Merge through two nodes, batch by batch; now and then a batch is tried again, as after a crash.

    `superseded`: now and then close the sessions whose device has begun another, and once at the end.
    """
    chance = random.Random(7)
    nodes: tuple[list[Packet], list[Packet]] = ([], [])
    for packet in history:
        nodes[chance.random() < 0.4].append(packet)
    begun = {"0": 0, "1": 0}
    at: dict[str, Position | None] = {"0": None, "1": None}
    while any(begun[str(n)] < len(packets) for n, packets in enumerate(nodes)):
        node = chance.choice("01")
        batch = nodes[int(node)][begun[node] : begun[node] + size]
        if not batch:
            continue
        move = Move(at[node], Position(node, 0, 1, "segment", begun[node] + len(batch)))
        items: list[Item] = [item_of(packet) for packet in batch]
        for _ in range(1 + (chance.random() < 0.1)):
            result = merge(
                database, items, position=move, origin=f"{node}/0", zone=WITA, now=datetime.now(UTC), chance=os.urandom
            )
            assert result.position == move.after
        if superseded and chance.random() < 0.3:
            close_superseded(database, now=datetime.now(UTC))
        at[node] = move.after
        begun[node] += len(batch)
    if superseded:
        close_superseded(database, now=datetime.now(UTC))


def check(database: Database, packets: int, *, size: int, superseded: bool = False) -> None:
    history = make_history(packets, settings=settings_for(packets))
    add_city(database, {packet.account for packet in history if packet.account is not None})
    deliver(database, history, size=size, superseded=superseded)
    sessions, days = stored(database, superseded=superseded)
    true_sessions, true_days = truth(history, superseded=superseded)
    assert sorted(sessions, key=repr) == sorted(true_sessions, key=repr)
    assert days == true_days
    assert stored_seconds(database) == true_seconds(history)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(accounting_events)) == packets
    assert session_totals(database) == SessionTotals(
        sessions=len(true_sessions),
        open=sum(session.stopped_at is None for session in true_sessions),
        closed=sum(session.stopped_at is not None for session in true_sessions),
        up_octets=sum(session.up for session in true_sessions),
        down_octets=sum(session.down for session in true_sessions),
    )
    assert max(session.down for session in true_sessions) > 2**32


def test_a_history_of_10_000_packets_ends_in_exactly_the_right_sessions_and_usage(database: Database) -> None:
    check(database, 10_000, size=300)


def test_sessions_closed_as_superseded_between_the_batches_end_right_all_the_same(database: Database) -> None:
    check(database, 10_000, size=300, superseded=True)


@pytest.mark.long
def test_a_history_of_100_000_packets_ends_in_exactly_the_right_sessions_and_usage(database: Database) -> None:
    check(database, 100_000, size=2_000)
