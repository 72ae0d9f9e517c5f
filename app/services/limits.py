"""Limits that reports have passed: the open sessions of whoever used up a quota must end."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.db import accounts, changes, sessions
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
    """Queue a Disconnect for each open session of an account whose quota is used up; once per session.

    Where it is free of charge at this hour a session goes on.
    """
    suspects = [account.id for account in _exhausted(connection, used_more, zone=zone, now=now)]
    if not suspects:
        return
    places = sessions.open_places(connection, suspects)
    there = accounts.by_places(connection, places, zone=zone, now=now)
    ended = {id(account) for account in _exhausted(connection, there.values(), zone=zone, now=now)}
    open_ids = sorted(id_ for place, account in there.items() if id(account) in ended for id_ in places[place])
    _disconnect(connection, open_ids, now=now, chance=chance)


def _exhausted(
    connection: Connection, accounts_there: Iterable[Account], *, zone: ZoneInfo, now: datetime
) -> list[Account]:
    limited = [account for account in accounts_there if account.policy.quotas]
    spent = usages_of(connection, limited, local_day(now, zone))
    return [
        account
        for account in limited
        if reconsider(account, spent[account.id], device="", online_devices=(), now=now, zone=zone)
        == End(DenialReason.QUOTA_EXHAUSTED)
    ]


def _disconnect(connection: Connection, open_ids: Sequence[str], *, now: datetime, chance: Chance) -> None:
    reason = DenialReason.QUOTA_EXHAUSTED.value
    told = changes.told(connection, open_ids, kind=ChangeKind.DISCONNECT, reason=reason)
    for session_id in open_ids:
        if session_id not in told:
            changes.add(
                connection,
                Change(draw_id(chance), session_id, ChangeKind.DISCONNECT, reason, ChangeState.PENDING, now, now),
            )
