"""Octets and days that are added to an account, each with its reason; and what is taken from them as they are used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.db import accounts, feed, top_ups
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.top_ups import Entry
from app.domain.keys import Chance, draw_id
from app.domain.local_time import local_day
from app.domain.top_ups import draw, left_in, take_from
from app.domain.users import Account
from app.services import fields
from app.services.changes import reconsider_sessions
from app.services.errors import Invalid
from app.services.usage import usages_of
from app.services.users import stored_user

_REASON_LENGTH = 200
_LONGEST_SECONDS = 10 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class Addition:
    """What is added: octets, until `ends_at` (None: until they are used), and seconds of validity."""

    octets: int = 0
    seconds: int = 0
    ends_at: datetime | None = None


def top_up_user(
    database: Database,
    username: str,
    addition: Addition,
    *,
    reason: str,
    author: str,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Account:
    """Add octets or days to a person's account; raise NotFound, Invalid."""
    fields.amount("octets", addition.octets, least=0)
    fields.amount("seconds", addition.seconds, least=0, greatest=_LONGEST_SECONDS)
    if not addition.octets and not addition.seconds:
        raise Invalid("octets", "or days must be more than nothing")
    if addition.ends_at is not None and (addition.ends_at <= now or not addition.octets):
        raise Invalid("until", "has passed already" if addition.octets else "is the end of octets, and none are added")
    reason = fields.reason("reason", reason, limit=_REASON_LENGTH)
    author = fields.author(author)
    with database.write() as connection:
        account = stored_user(connection, username, now).account
        if addition.seconds and account.ends_at(now) is None:
            raise Invalid("days", "cannot be added: the account has no end that they could put off")
        add(connection, account, addition, reason=reason, author=author, zone=zone, now=now, chance=chance)
        changed = accounts.by_id(connection, account.id, now=now)
        assert changed is not None, "it was there a line ago"
        return changed


def add(
    connection: Connection,
    account: Account,
    addition: Addition,
    *,
    reason: str,
    author: str,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
    voucher_id: str | None = None,
) -> None:
    """Write down what is added, tell the nodes, and ask anew about the open sessions."""
    entry = Entry(
        draw_id(chance),
        account.id,
        addition.octets,
        addition.octets,
        addition.seconds,
        addition.ends_at,
        reason,
        author,
        voucher_id,
        now,
    )
    top_ups.add(connection, entry)
    accounts.change(connection, account.id, _longer(account, addition.seconds, now))
    reconsider_sessions(connection, [account.id], zone=zone, now=now, chance=chance)
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account.id]})


def _longer(account: Account, seconds: int, now: datetime) -> dict[str, object]:
    """Return the columns that let an account last longer: from its end, or from now where that has passed."""
    ends_at = account.ends_at(now)
    if not seconds or ends_at is None:
        return {}
    target = max(ends_at, now) + timedelta(seconds=seconds)
    columns: dict[str, object] = {}
    if account.valid_until is not None and account.valid_until < target:
        columns["valid_until"] = target
    if account.policy.plan.validity_seconds is not None:
        without = account._replace(valid_until=None).ends_at(now)
        assert without is not None, "the plan has a validity"
        columns["extra_seconds"] = account.extra_seconds + max(0, int((target - without).total_seconds()))
    return columns


def take_used(connection: Connection, used_more: Sequence[Account], *, zone: ZoneInfo, now: datetime) -> frozenset[str]:
    """Let top-ups pay for what was used beyond a quota; return the accounts whose top-ups are less by it."""
    topped = [account for account in used_more if account.policy.quotas and left_in(account.top_ups, now)]
    today = local_day(now, zone)
    spent = usages_of(connection, topped, today)
    changed: set[str] = set()
    for account in topped:
        quotas = [effective.quota for effective in account.policy.quotas]
        drawn = draw(quotas, spent[account.id], left_in(account.top_ups, now))
        if drawn.octets:
            top_ups.draw(connection, account.id, today, drawn, take_from(account.top_ups, drawn.octets, now))
            changed.add(account.id)
    return frozenset(changed)
