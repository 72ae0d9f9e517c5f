"""An admin's own quota for one person: set, with reason, author and end; taken back."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, feed, overrides, users
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance
from app.domain.policies import Policy
from app.domain.quotas import Quota, QuotaOverride, Tally
from app.services import fields
from app.services.changes import reconsider_sessions
from app.services.errors import Invalid, NotFound

_REASON_LENGTH: Final = 200
_AUTHOR_LENGTH: Final = 80


def set_quota(
    database: Database,
    username: str,
    *quotas: Quota,
    reason: str,
    author: str,
    until: datetime | None = None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Policy:
    """Give a person quotas of their own in place of the plan's of their tallies, until `until` (None: for good).

    Raise NotFound, Invalid.
    """
    fields.quotas(quotas, least=0)
    if until is not None and until <= now:
        raise Invalid("until", "has passed already")
    reason = fields.reason("reason", reason, limit=_REASON_LENGTH)
    author = fields.reason("author", author, limit=_AUTHOR_LENGTH)
    own: dict[Tally, list[QuotaOverride]] = {}
    for quota in quotas:
        own.setdefault(quota.tally, []).append(QuotaOverride(quota, reason, author, until))
    with database.write() as connection:
        account_id = _account_id(connection, username, now)
        for tally, some in own.items():
            overrides.replace(connection, account_id, tally, some, now=now)
        return _announce(connection, account_id, zone=zone, now=now, chance=chance)


def clear_quota(
    database: Database, username: str, tally: Tally, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> Policy:
    """Take a person's own quota back, so that the plan's holds again; raise NotFound."""
    with database.write() as connection:
        account_id = _account_id(connection, username, now)
        if not overrides.remove(connection, account_id, tally):
            raise NotFound("own quota", f"{username}, per {tally.period.value}")
        return _announce(connection, account_id, zone=zone, now=now, chance=chance)


def _account_id(connection: Connection, username: str, now: datetime) -> str:
    user = users.by_username(connection, fields.username(username), now=now)
    if user is None:
        raise NotFound("user", username)
    return user.account.id


def _announce(connection: Connection, account_id: str, *, zone: ZoneInfo, now: datetime, chance: Chance) -> Policy:
    accounts.raise_versions(connection, [account_id])
    reconsider_sessions(connection, [account_id], zone=zone, now=now, chance=chance)
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account_id]})
    account = accounts.by_id(connection, account_id, now=now)
    assert account is not None
    return account.policy
