"""Limits that reports have passed: the open sessions of whoever used up a quota must end."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.db import changes, sessions, usage
from app.db.engine import Connection
from app.domain.access import DenialReason, End, reconsider
from app.domain.changes import Change, ChangeKind, ChangeState
from app.domain.keys import Chance, draw_id
from app.domain.local_time import local_day
from app.domain.quotas import Period
from app.domain.spending import Usage
from app.domain.users import Account


def end_exhausted(
    connection: Connection, used_more: Sequence[Account], *, zone: ZoneInfo, now: datetime, chance: Chance
) -> None:
    """Queue a Disconnect for each open session of an account whose quota is used up; once per session."""
    today = local_day(now, zone)
    limited = [account for account in used_more if account.policy.quotas]
    spent = _usage(connection, limited, today)
    exhausted = [
        account.id
        for account in limited
        if reconsider(account, spent.get(account.id, Usage(today)), device="", online_devices=(), now=now, zone=zone)
        == End(DenialReason.QUOTA_EXHAUSTED)
    ]
    if exhausted:
        _disconnect(connection, exhausted, now=now, chance=chance)


def _usage(connection: Connection, limited: Iterable[Account], today: date) -> dict[str, Usage]:
    """Read no more days than the quotas need: only a total quota asks for an account's whole past."""
    groups: dict[date | None, list[str]] = {}
    for account in limited:
        groups.setdefault(_since(account, today), []).append(account.id)
    spent: dict[str, Usage] = {}
    for since, account_ids in groups.items():
        spent |= usage.read(connection, account_ids, today=today, since=since)
    return spent


def _since(account: Account, today: date) -> date | None:
    periods = {effective.quota.period for effective in account.policy.quotas}
    if Period.TOTAL in periods:
        return None
    return today.replace(day=1) if Period.MONTH in periods else today


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
