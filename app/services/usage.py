"""What an account has used: today, this month, and ever, in the city's local time."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.db import accounts, usage, users
from app.db.engine import Connection, Database
from app.domain.local_time import local_day
from app.domain.text import TextError, canonical_username
from app.domain.usage import DayUsage


@dataclass(frozen=True, slots=True)
class Counted:
    """Octets of one period."""

    up_octets: int
    down_octets: int

    @property
    def total_octets(self) -> int:
        """Return up and down together: what quotas count."""
        return self.up_octets + self.down_octets


@dataclass(frozen=True, slots=True)
class UsageView:
    """One account's usage. `user` is the login name, else the account's id."""

    user: str
    account_id: str
    day: Counted
    month: Counted
    total: Counted


def usage_of(database: Database, user: str, *, now: datetime, zone: ZoneInfo) -> UsageView | None:
    """Return the usage of a login name or an account's id; None if there is no such account."""
    with database.read() as connection:
        account_id = account_id_of(connection, user)
        if account_id is None:
            return None
        found = usage.of_account(connection, account_id, today=local_day(now, zone))
        name = users.usernames_of(connection, [account_id]).get(account_id, account_id)
        return UsageView(name, account_id, _counted(found.day), _counted(found.month), _counted(found.total))


def account_id_of(connection: Connection, user: str) -> str | None:
    """Return the account behind a login name or an account's own id; None if there is none."""
    try:
        known = users.known(connection, [canonical_username(user)])
    except TextError:
        return None
    if known:
        return next(iter(known.values())).account_id
    return next(iter(accounts.existing(connection, [user])), None)


def _counted(used: DayUsage) -> Counted:
    return Counted(used.up_octets, used.down_octets)
