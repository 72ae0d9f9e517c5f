"""Accounts whose time is over: their open sessions end, also where the router was told another end, or none."""

from datetime import datetime

from app.db import accounts, sessions
from app.db.engine import Database
from app.domain.access import DenialReason
from app.domain.clock import believable
from app.domain.keys import Chance
from app.services.changes import end_for


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
    with database.write() as connection:
        return end_for(connection, over, DenialReason.EXPIRED, now=now, chance=chance)
