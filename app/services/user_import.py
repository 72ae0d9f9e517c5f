"""Importing users from a CSV file: all or nothing, every mistake named, harmless to repeat.

A username that exists is compared with its row: cells that are not empty and differ are changed, empty cells change
nothing, so the same file a second time leaves everything as it is. Nobody is removed by an import.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.db import accounts, credentials, feed, plans, resume, sites, users
from app.db.chunks import chunks
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.users import KnownUser
from app.domain.keys import Chance, draw_id
from app.domain.users import AccountKind, Credential, CredentialKind
from app.services import fields, passwords
from app.services.errors import Conflict, Invalid
from app.services.keyring import Keyring
from app.services.user_rows import RowError, Rows, UserRow, read_rows

Progress = Callable[[int, int], None]
_SLICE: Final = 64  # rows between two words of progress while passwords are hashed


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import has done, or would do (`applied` False: a dry run, or mistakes).

    `default_plan_rows` new users were given no plan and get `default_plan`, the plan that was made first;
    `without_password` new users cannot log in by one.
    """

    applied: bool
    rows: int
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    without_password: int = 0
    default_plan_rows: int = 0
    default_plan: str | None = None
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Places:
    """Ids by name, and the plan of rows that name none."""

    plan_ids: Mapping[str, str]
    site_ids: Mapping[str, str]
    default_plan: str | None


@dataclass(frozen=True, slots=True)
class _Work:
    """One row with what it means: a new account, or changes of a known one. `sets_password` is settled last."""

    row: UserRow
    account_id: str
    known: KnownUser | None
    person: Mapping[str, object]
    account: Mapping[str, object]
    credential: Credential | None = None

    @property
    def changes(self) -> bool:
        """Tell whether a known user's row says anything new."""
        return bool(self.person or self.account or self.credential is not None)


def import_users(
    database: Database,
    keyring: Keyring,
    data: bytes,
    *,
    kind: CredentialKind,
    dry_run: bool,
    now: datetime,
    chance: Chance,
    progress: Progress,
) -> ImportReport:
    """Import a CSV file as `user_rows` describes it; with any mistake in it nothing is written.

    `progress` hears (done, total); raise Conflict if users were changed by somebody else meanwhile.
    """
    read = read_rows(data)
    with database.read() as connection:
        places = _places(connection)
        known = users.known(connection, [row.username for row in read.rows])
        stored = credentials.of_accounts(connection, [user.account_id for user in known.values()])
    wrong = (*read.errors, *_foreign_names(read, known, places), *_mistakable_names(read, known))
    errors = sorted(wrong, key=lambda error: error.row)
    if errors:
        return ImportReport(applied=False, rows=len(read.rows), errors=tuple(errors))
    work = [_plan_work(row, known.get(row.username), places, chance) for row in read.rows]
    work = _with_credentials(work, stored, keyring, kind=kind, chance=chance, dry_run=dry_run, progress=progress)
    if not dry_run:
        _write(database, work, known, now=now)
    progress(len(work), len(work))
    return _report(work, places, applied=not dry_run)


def _places(connection: Connection) -> _Places:
    first = plans.first(connection)
    return _Places(
        plan_ids={plan.name: plan.id for plan in plans.read_all(connection)},
        site_ids={site.name: site.id for site in sites.read_all(connection)},
        default_plan=None if first is None else first.name,
    )


def _foreign_names(read: Rows, known: Mapping[str, KnownUser], places: _Places) -> list[RowError]:
    """Return what rows name and this database does not have, in rows that are wrong elsewhere too."""
    there = {"plan": places.plan_ids, "site": places.site_ids}
    errors = [
        RowError(cell.row, cell.column, f"there is no {cell.column} {cell.name!r}")
        for cell in read.named
        if cell.name not in there[cell.column]
    ]
    errors += [
        RowError(row.row, "plan", "is empty, and there is no plan yet to take instead")
        for row in read.rows
        if row.plan is None and row.username not in known and places.default_plan is None
    ]
    return errors


def _mistakable_names(read: Rows, known: Mapping[str, KnownUser]) -> list[RowError]:
    """Return the new usernames that nobody may be given; who has such a name from before keeps it."""
    errors = []
    for row in read.rows:
        try:
            if row.username not in known:
                fields.unmistakable(row.username)
        except Invalid as error:
            errors.append(RowError(row.row, "username", error.problem))
    return errors


def _plan_work(row: UserRow, known: KnownUser | None, places: _Places, chance: Chance) -> _Work:
    plan = row.plan if row.plan is not None or known is not None else places.default_plan
    wanted_person = {"name": row.name, "phone": row.phone}
    wanted_account = {
        "plan_id": None if plan is None else places.plan_ids[plan],
        "site_id": None if row.site is None else places.site_ids[row.site],
    }
    if known is None:
        return _Work(row, draw_id(chance), None, wanted_person, wanted_account)
    return _Work(
        row,
        known.account_id,
        known,
        {key: value for key, value in wanted_person.items() if value not in (None, getattr(known, key))},
        {key: value for key, value in wanted_account.items() if value not in (None, getattr(known, key))},
    )


def _with_credentials(
    work: Sequence[_Work],
    stored: Mapping[str, Credential],
    keyring: Keyring,
    *,
    kind: CredentialKind,
    chance: Chance,
    dry_run: bool,
    progress: Progress,
) -> list[_Work]:
    """Hash or seal the passwords that are new, on all cores: argon2 works outside the interpreter's lock."""

    def settle(item: _Work) -> _Work:
        password = item.row.password
        if password is None:
            return item
        old = stored.get(item.account_id)
        if old is not None and old.kind is kind and passwords.verify(keyring, item.account_id, old, password):
            return item
        credential = (
            Credential(kind, b"")
            if dry_run
            else passwords.make_credential(keyring, item.account_id, password, kind, chance=chance)
        )
        return replace(item, credential=credential)

    done: list[_Work] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for some in chunks(work, _SLICE):
            done += pool.map(settle, some) if kind is CredentialKind.HASHED else map(settle, some)
            progress(len(done), len(work))
    return done


def _write(database: Database, work: Sequence[_Work], known: Mapping[str, KnownUser], *, now: datetime) -> None:
    new = [item for item in work if item.known is None]
    changed = [item for item in work if item.known is not None and item.changes]
    with database.write() as connection:
        if users.known(connection, [item.row.username for item in work]) != known:
            raise Conflict("user", "import", "was changed by somebody else meanwhile; run it again")
        _write_new(connection, new, now)
        credentials.add_many(connection, {i.account_id: i.credential for i in new if i.credential is not None}, now=now)
        macs = _write_changed(connection, changed, now)
        touched = [item.account_id for item in (*new, *changed)]
        if touched:
            feed.append(connection, now=now, items={FeedKind.ACCOUNT: touched, FeedKind.RESUME: macs})


def _write_new(connection: Connection, new: Sequence[_Work], now: datetime) -> None:
    accounts.add_many(
        connection,
        [
            {
                "id": item.account_id,
                "kind": AccountKind.USER.value,
                "version": 1,
                "suspended": False,
                "created_at": now,
                **item.account,
            }
            for item in new
        ],
    )
    users.add_many(
        connection,
        [
            {
                "account_id": item.account_id,
                "username": item.row.username,
                "name": item.row.name or "",
                "phone": item.row.phone,
                "created_at": now,
            }
            for item in new
        ],
    )


def _write_changed(connection: Connection, changed: Sequence[_Work], now: datetime) -> list[str]:
    """Change known users; return the MACs whose resume grants ended with an old password."""
    users.change_many(connection, {item.account_id: item.person for item in changed})
    accounts.change_many(connection, {item.account_id: item.account for item in changed})
    changed_passwords = {i.account_id: i.credential for i in changed if i.credential is not None}
    credentials.replace_many(connection, changed_passwords, now=now)
    return resume.end_for_accounts(connection, list(changed_passwords))


def _report(work: Sequence[_Work], places: _Places, *, applied: bool) -> ImportReport:
    new = [item for item in work if item.known is None]
    updated = sum(item.known is not None and item.changes for item in work)
    return ImportReport(
        applied=applied,
        rows=len(work),
        added=len(new),
        updated=updated,
        unchanged=len(work) - len(new) - updated,
        without_password=sum(item.row.password is None for item in new),
        default_plan_rows=sum(item.row.plan is None for item in new),
        default_plan=places.default_plan,
    )
