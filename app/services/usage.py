"""What an account has used in each period, in the city's local time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.db import accounts, usage, users
from app.db.engine import Connection, Database
from app.domain.local_time import local_day
from app.domain.quotas import Period, Tally
from app.domain.spending import Usage, Used, nothing_used
from app.domain.text import TextError, canonical_username
from app.domain.users import Account


@dataclass(frozen=True, slots=True)
class UsageView:
    """One account's usage. `user` is the login name, else the account's id.

    `uncounted_octets` are those among it that count for no quota: free of charge, or paid for by a top-up.
    """

    user: str
    account_id: str
    periods: Mapping[Period, Used]
    uncounted_octets: Mapping[Period, int]


def usages_of(connection: Connection, some: Iterable[Account], today: date) -> dict[str, Usage]:
    """Return what these accounts have used, as far as their quotas ask: only a total asks for a whole past.

    One account may be there with several policies, those of the sites where it is online.
    """
    asked: dict[str, tuple[Tally, ...]] = {}
    for account in some:
        tallies = account.policy.tallies
        asked[account.id] = tallies if account.id not in asked else tuple({*tallies, *asked[account.id]})
    groups: dict[tuple[Tally, ...], list[str]] = {}
    for account_id, tallies in asked.items():
        groups.setdefault(tallies, []).append(account_id)
    found: dict[str, Usage] = {}
    for tallies, account_ids in groups.items():
        found |= {account_id: nothing_used(today, tallies) for account_id in account_ids}
        found |= usage.read(connection, tallies, account_ids, today=today)
    return found


def usage_of(database: Database, user: str, *, now: datetime, zone: ZoneInfo) -> UsageView | None:
    """Return the usage of a login name or an account's id; None if there is no such account."""
    with database.read() as connection:
        account_id = account_id_of(connection, user)
        account = None if account_id is None else accounts.by_id(connection, account_id, now=now)
        if account is None:
            return None
        today = local_day(now, zone)
        found = usage.of_account(connection, account.id, account.billing_day, Period, today=today)
        name = users.usernames_of(connection, [account.id]).get(account.id, account.id)
        return UsageView(
            name,
            account.id,
            {period: counted.used for period, counted in found.items()},
            {period: counted.uncounted_octets for period, counted in found.items()},
        )


def account_id_of(connection: Connection, user: str) -> str | None:
    """Return the account behind a login name or an account's own id; None if there is none."""
    try:
        known = users.known(connection, [canonical_username(user)])
    except TextError:
        return None
    if known:
        return next(iter(known.values())).account_id
    return next(iter(accounts.existing(connection, [user])), None)
