"""A resident logs in at the portal: who it is, whether that may go online, and the ticket that proves it to the router.

A voucher is redeemed and a password checked first (argon2 must not hold up the database); then one transaction decides
and leaves everything behind that the decision implies. A repeated attempt, as from a double tap, leaves the same.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Final
from zoneinfo import ZoneInfo

from app.db import access_log, accounts, ceilings, credentials, devices, feed, guests, online, resume, users
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain import tickets
from app.domain.acceptances import NONCE_OCTETS as ACCEPTANCE_OCTETS
from app.domain.acceptances import new_acceptance_id
from app.domain.access import Denial, DenialReason, Grant, decide_access
from app.domain.keys import Chance, draw_id, tag
from app.domain.local_time import local_day
from app.domain.policies import Where
from app.domain.reports import Decided, Method
from app.domain.resume import ResumeGrant, grant_ends_at
from app.domain.text import TextError, canonical_username
from app.domain.tickets import Ticket, TicketKind, TicketName
from app.domain.users import Account, Credential, CredentialKind
from app.services import passwords, vouchers
from app.services.keyring import Keyring
from app.services.spots import Spot
from app.services.usage import usages_of

_HASHING: Final = BoundedSemaphore(4)
"""At most so many argon2 checks at once in a process (19 MiB and 30 ms each): a flood waits, memory does not grow."""


@dataclass(frozen=True, slots=True)
class FreeTap:
    """The site's free plan, for the device itself."""


@dataclass(frozen=True, slots=True)
class VoucherCode:
    """A code as it was typed; `proven` is the account whose password was right on the same page, if one was."""

    typed: str = field(repr=False)
    proven: str | None = None


@dataclass(frozen=True, slots=True)
class AccountPassword:
    """A user name and a password as they were typed."""

    username: str
    password: str = field(repr=False)


Way = FreeTap | VoucherCode | AccountPassword


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One tap. `nonce` is the form's: the same form leads to the same ticket. `remember` is consent to 30 days."""

    way: Way
    mac: str
    nonce: bytes
    terms_accepted: bool
    remember: bool


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What the router must be told, and until when the device may come back without a page."""

    account_id: str
    grant: Grant
    ticket: Ticket
    acceptance_id: str
    resume_until: datetime

    @property
    def nonce(self) -> str:
        """Return what the login is known by until its ticket is used, and afterwards; see `login_behind`."""
        return tickets.nonce_beside(self.acceptance_id)


@dataclass(frozen=True, slots=True)
class _Checked:
    """Whoever was checked outside the transaction; None is the free tap, whose account is the device's own."""

    account_id: str | None
    kind: TicketKind


def log_in(
    database: Database,
    keyring: Keyring,
    spot: Spot,
    attempt: LoginAttempt,
    *,
    now: datetime,
    zone: ZoneInfo,
    chance: Chance,
) -> LoggedIn | Denial:
    """Log a device in at a spot, or say why not."""
    checked = _check(database, keyring, spot, attempt, now=now, zone=zone, chance=chance)
    with database.write() as connection:
        if isinstance(checked, Denial):
            _log(connection, spot, attempt, now=now, reason=checked.reason)
            return checked
        account = _account(connection, spot, attempt, checked, now=now, zone=zone, chance=chance)
        decision = decide_access(
            account,
            usages_of(connection, [account], local_day(now, zone))[account.id],
            device=attempt.mac,
            online_devices=online.devices_of(connection, account.id),
            now=now,
            zone=zone,
            ceilings=ceilings.of_accounts(connection, [account.id], now=now).get(account.id, ()),
            garden=spot.nas.can_garden,
        )
        if isinstance(decision, Denial):
            _log(connection, spot, attempt, now=now, account_id=account.id, reason=decision.reason)
            return replace(decision, proven=account.id) if checked.kind is TicketKind.PASSWORD else decision
        until = _remember(connection, keyring, account, attempt, now=now, zone=zone, chance=chance)
        issued = _issue(keyring, spot, account, attempt, kind=checked.kind, grant=decision, now=now, resume_until=until)
        _log(connection, spot, attempt, now=now, account_id=account.id, granted=issued)
        return issued


def _check(
    database: Database,
    keyring: Keyring,
    spot: Spot,
    attempt: LoginAttempt,
    *,
    now: datetime,
    zone: ZoneInfo,
    chance: Chance,
) -> _Checked | Denial:
    if not attempt.terms_accepted:
        return Denial(DenialReason.TERMS_NOT_ACCEPTED)
    match attempt.way:
        case FreeTap():
            return Denial(DenialReason.NO_FREE_PLAN) if spot.free_plan is None else _Checked(None, TicketKind.FREE)
        case VoucherCode(typed, proven):
            where = Where(spot.site.id, zone)
            account = vouchers.redeem(
                database, keyring, typed, mac=attempt.mac, where=where, proven=proven, now=now, chance=chance
            )
            return account if isinstance(account, Denial) else _Checked(account.id, TicketKind.VOUCHER)
        case AccountPassword(username, password):
            account_id = _check_password(database, keyring, username, password, now=now)
            if account_id is None:
                return Denial(DenialReason.WRONG_CREDENTIALS)
            return _Checked(account_id, TicketKind.PASSWORD)


def _check_password(database: Database, keyring: Keyring, username: str, password: str, *, now: datetime) -> str | None:
    """Return whose name and password these are; a name that is nobody's costs the same time as a wrong password."""
    account_id, credential = "", _nobodys_credential()
    try:
        canonical = canonical_username(username)
    except TextError:
        canonical = ""
    with database.read() as connection:
        user = users.by_username(connection, canonical, now=now) if canonical else None
        known = None if user is None else credentials.of_account(connection, user.account.id)
    if user is not None and known is not None:
        account_id, credential = user.account.id, known
    with _HASHING:
        matches = passwords.verify(keyring, account_id, credential, password)
    return account_id if matches and account_id else None


@lru_cache(maxsize=1)
def _nobodys_credential() -> Credential:
    """Return a credential that no password of a person opens, to spend the same time on."""
    unused = Keyring(bytes(32))
    return passwords.make_credential(unused, "", "nobody", CredentialKind.HASHED, chance=bytes)


def _account(
    connection: Connection,
    spot: Spot,
    attempt: LoginAttempt,
    checked: _Checked,
    *,
    now: datetime,
    zone: ZoneInfo,
    chance: Chance,
) -> Account:
    """Return the account that opens: the one that was checked, or the guest account of the device."""
    where = Where(spot.site.id, zone)
    if checked.account_id is not None:
        account = accounts.by_id(connection, checked.account_id, now=now, where=where)
        assert account is not None, "accounts are never deleted"
        return account
    assert spot.free_plan is not None, "a free tap without a plan was denied"
    made = draw_id(chance)
    new = guests.welcome(connection, made, attempt.mac, plan_id=spot.free_plan.id, site_id=spot.site.id, now=now)
    account = accounts.guest_of(connection, attempt.mac, now=now, where=where)
    assert account is not None, "welcomed just now or before"
    if account.policy.plan.id != spot.free_plan.id:
        accounts.change(connection, account.id, {"plan_id": spot.free_plan.id})
        account = accounts.guest_of(connection, attempt.mac, now=now, where=where)
        assert account is not None, "it was there a line ago"
        new = True
    if new:
        feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account.id]})
    return account


def _remember(
    connection: Connection,
    keyring: Keyring,
    account: Account,
    attempt: LoginAttempt,
    *,
    now: datetime,
    zone: ZoneInfo,
    chance: Chance,
) -> datetime:
    """Keep the device and its resume grant; return when the grant ends.

    The MAC is what the browser says. So the grant waits for the router to log that MAC in, and what the MAC had before
    stays until then.
    """
    until = grant_ends_at(now, zone, consented=attempt.remember)
    devices.note(connection, account.id, attempt.mac, at=now)
    grant = ResumeGrant(attempt.mac, account.id, None, until)
    nonce = tickets.nonce_beside(_acceptance_id(keyring, account, attempt))
    resume.keep(connection, draw_id(chance), grant, now=now, awaits=nonce)
    if accounts.note_first_use(connection, account.id, now):
        feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account.id]})
    return until


def _acceptance_id(keyring: Keyring, account: Account, attempt: LoginAttempt) -> str:
    """Return what this login is known by; it follows from the form's nonce, so that the same form is the same login."""
    drawn = tag(keyring.token_key, b"login", attempt.nonce, attempt.mac.encode(), account.id.encode())
    return new_acceptance_id(drawn[-ACCEPTANCE_OCTETS:])


def _issue(
    keyring: Keyring,
    spot: Spot,
    account: Account,
    attempt: LoginAttempt,
    *,
    kind: TicketKind,
    grant: Grant,
    now: datetime,
    resume_until: datetime,
) -> LoggedIn:
    """Make the ticket; the same form gives the same one."""
    acceptance_id = _acceptance_id(keyring, account, attempt)
    name = TicketName(
        account_id=account.id,
        kind=kind,
        expires_at=now + timedelta(seconds=tickets.LIFE_SECONDS),
        nonce=tickets.nonce_beside(acceptance_id),
        account_version=account.version,
    )
    ticket = tickets.issue(name, key=keyring.ticket_key(spot.nas.id), binding=attempt.mac)
    return LoggedIn(account.id, grant, ticket, acceptance_id, resume_until)


def _log(
    connection: Connection,
    spot: Spot,
    attempt: LoginAttempt,
    *,
    now: datetime,
    account_id: str | None = None,
    reason: DenialReason | None = None,
    granted: LoggedIn | None = None,
) -> None:
    verdict = Decided(
        at=now,
        nas_id=spot.nas.id,
        mac=attempt.mac,
        account_id=account_id,
        user_name="",
        method=Method.PORTAL,
        accepted=granted is not None,
        reason="" if reason is None else reason.value,
        acceptance_id=None if granted is None else granted.acceptance_id,
        limits="" if granted is None else json.dumps(granted.grant._asdict()),
    )
    access_log.add(connection, [verdict])
