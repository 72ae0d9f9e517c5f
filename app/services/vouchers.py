"""Vouchers: made in batches, printed, redeemed once, revoked. One function, one transaction each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, devices, feed, plans, resume, top_ups, vouchers
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.vouchers import CountedBatch
from app.domain.access import Denial, DenialReason
from app.domain.keys import Chance, draw_id
from app.domain.plans import Plan
from app.domain.policies import Where
from app.domain.quotas import Measure, Period, Tally
from app.domain.resume import grant_for
from app.domain.text import spelled
from app.domain.users import Account, AccountKind
from app.domain.vouchers import Voucher, VoucherBatch, VoucherState, new_code, normalise_code
from app.services import fields
from app.services.changes import reconsider_sessions
from app.services.errors import Invalid, NotFound
from app.services.keyring import Keyring
from app.services.top_ups import Addition, add

LARGEST_BATCH: Final = 100_000
_NOTE_LENGTH: Final = 200
_CODE_CHANCE: Final = 16
_PURPOSE: Final = "voucher"


@dataclass(frozen=True, slots=True)
class PrintedVoucher:
    """One code in clear, for paper."""

    code: str
    state: VoucherState


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """A batch that was made now, and its codes in the order in which a reprint gives them."""

    batch: VoucherBatch
    codes: tuple[str, ...]


def create_batch(
    database: Database,
    keyring: Keyring,
    *,
    plan: str,
    count: int,
    note: str = "",
    valid_until: datetime | None = None,
    top_up: bool = False,
    author: str | None = None,
    now: datetime,
    chance: Chance,
    progress: Callable[[int], None] | None = None,
) -> CreatedBatch:
    """Make `count` vouchers; `progress` hears how many are ready. Raise Invalid, NotFound (the plan)."""
    fields.amount("count", count, greatest=LARGEST_BATCH)
    if valid_until is not None and valid_until <= now:
        raise Invalid("valid_until", "has passed already")
    note, by = fields.line("note", note, limit=_NOTE_LENGTH), fields.known_author(author)
    batch_id = draw_id(chance)
    ids = sorted(draw_id(chance) for _ in range(count))
    drawn = _codes(chance)
    codes: dict[bytes, str] = {}
    while len(codes) < count:
        code = next(drawn)
        codes[keyring.voucher_hash(code)] = code
        if progress is not None and len(codes) % 1_000 == 0:
            progress(len(codes))
    with database.write() as connection:
        found = plans.by_name(connection, spelled(plan))
        if found is None:
            raise NotFound("plan", plan)
        if top_up and addition_of(found, now) == Addition():
            raise Invalid("plan", "has neither a total nor a validity to add")
        _redraw_taken(connection, keyring, codes, drawn)
        batch = VoucherBatch(batch_id, found.id, count, note, valid_until, now, top_up, by)
        vouchers.add_batch(connection, batch)
        vouchers.add_many(
            connection,
            [
                {
                    "id": voucher_id,
                    "batch_id": batch_id,
                    "code_hash": code_hash,
                    "code_sealed": keyring.seal(code.encode(), purpose=_PURPOSE),
                    "state": VoucherState.NEW.value,
                }
                for voucher_id, (code_hash, code) in zip(ids, codes.items(), strict=True)
            ],
        )
    if progress is not None:
        progress(count)
    return CreatedBatch(batch, tuple(codes.values()))


def list_batches(database: Database) -> list[CountedBatch]:
    """Return every batch, the newest first, with its plan's name and how many vouchers are in each state."""
    with database.read() as connection:
        return vouchers.counted_batches(connection)


def batch_codes(database: Database, keyring: Keyring, batch_id: str) -> list[PrintedVoucher]:
    """Return the codes of a batch in clear, to print them again; raise NotFound."""
    with database.read() as connection:
        if vouchers.batch(connection, batch_id) is None:
            raise NotFound("batch", batch_id)
        sealed = vouchers.codes_of_batch(connection, batch_id)
    return [PrintedVoucher(keyring.open(code.sealed, purpose=_PURPOSE).decode(), code.state) for code in sealed]


def revoke_batch(
    database: Database,
    batch_id: str,
    *,
    author: str | None = None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> int:
    """Revoke what is left of a batch, and suspend what it has opened; return how many. Raise NotFound, Invalid."""
    by = fields.known_author(author)
    with database.write() as connection:
        if vouchers.batch(connection, batch_id) is None:
            raise NotFound("batch", batch_id)
        number, account_ids = vouchers.revoke(connection, batch_id=batch_id, by=by, at=now)
        _suspend(connection, account_ids, by=by, zone=zone, now=now, chance=chance)
    return number


def revoke_code(
    database: Database,
    keyring: Keyring,
    typed: str,
    *,
    author: str | None = None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> int:
    """Revoke one voucher, and suspend what it has opened; return 0 if it was already. Raise NotFound, Invalid."""
    code, by = normalise_code(typed), fields.known_author(author)
    with database.write() as connection:
        voucher = None if code is None else vouchers.by_hash(connection, keyring.voucher_hash(code))
        if voucher is None:
            raise NotFound("voucher", typed)
        number, account_ids = vouchers.revoke(connection, voucher_id=voucher.id, by=by, at=now)
        _suspend(connection, account_ids, by=by, zone=zone, now=now, chance=chance)
    return number


def redeem(
    database: Database,
    keyring: Keyring,
    typed: str,
    *,
    mac: str,
    where: Where | None = None,
    proven: str | None = None,
    now: datetime,
    chance: Chance,
) -> Account | Denial:
    """Open the account of a voucher for a device, at the first time by making it.

    One that tops up adds to an account that is there, and opens that: the `proven` one, whose password was typed on
    the same page, else the one that the device has at the place. Where there is none it is not used up.

    A code is for one device, or for as many as its plan's device limit says; a device that has used it may always
    come back. Of two devices that come at once one wins. The plan's validity begins now.
    """
    code_hash = _known(database, keyring, typed)
    if code_hash is None:
        return Denial(DenialReason.VOUCHER_UNKNOWN)
    with database.write() as connection:
        voucher = vouchers.by_hash(connection, code_hash)
        if voucher is None:
            return Denial(DenialReason.VOUCHER_UNKNOWN)
        if voucher.state is VoucherState.NEW and voucher.valid_until is not None and voucher.valid_until <= now:
            return Denial(DenialReason.EXPIRED)
        if voucher.top_up and voucher.account_id is None:
            known = None if where is None else _account_of(connection, mac, where, proven, now)
            if where is None or known is None:
                return Denial(_why_not(voucher, DenialReason.TOP_UP_OF_NOBODY))
            return _add_to(connection, voucher, known, zone=where.zone, now=now, chance=chance)
        if voucher.state is VoucherState.NEW and vouchers.use(connection, voucher.id, at=now):
            return _open_account(connection, voucher, mac, now, draw_id(chance))
        return _join_account(connection, code_hash, mac, now)


def top_up_by_code(
    database: Database,
    keyring: Keyring,
    typed: str,
    account_id: str,
    *,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Account | Denial | None:
    """Add what a voucher holds to an account that is online or was; None: it is one that opens a plan.

    The same code again for the same account changes nothing.
    """
    code_hash = _known(database, keyring, typed)
    if code_hash is None:
        return Denial(DenialReason.VOUCHER_UNKNOWN)
    with database.write() as connection:
        voucher, account = vouchers.by_hash(connection, code_hash), accounts.by_id(connection, account_id, now=now)
        if voucher is None or account is None or account.removed:
            return Denial(DenialReason.VOUCHER_UNKNOWN)
        if not voucher.top_up and voucher.state is not VoucherState.REVOKED:
            return None
        return _add_to(connection, voucher, account, zone=zone, now=now, chance=chance)


def _known(database: Database, keyring: Keyring, typed: str) -> bytes | None:
    """Return the hash of a code that was made; a guess does not queue up behind writers."""
    code = normalise_code(typed)
    if code is None:
        return None
    code_hash = keyring.voucher_hash(code)
    with database.read() as connection:
        return None if vouchers.by_hash(connection, code_hash) is None else code_hash


def _open_account(connection: Connection, voucher: Voucher, mac: str, now: datetime, account_id: str) -> Account:
    accounts.add(connection, account_id, AccountKind.VOUCHER, plan_id=voucher.plan_id, first_used_at=now, now=now)
    vouchers.attach(connection, voucher.id, account_id)
    devices.note(connection, account_id, mac, at=now)
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account_id]})
    account = accounts.by_id(connection, account_id, now=now)
    assert account is not None
    return account


def _account_of(connection: Connection, mac: str, where: Where, proven: str | None, now: datetime) -> Account | None:
    """Return the proven account, else the one to which a device comes back at a place, else the guest that it was."""
    grants = () if where.site_id is None or proven is not None else resume.of_macs(connection, [mac], now=now)[mac]
    grant = grant_for(grants, where.site_id or "", now)
    account_id = proven if grant is None else grant.account_id
    account = None if account_id is None else accounts.by_id(connection, account_id, now=now)
    if account is None or account.removed:
        account = accounts.guest_of(connection, mac, now=now)
    return None if account is None or account.removed else account


def _why_not(voucher: Voucher, otherwise: DenialReason) -> DenialReason:
    """Return why a card that tops up is good for nobody any more, if it is not."""
    match voucher.state:
        case VoucherState.REVOKED:
            return DenialReason.VOUCHER_REVOKED
        case VoucherState.USED:
            return DenialReason.VOUCHER_USED
        case VoucherState.NEW:
            return otherwise


def _add_to(
    connection: Connection, voucher: Voucher, account: Account, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> Account | Denial:
    """Use a card up for an account; the same card again for it changes nothing, and one that adds nothing is kept."""
    if voucher.state is VoucherState.NEW:
        if voucher.valid_until is not None and voucher.valid_until <= now:
            return Denial(DenialReason.EXPIRED)
        if not _adds(connection, voucher, account, now):
            return Denial(DenialReason.TOP_UP_ADDS_NOTHING)
        if vouchers.use(connection, voucher.id, at=now):
            return _top_up(connection, voucher, account, zone=zone, now=now, chance=chance)
    if top_ups.of_voucher(connection, voucher.id) == account.id and voucher.state is not VoucherState.REVOKED:
        return account
    return Denial(_why_not(voucher, DenialReason.VOUCHER_USED))


def _top_up(
    connection: Connection, voucher: Voucher, account: Account, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> Account:
    add(
        connection,
        account,
        addition_of(plans.by_id(connection)[voucher.plan_id], now),
        reason="voucher",
        author="voucher",
        zone=zone,
        now=now,
        chance=chance,
        voucher_id=voucher.id,
    )
    changed = accounts.by_id(connection, account.id, now=now)
    assert changed is not None, "it was there a line ago"
    return changed


def _adds(connection: Connection, voucher: Voucher, account: Account, now: datetime) -> bool:
    """Tell whether a voucher adds anything to an account: days are nothing to one without an end."""
    return addition_of(plans.by_id(connection)[voucher.plan_id], now).octets > 0 or account.ends_at(now) is not None


def addition_of(plan: Plan, now: datetime) -> Addition:
    """Return what a voucher of a plan adds: its total, for as long as it is valid; one without a total adds days.

    Of a total in steps it is the last one.
    """
    totals = [quota.amount for quota in plan.quotas if quota.tally == Tally(Period.TOTAL, Measure.BOTH)]
    octets = max(totals, default=0)
    seconds = plan.validity_seconds
    if not octets:
        return Addition(seconds=seconds or 0)
    return Addition(octets, 0, None if seconds is None else now + timedelta(seconds=seconds))


def _join_account(connection: Connection, code_hash: bytes, mac: str, now: datetime) -> Account | Denial:
    """Let a device into the account of a used voucher; whoever used it has committed by now."""
    voucher = vouchers.by_hash(connection, code_hash)
    if voucher is None or voucher.state is VoucherState.REVOKED or voucher.account_id is None:
        return Denial(DenialReason.VOUCHER_REVOKED)
    vouchers.lock(connection, voucher.id)
    account = accounts.by_id(connection, voucher.account_id, now=now)
    assert account is not None
    if not devices.has(connection, account.id, mac):
        if devices.number_of(connection, account.id) >= (account.policy.plan.device_limit or 1):
            return Denial(DenialReason.VOUCHER_USED)
        devices.note(connection, account.id, mac, at=now)
    return account


def _codes(chance: Chance) -> Iterator[str]:
    while True:
        yield new_code(chance(_CODE_CHANCE))


def _redraw_taken(connection: Connection, keyring: Keyring, codes: dict[bytes, str], drawn: Iterator[str]) -> None:
    """Replace codes that an earlier batch has: one in 26 million million, so this loop ends."""
    while taken := vouchers.taken_hashes(connection, list(codes)):
        for code_hash in taken:
            del codes[code_hash]
            code = next(drawn)
            codes[keyring.voucher_hash(code)] = code


def _suspend(
    connection: Connection,
    account_ids: list[str],
    *,
    by: str | None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> None:
    if not account_ids:
        return
    accounts.suspend_many(connection, account_ids, by=by, at=now)
    reconsider_sessions(connection, account_ids, zone=zone, now=now, chance=chance)
    macs = resume.end_for_accounts(connection, account_ids)
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: account_ids, FeedKind.RESUME: macs})
