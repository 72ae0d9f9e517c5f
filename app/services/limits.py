"""Limits that reports have passed: the open sessions of whoever used up a quota must end."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.db import changes, sessions
from app.db.engine import Connection
from app.domain.access import DenialReason, End, reconsider
from app.domain.changes import Change, ChangeKind, ChangeState
from app.domain.keys import Chance, draw_id
from app.domain.local_time import local_day
from app.domain.users import Account
from app.services.usage import usages_of


def end_exhausted(
    connection: Connection, used_more: Sequence[Account], *, zone: ZoneInfo, now: datetime, chance: Chance
) -> None:
    """Queue a Disconnect for each open session of an account whose quota is used up; once per session."""
    limited = [account for account in used_more if account.policy.quotas]
    spent = usages_of(connection, limited, local_day(now, zone))
    exhausted = [
        account.id
        for account in limited
        if reconsider(account, spent[account.id], device="", online_devices=(), now=now, zone=zone)
        == End(DenialReason.QUOTA_EXHAUSTED)
    ]
    if exhausted:
        _disconnect(connection, exhausted, now=now, chance=chance)


def _disconnect(connection: Connection, account_ids: Sequence[str], *, now: datetime, chance: Chance) -> None:
    reason = DenialReason.QUOTA_EXHAUSTED.value
    open_ids = sorted(session_id for session_id, _ in sessions.open_of_accounts(connection, account_ids))
    told = changes.told(connection, open_ids, kind=ChangeKind.DISCONNECT, reason=reason)
    for session_id in open_ids:
        if session_id not in told:
            changes.add(
                connection,
                Change(draw_id(chance), session_id, ChangeKind.DISCONNECT, reason, ChangeState.PENDING, now, now),
            )
