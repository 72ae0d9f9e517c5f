"""What open sessions must be told when a person's access changes: queued in the transaction that changed it."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, changes, sessions, usage
from app.db.engine import Connection
from app.domain.access import DenialReason, End, Grant, reconsider
from app.domain.changes import Change, ChangeKind, ChangeState
from app.domain.keys import Chance, draw_id
from app.domain.local_time import local_day
from app.domain.spending import Usage

POLICY: Final = "policy"
"""The reason of a change within which a session goes on; the new limits are read when it is sent."""

CEILING: Final = "ceiling"
"""The reason of a change after which a session is held down, or not any more."""

_DENIALS: Final = tuple(DenialReason)
"""Ends that a better policy takes back; a log-out is not among them."""


def reconsider_sessions(
    connection: Connection, account_ids: Collection[str], *, zone: ZoneInfo, now: datetime, chance: Chance
) -> None:
    """Ask anew about each open session of these accounts: it ends, or goes on within limits that may be new.

    What is queued already is not queued twice, and what does not hold any more is withdrawn.
    """
    today = local_day(now, zone)
    spent = usage.read(connection, account_ids, today=today, since=None)
    open_sessions = sessions.open_places(connection, account_ids)
    for place, account in accounts.by_places(connection, open_sessions, now=now).items():
        decision = reconsider(
            account, spent.get(account.id, Usage(today)), device="", online_devices=(), now=now, zone=zone
        )
        _queue(connection, open_sessions[place], decision, now=now, chance=chance)


def tell(connection: Connection, session_ids: Collection[str], *, reason: str, now: datetime, chance: Chance) -> int:
    """Queue that open sessions are to be told of their limits; return how many were not to be told yet."""
    waiting = changes.pending(connection, session_ids, kind=ChangeKind.CHANGE)
    new = [session_id for session_id in session_ids if session_id not in waiting]
    for session_id in new:
        changes.add(
            connection, Change(draw_id(chance), session_id, ChangeKind.CHANGE, reason, ChangeState.PENDING, now, now)
        )
    return len(new)


def _queue(
    connection: Connection, session_ids: list[str], decision: Grant | End, *, now: datetime, chance: Chance
) -> None:
    match decision:
        case End(reason):
            kind, why = ChangeKind.DISCONNECT, reason.value
            changes.withdraw(connection, session_ids, kind=ChangeKind.CHANGE, reasons=[POLICY])
        case Grant():
            kind, why = ChangeKind.CHANGE, POLICY
            changes.withdraw(connection, session_ids, kind=ChangeKind.DISCONNECT, reasons=_DENIALS)
    waiting = changes.unanswered(connection, session_ids, kind=kind)
    for session_id in session_ids:
        if session_id not in waiting:
            changes.add(connection, Change(draw_id(chance), session_id, kind, why, ChangeState.PENDING, now, now))
