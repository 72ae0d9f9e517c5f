"""Accounts in the database, each read with its effective policy."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from app.db import overlays, top_ups
from app.db.chunks import chunks
from app.db.keyed import among
from app.db.rules import read_rules
from app.db.tables.accounts import accounts, users
from app.db.tables.plans import plans
from app.domain.clock import MADE_AT, believable
from app.domain.policies import Policy, Where
from app.domain.top_ups import TopUp
from app.domain.users import Account, AccountKind, Suspension


def by_ids(connection: Connection, account_ids: Collection[str], *, now: datetime) -> list[Account]:
    """Return these accounts, removed ones too; an id that does not exist is left out.

    Their policies are for no place and no hour: to decide, take those of `by_places`.
    """
    return list(_read(connection, [(account_id, None) for account_id in account_ids], zone=None, now=now).values())


def by_places(
    connection: Connection, places: Iterable[tuple[str, str | None]], *, zone: ZoneInfo, now: datetime
) -> dict[tuple[str, str | None], Account]:
    """Return accounts with the policies of sites at this hour, by (account id, site id); some may not exist."""
    return _read(connection, places, zone=zone, now=now)


def _read(
    connection: Connection, places: Iterable[tuple[str, str | None]], *, zone: ZoneInfo | None, now: datetime
) -> dict[tuple[str, str | None], Account]:
    wanted = set(places)
    ids = {account_id for account_id, _ in wanted}
    rows = connection.execute(select(accounts).where(among(connection, accounts.c.id, ids))).all()
    rules = read_rules(connection, zone)
    own, extra = overlays.own_of(connection, ids), top_ups.read(connection, ids)
    by_id = {row.id: row for row in rows}
    return {
        (account_id, site_id): account_of(
            row, rules.policy(row.plan_id, own.get(account_id), site_id, now), extra.get(account_id, ())
        )
        for account_id, site_id in sorted(wanted, key=str)
        if (row := by_id.get(account_id)) is not None
    }


def holders(connection: Connection, plan_id: str) -> list[tuple[str, str | None]]:
    """Return (account id, username) of everybody who has a plan, by username; None: a guest or a voucher."""
    query = (
        select(accounts.c.id, users.c.username)
        .outerjoin(users, users.c.account_id == accounts.c.id)
        .where(accounts.c.plan_id == plan_id, accounts.c.removed_at.is_(None))
        .order_by(users.c.username, accounts.c.id)
    )
    return [(account_id, username) for account_id, username in connection.execute(query)]


def existing(connection: Connection, account_ids: Collection[str]) -> set[str]:
    """Return which of these accounts exist, removed ones too."""
    return set(connection.scalars(select(accounts.c.id).where(among(connection, accounts.c.id, account_ids))))


def by_id(connection: Connection, account_id: str, *, now: datetime, where: Where | None = None) -> Account | None:
    """Return one account, with the policy that holds there if a place is named; None if there is none of that id."""
    if where is None:
        return next(iter(by_ids(connection, [account_id], now=now)), None)
    place = (account_id, where.site_id)
    return by_places(connection, [place], zone=where.zone, now=now).get(place)


def guest_of(connection: Connection, mac: str, *, now: datetime, where: Where | None = None) -> Account | None:
    """Return the account of a guest: a device without a user; None if it was never here."""
    account_id = connection.scalar(select(accounts.c.id).where(accounts.c.guest_mac == mac))
    return None if account_id is None else by_id(connection, account_id, now=now, where=where)


def add(
    connection: Connection,
    account_id: str,
    kind: AccountKind,
    *,
    plan_id: str,
    now: datetime,
    site_id: str | None = None,
    valid_until: datetime | None = None,
    first_used_at: datetime | None = None,
    guest_mac: str | None = None,
    billing_day: int = 1,
) -> None:
    """Store a new account at version 1."""
    connection.execute(
        insert(accounts).values(
            id=account_id,
            kind=kind.value,
            plan_id=plan_id,
            site_id=site_id,
            valid_until=valid_until,
            first_used_at=first_used_at,
            guest_mac=guest_mac,
            billing_day=billing_day,
            created_at=now,
        )
    )


def add_many(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Store new accounts; each row has `id`, `kind`, `plan_id`, `site_id`, `version`, `suspended`, `created_at`."""
    for some in chunks(rows):
        connection.execute(insert(accounts), list(some))


def change(connection: Connection, account_id: str, values: Mapping[str, object]) -> None:
    """Change columns of an account and raise its version, so that a node may not decide by the old ones."""
    connection.execute(
        update(accounts).where(accounts.c.id == account_id).values(**values, version=accounts.c.version + 1)
    )


def change_many(connection: Connection, values: Mapping[str, Mapping[str, object]]) -> None:
    """Change columns of many accounts, each its own, and raise their versions."""
    by_columns: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for account_id, columns in values.items():
        by_columns.setdefault(tuple(columns), []).append({"account": account_id, **columns})
    for names, rows in by_columns.items():
        query = (
            update(accounts)
            .where(accounts.c.id == bindparam("account"))
            .values({name: bindparam(name) for name in names} | {"version": accounts.c.version + 1})
        )
        connection.execute(query, rows)


def raise_versions(connection: Connection, account_ids: Iterable[str]) -> None:
    """Raise the versions of accounts whose credential, overrides or person changed."""
    for some in chunks(account_ids):
        connection.execute(update(accounts).where(accounts.c.id.in_(some)).values(version=accounts.c.version + 1))


def suspend_many(connection: Connection, account_ids: Iterable[str], *, by: str | None, at: datetime) -> None:
    """Suspend accounts and raise their versions."""
    values = suspension(suspended=True, by=by, at=at)
    for some in chunks(account_ids):
        connection.execute(
            update(accounts).where(accounts.c.id.in_(some)).values(**values, version=accounts.c.version + 1)
        )


def suspension(*, suspended: bool, by: str | None, at: datetime) -> dict[str, object]:
    """Return the columns of an account that is suspended, or let in again, now."""
    return {"suspended": suspended, "suspension_by": by, "suspension_at": at}


def suspension_of(connection: Connection, account_id: str) -> Suspension | None:
    """Return who suspended an account or let it in again; None if nobody has, or it was not kept."""
    query = select(accounts.c.suspension_by, accounts.c.suspension_at).where(accounts.c.id == account_id)
    row = connection.execute(query).one_or_none()
    return None if row is None or row.suspension_by is None else Suspension(row.suspension_by, row.suspension_at)


_UNUSED: Final = or_(accounts.c.first_used_at.is_(None), accounts.c.first_used_at < MADE_AT)


def note_first_use(connection: Connection, account_id: str, at: datetime) -> bool:
    """Start the plan's validity if it has not started; tell whether it did now. The version stays.

    What a clock says that cannot be right starts nothing, and what it has started before does not count.
    """
    if not believable(at):
        return False
    result = connection.execute(update(accounts).where(accounts.c.id == account_id, _UNUSED).values(first_used_at=at))
    return result.rowcount == 1


def unused(connection: Connection, account_ids: Collection[str]) -> dict[str, bool]:
    """Return which of these accounts were never used, and whether a validity begins with their first use."""
    query = (
        select(accounts.c.id, plans.c.validity_seconds)
        .join(plans, plans.c.id == accounts.c.plan_id)
        .where(_UNUSED, among(connection, accounts.c.id, account_ids))
    )
    return {row.id: row.validity_seconds is not None for row in connection.execute(query)}


def note_first_uses(connection: Connection, uses: Mapping[str, datetime]) -> None:
    """Do as `note_first_use` for many accounts; every moment is one that a clock can have said."""
    if uses:
        connection.execute(
            update(accounts)
            .where(accounts.c.id == bindparam("used_id"), _UNUSED)
            .values(first_used_at=bindparam("used_at")),
            [{"used_id": account_id, "used_at": at} for account_id, at in sorted(uses.items())],
        )


def account_of(row: Row[Any], policy: Policy, extra: tuple[TopUp, ...]) -> Account:
    """Turn a row of `accounts` into an account."""
    return Account(
        id=row.id,
        kind=AccountKind(row.kind),
        policy=policy,
        version=row.version,
        suspended=row.suspended,
        removed=row.removed_at is not None,
        valid_until=row.valid_until,
        first_used_at=row.first_used_at,
        site_id=row.site_id,
        billing_day=row.billing_day,
        extra_seconds=row.extra_seconds,
        top_ups=extra,
    )
