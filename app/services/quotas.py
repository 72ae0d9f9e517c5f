"""An admin's own quota for one person: set, with reason, author and end; taken back."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, feed, overrides
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance
from app.domain.plans import unsaid
from app.domain.policies import Policy
from app.domain.quotas import Quota, QuotaOverride, Tally
from app.services import fields
from app.services.changes import reconsider_sessions
from app.services.errors import Invalid, NotFound
from app.services.users import stored_user

_REASON_LENGTH: Final = 200


def change_quotas(
    database: Database,
    username: str,
    quotas: Mapping[Tally, Collection[Quota]],
    *,
    reason: str = "",
    author: str = "",
    until: datetime | None = None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Policy:
    """Give a person quotas of their own in place of the plan's of their tallies, until `until` (None: for good).

    A tally without quotas gets the plan's back; then `reason` and `author` say nothing. All of it or none: raise
    NotFound (also what is taken back and is not there), Invalid.
    """
    own = _checked(quotas, reason, author, until, now)
    with database.write() as connection:
        account = stored_user(connection, username, now).account
        account_id, plan = account.id, account.policy.plan
        fields.steps((quota for some in quotas.values() for quota in some), unsaid(plan, quotas))
        for tally, some in own.items():
            if some:
                overrides.replace(connection, account_id, tally, some, now=now)
            elif not overrides.remove(connection, account_id, tally):
                raise NotFound("own quota", f"{username}, per {tally.period.value}")
        return _announce(connection, account_id, zone=zone, now=now, chance=chance)


def _checked(
    quotas: Mapping[Tally, Collection[Quota]], reason: str, author: str, until: datetime | None, now: datetime
) -> dict[Tally, list[QuotaOverride]]:
    given = [quota for some in quotas.values() for quota in some]
    if given:
        fields.quotas(given, least=0)
        if until is not None and until <= now:
            raise Invalid("until", "has passed already")
        reason = fields.reason("reason", reason, limit=_REASON_LENGTH)
        author = fields.author(author)
    return {tally: [QuotaOverride(quota, reason, author, until) for quota in some] for tally, some in quotas.items()}


def _announce(connection: Connection, account_id: str, *, zone: ZoneInfo, now: datetime, chance: Chance) -> Policy:
    accounts.raise_versions(connection, [account_id])
    reconsider_sessions(connection, [account_id], zone=zone, now=now, chance=chance)
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account_id]})
    account = accounts.by_id(connection, account_id, now=now)
    assert account is not None
    return account.policy
