"""Users in the database: a person's username, name and phone, beside the account."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, or_, select, update

from app.db import overlays, top_ups
from app.db.accounts import account_of
from app.db.chunks import chunks
from app.db.rules import read_rules
from app.db.tables.accounts import accounts, users
from app.domain.users import User


@dataclass(frozen=True, slots=True)
class KnownUser:
    """What an import compares a row with."""

    account_id: str
    name: str
    phone: str | None
    plan_id: str
    site_id: str | None


def by_username(connection: Connection, username: str, *, now: datetime) -> User | None:
    """Return one user by the canonical username; None if there is none."""
    return next(iter(_read(connection, users.c.username == username, now=now)), None)


def by_account_id(connection: Connection, account_id: str, *, now: datetime) -> User | None:
    """Return the user whose account this is; None if it is nobody's."""
    return next(iter(_read(connection, users.c.account_id == account_id, now=now)), None)


def page(
    connection: Connection, *, search: str, phone: str | None, after: str, limit: int, now: datetime
) -> list[User]:
    """Return up to `limit` users after the username `after`, of those that `search` or `phone` fits."""
    return _read(connection, users.c.username > after, _fits(search, phone), limit=limit, now=now)


def number(connection: Connection, *, search: str, phone: str | None) -> int:
    """Return how many users `search` or `phone` fits."""
    return connection.scalar(select(func.count()).select_from(users).where(_fits(search, phone))) or 0


def known(connection: Connection, usernames: Collection[str]) -> dict[str, KnownUser]:
    """Return those of these canonical usernames that exist."""
    found: dict[str, KnownUser] = {}
    for some in chunks(usernames):
        query = (
            select(
                users.c.username,
                users.c.account_id,
                users.c.name,
                users.c.phone,
                accounts.c.plan_id,
                accounts.c.site_id,
            )
            .join(accounts, accounts.c.id == users.c.account_id)
            .where(users.c.username.in_(some))
        )
        for row in connection.execute(query):
            found[row.username] = KnownUser(row.account_id, row.name, row.phone, row.plan_id, row.site_id)
    return found


def account_ids(connection: Connection) -> Iterator[tuple[str, str]]:
    """Give every (username, account id): what a node needs to read a login that comes by RADIUS."""
    for row in connection.execute(select(users.c.username, users.c.account_id)):
        yield row.username, row.account_id


def usernames_of(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Return the username by account id; an account that is nobody's is left out."""
    found: dict[str, str] = {}
    for some in chunks(ids):
        query = select(users.c.account_id, users.c.username).where(users.c.account_id.in_(some))
        found |= {row.account_id: row.username for row in connection.execute(query)}
    return found


def add_many(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Store new users; each row has `account_id`, `username`, `name`, `phone`, `created_at`."""
    for some in chunks(rows):
        connection.execute(insert(users), list(some))


def change(connection: Connection, account_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a user."""
    if values:
        connection.execute(update(users).where(users.c.account_id == account_id).values(**values))


def change_many(connection: Connection, values: Mapping[str, Mapping[str, object]]) -> None:
    """Change columns of many users, each their own, by account id."""
    by_columns: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for account_id, columns in values.items():
        if columns:
            by_columns.setdefault(tuple(columns), []).append({"account": account_id, **columns})
    for names, rows in by_columns.items():
        query = update(users).where(users.c.account_id == bindparam("account"))
        connection.execute(query.values({name: bindparam(name) for name in names}), rows)


def remove(connection: Connection, account_id: str) -> None:
    """Forget a person; the account, what it used, stays."""
    connection.execute(delete(users).where(users.c.account_id == account_id))


def _fits(search: str, phone: str | None) -> ColumnElement[bool]:
    parts = [column.icontains(search, autoescape=True) for column in (users.c.username, users.c.name, users.c.phone)]
    if phone is not None:
        parts.append(users.c.phone == phone)
    return or_(*parts)


def _read(
    connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None, now: datetime
) -> list[User]:
    query = (
        select(accounts, users.c.username, users.c.name, users.c.phone)
        .join(users, users.c.account_id == accounts.c.id)
        .where(*conditions)
        .order_by(users.c.username)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    return list(_users(connection, rows, now=now))


def _users(connection: Connection, rows: Sequence[Row[Any]], *, now: datetime) -> Iterable[User]:
    own = overlays.own_of(connection, [row.id for row in rows])
    extra = top_ups.read(connection, [row.id for row in rows])
    rules = read_rules(connection, None)
    for row in rows:
        policy = rules.policy(row.plan_id, own.get(row.id), None, now)
        yield User(account_of(row, policy, extra.get(row.id, ())), row.username, row.name, row.phone)
