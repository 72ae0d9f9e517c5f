"""What open sessions must be told when a person's access changes: queued in the transaction that changed it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, changes, sessions
from app.db.engine import Connection
from app.domain.access import DenialReason, End, reconsider
from app.domain.changes import Change, ChangeKind, ChangeState
from app.domain.keys import Chance, draw_id
from app.domain.local_time import local_day
from app.domain.sessions import Session
from app.services.usage import usages_of

POLICY: Final = "policy"
"""The reason of a change within which a session goes on; the new limits are read when it is sent."""

HOURS: Final = "hours"
"""The reason of a change that time alone has brought: nobody has to log in again for its sake."""

CEILING: Final = "ceiling"
"""The reason of a change after which a session is held down, or not any more."""

BY_HAND: Final = "by_hand"
"""The reason of a Disconnect that a person asked for."""

LOGGED_OUT: Final = "logged_out"
"""The reason of a Disconnect for who has logged out."""

UNCONDITIONAL: Final = frozenset({BY_HAND, LOGGED_OUT})
"""Reasons for which a session ends whatever its person may have."""

_AGAIN_AFTER_DONE: Final = timedelta(minutes=5)
"""A router that said yes and goes on reporting the session is asked again after so long."""

_AGAIN_AFTER_FAILED: Final = timedelta(minutes=15)
"""And one that could not be asked, in case that has been mended."""

_DENIALS: Final = tuple(DenialReason)
"""Ends that a better policy takes back; a log-out is not among them."""


def reconsider_sessions(
    connection: Connection,
    account_ids: Collection[str],
    *,
    reason: str = POLICY,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> None:
    """Ask anew about each open session of these accounts: it ends, or goes on within limits that may be new.

    What is queued already is not queued twice, and what does not hold any more is withdrawn.
    """
    open_sessions = sessions.open_places(connection, account_ids)
    places = accounts.by_places(connection, open_sessions, zone=zone, now=now)
    spent = usages_of(connection, places.values(), local_day(now, zone))
    going_on: list[str] = []
    ending: dict[DenialReason, list[str]] = {}
    for place, account in places.items():
        decision = reconsider(account, spent[account.id], device="", online_devices=(), now=now, zone=zone)
        alike = ending.setdefault(decision.reason, []) if isinstance(decision, End) else going_on
        alike += open_sessions[place]
    if going_on:
        changes.withdraw(connection, going_on, kind=ChangeKind.DISCONNECT, reasons=_DENIALS)
        tell(connection, going_on, reason=reason, now=now, chance=chance)
    for denied, session_ids in ending.items():
        _end(connection, session_ids, denied, now=now, chance=chance)


def heed_reports(connection: Connection, reported: Collection[Session], *, now: datetime) -> None:
    """Finish what sessions that are over were to be told, and send again what met silence to those heard of."""
    ended = [session.id for session in reported if session.stop is not None]
    if ended:
        changes.settle(connection, ended, now=now)
    unanswered = changes.unanswered_sessions(connection)
    heard = [session.id for session in reported if session.id in unanswered]
    if heard:
        changes.revive(connection, heard, now=now)


def tell(
    connection: Connection,
    session_ids: Collection[str],
    *,
    reason: str,
    now: datetime,
    chance: Chance,
    author: str = "",
    note: str = "",
) -> int:
    """Queue that open sessions are to be told of their limits; return how many were not to be told yet."""
    waiting = changes.pending(connection, session_ids, kind=ChangeKind.CHANGE)
    new = [session_id for session_id in session_ids if session_id not in waiting]
    if new:
        changes.supersede(connection, new, kind=ChangeKind.CHANGE)
    return _add(connection, new, ChangeKind.CHANGE, reason, now=now, chance=chance, author=author, note=note)


def disconnect(
    connection: Connection, session_ids: Collection[str], *, reason: str, now: datetime, chance: Chance
) -> int:
    """Queue that open sessions end; return how many."""
    return _add(connection, session_ids, ChangeKind.DISCONNECT, reason, now=now, chance=chance)


def end_for(
    connection: Connection, session_ids: Collection[str], reason: DenialReason, *, now: datetime, chance: Chance
) -> int:
    """Queue that open sessions end by the rules, however often it is noticed; return how many were not asked lately."""
    told = changes.told(
        connection,
        session_ids,
        kind=ChangeKind.DISCONNECT,
        reason=reason.value,
        done_since=now - _AGAIN_AFTER_DONE,
        failed_since=now - _AGAIN_AFTER_FAILED,
    )
    new = [session_id for session_id in session_ids if session_id not in told]
    return disconnect(connection, new, reason=reason.value, now=now, chance=chance)


def ask_again(connection: Connection, *, now: datetime, nas_id: str | None = None) -> int:
    """Queue anew the ends by the rules that a NAS could not be told: of this one at once, else after a while.

    Return how many. Each is decided anew before it is sent.
    """
    before = now - _AGAIN_AFTER_FAILED if nas_id is None else None
    return changes.ask_again(
        connection, kind=ChangeKind.DISCONNECT, reasons=_DENIALS, now=now, nas_id=nas_id, failed_before=before
    )


def _add(
    connection: Connection,
    session_ids: Collection[str],
    kind: ChangeKind,
    reason: str,
    *,
    now: datetime,
    chance: Chance,
    author: str = "",
    note: str = "",
) -> int:
    new = [
        Change(draw_id(chance), session_id, kind, reason, ChangeState.PENDING, now, now, author=author, note=note)
        for session_id in session_ids
    ]
    changes.add(connection, *new)
    return len(new)


def _end(
    connection: Connection, session_ids: Collection[str], reason: DenialReason, *, now: datetime, chance: Chance
) -> None:
    changes.withdraw(connection, session_ids, kind=ChangeKind.CHANGE, reasons=[POLICY, HOURS])
    asked = changes.unanswered(connection, session_ids, kind=ChangeKind.DISCONNECT)
    new = [session_id for session_id in session_ids if session_id not in asked]
    disconnect(connection, new, reason=reason.value, now=now, chance=chance)
