"""What an admin does with users: one function, one transaction each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict, Unpack
from zoneinfo import ZoneInfo

from app.db import accounts, credentials, devices, feed, overlays, overrides, plans, resume, sites, users
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance, draw_id
from app.domain.phones import parse_phone
from app.domain.plans import Plan
from app.domain.text import NAME_LENGTH, spelled
from app.domain.users import AccountKind, CredentialKind, User
from app.services import fields, passwords
from app.services.changes import reconsider_sessions
from app.services.errors import Conflict, Invalid, NotFound
from app.services.keyring import Keyring

LARGEST_PAGE: Final = 500


class UserValues(TypedDict, total=False):
    """What a person has; what is left out keeps its value (a new user: the plan made first, every site)."""

    name: str
    phone: str | None
    plan: str  # a plan's name
    site: str | None  # a site's name; None: every site
    valid_until: datetime | None
    billing_day: int  # 1 to 31


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some users in the order of their usernames; `next_after` asks for the next page, None: there is none."""

    users: tuple[User, ...]
    total: int
    next_after: str | None


def add_user(
    database: Database,
    keyring: Keyring,
    username: str,
    *,
    password: str | None,
    kind: CredentialKind = CredentialKind.HASHED,
    now: datetime,
    chance: Chance,
    **values: Unpack[UserValues],
) -> User:
    """Make a user; without a password nobody can log in by one. Raise Conflict, Invalid, NotFound (plan, site)."""
    canonical = fields.unmistakable(fields.username(username))
    account_id = draw_id(chance)
    credential = (
        None if password is None else passwords.make_credential(keyring, account_id, password, kind, chance=chance)
    )
    with database.write() as connection:
        if users.known(connection, [canonical]):
            raise Conflict("user", canonical)
        accounts.add(
            connection,
            account_id,
            AccountKind.USER,
            plan_id=_plan(connection, values.get("plan")).id,
            site_id=_site_id(connection, values.get("site")),
            valid_until=values.get("valid_until"),
            billing_day=_billing_day(values.get("billing_day", 1)),
            now=now,
        )
        columns = {"account_id": account_id, "username": canonical, "name": "", "phone": None, "created_at": now}
        users.add_many(connection, [columns | _person(values)])
        if credential is not None:
            credentials.add_many(connection, {account_id: credential}, now=now)
        return _announce(connection, canonical, now)


def list_users(database: Database, *, search: str = "", after: str = "", limit: int = 50, now: datetime) -> UserPage:
    """Return one page of the users whose username, name or phone contains `search`; raise Invalid."""
    fields.amount("limit", limit, greatest=LARGEST_PAGE)
    text, phone = spelled(search), parse_phone(search)
    with database.read() as connection:
        found = users.page(connection, search=text, phone=phone, after=after, limit=limit + 1, now=now)
        total = users.number(connection, search=text, phone=phone)
    shown = found[:limit]
    return UserPage(tuple(shown), total, shown[-1].username if len(found) > limit else None)


def show_user(database: Database, username: str, *, now: datetime) -> User:
    """Return one user; raise NotFound."""
    with database.read() as connection:
        return stored_user(connection, username, now)


def set_user(
    database: Database, username: str, *, zone: ZoneInfo, now: datetime, chance: Chance, **values: Unpack[UserValues]
) -> User:
    """Change a user; raise NotFound, Invalid."""
    with database.write() as connection:
        user = stored_user(connection, username, now)
        columns: dict[str, object] = {}
        if "plan" in values:
            columns["plan_id"] = _plan(connection, values["plan"]).id
        if "site" in values:
            columns["site_id"] = _site_id(connection, values["site"])
        if "valid_until" in values:
            columns["valid_until"] = values["valid_until"]
        if "billing_day" in values:
            columns["billing_day"] = _billing_day(values["billing_day"])
            feed.append(connection, now=now, items={FeedKind.USAGE: [user.account.id]})
        users.change(connection, user.account.id, _person(values))
        if columns:
            accounts.change(connection, user.account.id, columns)
            reconsider_sessions(connection, [user.account.id], zone=zone, now=now, chance=chance)
        return _announce(connection, user.username, now)


def suspend_user(
    database: Database,
    username: str,
    *,
    suspended: bool,
    author: str | None = None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> User:
    """Keep a person off the net, or let them on again; raise NotFound, Invalid (the author)."""
    by = fields.known_author(author)
    with database.write() as connection:
        user = stored_user(connection, username, now)
        if user.account.suspended != suspended:
            columns = accounts.suspension(suspended=suspended, by=by, at=now)
            accounts.change(connection, user.account.id, columns)
            reconsider_sessions(connection, [user.account.id], zone=zone, now=now, chance=chance)
        return _announce(connection, user.username, now)


def remove_user(database: Database, username: str, *, zone: ZoneInfo, now: datetime, chance: Chance) -> None:
    """Remove a person: name, phone, password, devices, resume grants. The username is free again; usage stays.

    Raise NotFound.
    """
    with database.write() as connection:
        account_id = stored_user(connection, username, now).account.id
        users.remove(connection, account_id)
        credentials.remove(connection, account_id)
        overrides.remove(connection, account_id)
        overlays.remove_own(connection, account_id)
        devices.forget(connection, account_id)
        macs = resume.end_for_accounts(connection, [account_id])
        accounts.change(connection, account_id, {"removed_at": now, "site_id": None})
        reconsider_sessions(connection, [account_id], zone=zone, now=now, chance=chance)
        feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account_id], FeedKind.RESUME: macs})


def default_plan(connection: Connection) -> Plan:
    """Return the plan of who is given none: the one that was made first; raise Invalid."""
    plan = plans.first(connection)
    if plan is None:
        raise Invalid("plan", "is needed, and there is none yet; make one with `pesisir plan add`")
    return plan


def stored_user(connection: Connection, username: str, now: datetime) -> User:
    """Return one user within a transaction; raise NotFound."""
    try:
        canonical = fields.username(username)
    except Invalid as error:
        raise NotFound("user", username) from error
    user = users.by_username(connection, canonical, now=now)
    if user is None:
        raise NotFound("user", username)
    return user


def _announce(connection: Connection, username: str, now: datetime) -> User:
    user = users.by_username(connection, username, now=now)
    assert user is not None
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: [user.account.id]})
    return user


def _person(values: UserValues) -> dict[str, object]:
    columns: dict[str, object] = {}
    if "name" in values:
        columns["name"] = fields.line("name", values["name"], limit=NAME_LENGTH)
    if "phone" in values:
        columns["phone"] = fields.phone(values["phone"])
    return columns


def _billing_day(day: int) -> int:
    fields.amount("billing_day", day, greatest=31)
    return day


def _plan(connection: Connection, name: str | None) -> Plan:
    if name is None:
        return default_plan(connection)
    plan = plans.by_name(connection, spelled(name))
    if plan is None:
        raise NotFound("plan", name)
    return plan


def _site_id(connection: Connection, name: str | None) -> str | None:
    if name is None:
        return None
    site = sites.by_name(connection, spelled(name))
    if site is None:
        raise NotFound("site", name)
    return site.id
