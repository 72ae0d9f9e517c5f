"""Vouchers: made, printed again, redeemed once, revoked."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import accounts, feed
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.tables.vouchers import vouchers as vouchers_table
from app.domain.access import Denial, DenialReason
from app.domain.local_time import WITA
from app.domain.users import Account, AccountKind, Suspension
from app.domain.vouchers import ALPHABET, VoucherState, printed
from app.services.errors import Invalid, NotFound
from app.services.keyring import Keyring
from app.services.plans import add_plan
from app.services.vouchers import (
    LARGEST_BATCH,
    CreatedBatch,
    batch_codes,
    create_batch,
    list_batches,
    redeem,
    revoke_batch,
    revoke_code,
)
from tests.factories import MAC, NOON

Chance = Callable[[int], bytes]
OTHER = "02:aa:00:00:00:02"
THIRD = "02:aa:00:00:00:03"


@pytest.fixture(autouse=True)
def _plans(database: Database, chance: Chance) -> None:
    add_plan(database, "Sehari", now=NOON, chance=chance, validity_seconds=86_400)
    add_plan(database, "Keluarga", now=NOON, chance=chance, device_limit=2)


@pytest.fixture
def make(database: Database, keyring: Keyring, chance: Chance) -> Callable[..., CreatedBatch]:
    def make(plan: str = "Sehari", count: int = 1, **values: str) -> CreatedBatch:
        return create_batch(database, keyring, plan=plan, count=count, now=NOON, chance=chance, **values)  # type: ignore[arg-type] # a test hands in what it is about

    return make


@pytest.fixture
def enter(database: Database, keyring: Keyring, chance: Chance) -> Callable[..., Account | Denial]:
    def enter(code: str, mac: str = MAC, days: int = 0) -> Account | Denial:
        return redeem(database, keyring, code, mac=mac, now=NOON + timedelta(days=days), chance=chance)

    return enter


def states(database: Database) -> dict[VoucherState, int]:
    (batch,) = list_batches(database)
    return dict(batch.states)


def test_batch_has_as_many_different_codes(database: Database, make: Callable[..., CreatedBatch]) -> None:
    made = make(count=1_500)
    assert len(set(made.codes)) == 1_500
    assert states(database) == {VoucherState.NEW: 1_500}


def test_reprint_gives_the_same_codes_in_the_same_order(
    database: Database, keyring: Keyring, make: Callable[..., CreatedBatch]
) -> None:
    made = make(count=20)
    assert [voucher.code for voucher in batch_codes(database, keyring, made.batch.id)] == list(made.codes)


def test_no_code_is_stored_in_clear(database: Database, make: Callable[..., CreatedBatch]) -> None:
    code = make().codes[0]
    with database.read() as connection:
        row = connection.execute(select(vouchers_table)).one()
    assert code not in {value for value in row if isinstance(value, str)}
    assert not [value for value in row if isinstance(value, bytes) and code.encode() in value]


def test_code_that_is_taken_is_drawn_anew(
    database: Database, keyring: Keyring, chance: Chance, make: Callable[..., CreatedBatch]
) -> None:
    first = make()
    draws = iter([b"\x01" * 10, b"\x02" * 10])
    repeated = first.codes[0]

    def again(size: int) -> bytes:
        if size == 10:
            return next(draws, None) or chance(size)
        return next(numbers)

    value = 0
    for letter in reversed(repeated):
        value = value * len(ALPHABET) + ALPHABET.index(letter)
    numbers = iter([value.to_bytes(16, "big"), b"\x07" * 16])
    second = create_batch(database, keyring, plan="Sehari", count=1, now=NOON, chance=again)
    assert second.codes[0] != repeated
    assert len(list_batches(database)) == 2


@pytest.mark.parametrize("count", [0, -1, LARGEST_BATCH + 1], ids=["none", "negative", "too many"])
def test_impossible_count_is_refused(make: Callable[..., CreatedBatch], count: int) -> None:
    with pytest.raises(Invalid, match="count"):
        make(count=count)


def test_batch_of_a_plan_that_is_not_there_is_refused(make: Callable[..., CreatedBatch]) -> None:
    with pytest.raises(NotFound):
        make(plan="Emas")


def test_first_redemption_opens_an_account_of_the_plan(
    database: Database, make: Callable[..., CreatedBatch], enter: Callable[..., Account | Denial]
) -> None:
    account = enter(printed(make().codes[0]).lower())
    assert isinstance(account, Account)
    assert (account.kind, account.policy.plan.name) == (AccountKind.VOUCHER, "Sehari")
    assert account.ends_at(NOON) == NOON + timedelta(days=1)
    assert states(database) == {VoucherState.USED: 1}


def test_same_device_comes_back_to_the_same_account(
    make: Callable[..., CreatedBatch], enter: Callable[..., Account | Denial]
) -> None:
    code = make().codes[0]
    assert enter(code) == enter(code)


def test_other_device_cannot_use_a_single_code(
    make: Callable[..., CreatedBatch], enter: Callable[..., Account | Denial]
) -> None:
    code = make().codes[0]
    enter(code)
    assert enter(code, OTHER) == Denial(DenialReason.VOUCHER_USED)


def test_code_of_a_plan_for_two_devices_serves_two(
    make: Callable[..., CreatedBatch], enter: Callable[..., Account | Denial]
) -> None:
    code = make("Keluarga").codes[0]
    first = enter(code)
    assert enter(code, OTHER) == first
    assert enter(code, THIRD) == Denial(DenialReason.VOUCHER_USED)
    assert enter(code) == first


@pytest.mark.parametrize("typed", ["", "ABC", "not a code at all", "ABCDEFGHJ", "x" * 100, "\x00" * 9])
def test_foreign_code_is_unknown(enter: Callable[..., Account | Denial], typed: str) -> None:
    assert enter(typed) == Denial(DenialReason.VOUCHER_UNKNOWN)


def test_batch_can_end_before_it_is_used_but_not_after(
    make: Callable[..., CreatedBatch], enter: Callable[..., Account | Denial]
) -> None:
    made = make(count=2, valid_until=NOON + timedelta(days=2))
    used, unused = made.codes
    account = enter(used, days=1)
    assert isinstance(account, Account)
    assert enter(unused, days=2) == Denial(DenialReason.EXPIRED)
    assert isinstance(enter(used, days=3), Account)


def test_revoked_batch_opens_nothing_and_ends_what_it_opened(
    database: Database,
    make: Callable[..., CreatedBatch],
    enter: Callable[..., Account | Denial],
    chance: Chance,
) -> None:
    made = make(count=3)
    account = enter(made.codes[0])
    assert isinstance(account, Account)
    with database.read() as connection:
        cursor = feed.cursor_now(connection)
    assert revoke_batch(database, made.batch.id, zone=WITA, now=NOON, chance=chance) == 3
    assert revoke_batch(database, made.batch.id, zone=WITA, now=NOON, chance=chance) == 0
    assert {enter(code) for code in made.codes} == {Denial(DenialReason.VOUCHER_REVOKED)}
    with database.read() as connection:
        news = feed.read(connection, cursor)
    assert news is not None
    assert news.items[FeedKind.ACCOUNT] == {account.id}


def test_who_makes_and_revokes_is_kept_and_so_is_who_suspends_what_was_opened(
    database: Database,
    keyring: Keyring,
    make: Callable[..., CreatedBatch],
    enter: Callable[..., Account | Denial],
    chance: Chance,
) -> None:
    made, other = make(count=3, author="wati"), make(count=1)
    account = enter(made.codes[0])
    assert isinstance(account, Account)
    for code, author in ((made.codes[0], "adi"), (made.codes[0], "too late"), (made.codes[1], None)):
        revoke_code(database, keyring, code, author=author, zone=WITA, now=NOON, chance=chance)
    revoke_batch(database, made.batch.id, author="ratna", zone=WITA, now=NOON, chance=chance)
    listed = {each.batch.id: (each.batch.author, each.revoked_by) for each in list_batches(database)}
    assert listed == {made.batch.id: ("wati", ("adi", "ratna")), other.batch.id: (None, ())}
    with database.read() as connection:
        assert accounts.suspension_of(connection, account.id) == Suspension("adi", NOON)


def test_one_code_can_be_revoked(
    database: Database,
    keyring: Keyring,
    make: Callable[..., CreatedBatch],
    enter: Callable[..., Account | Denial],
    chance: Chance,
) -> None:
    one, two = make(count=2).codes
    assert revoke_code(database, keyring, printed(one), zone=WITA, now=NOON, chance=chance) == 1
    assert revoke_code(database, keyring, one, zone=WITA, now=NOON, chance=chance) == 0
    assert enter(one) == Denial(DenialReason.VOUCHER_REVOKED)
    assert isinstance(enter(two), Account)
    with pytest.raises(NotFound):
        revoke_code(database, keyring, "ABCDEFGHJ", zone=WITA, now=NOON, chance=chance)


@pytest.mark.parametrize(("plan", "winners"), [("Sehari", 1), ("Keluarga", 2)], ids=["single use", "two devices"])
def test_c4_07_of_devices_that_come_at_once_only_so_many_win(
    database: Database,
    make: Callable[..., CreatedBatch],
    enter: Callable[..., Account | Denial],
    plan: str,
    winners: int,
) -> None:
    code = make(plan).codes[0]
    gate = threading.Barrier(6)
    outcomes: list[Account | Denial] = []

    def tap(number: int) -> None:
        gate.wait()
        outcomes.append(enter(code, f"02:aa:00:00:00:{number:02x}"))

    threads = [threading.Thread(target=tap, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [outcome for outcome in outcomes if isinstance(outcome, Account)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, Denial)]
    assert (len(won), len({account.id for account in won})) == (winners, 1)
    assert lost == [Denial(DenialReason.VOUCHER_USED)] * (6 - winners)
    assert states(database) == {VoucherState.USED: 1}
