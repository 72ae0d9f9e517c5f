"""Accounts whose time is over: their open sessions end, also where the router was told another end, or none."""

from datetime import datetime, timedelta
from typing import Final

from app.db import accounts, changes, sessions
from app.db.engine import Database
from app.domain.access import DenialReason
from app.domain.changes import ChangeKind
from app.domain.clock import believable
from app.domain.keys import Chance
from app.services.changes import disconnect

_AGAIN_AFTER: Final = timedelta(minutes=5)
"""A router that said yes and goes on reporting the session is asked again after so long."""


def end_expired(database: Database, *, now: datetime, chance: Chance) -> int:
    """Queue a Disconnect for each open session of an account that has ended; return how many."""
    if not believable(now):
        return 0
    with database.read() as connection:
        found = sessions.that_may_expire(connection, now=now)
        ends = {
            account.id: account.ends_at(now)
            for account in accounts.by_ids(connection, {account_id for _, account_id in found}, now=now)
        }
    over = [session_id for session_id, account_id in found if (end := ends.get(account_id)) is not None and end <= now]
    if not over:
        return 0
    reason = DenialReason.EXPIRED.value
    with database.write() as connection:
        told = changes.told(connection, over, kind=ChangeKind.DISCONNECT, reason=reason, done_since=now - _AGAIN_AFTER)
        new = [session_id for session_id in over if session_id not in told]
        return disconnect(connection, new, reason=reason, now=now, chance=chance)
