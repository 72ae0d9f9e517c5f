"""Vouchers and their batches in the database; a code is found by its keyed hash and kept sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from app.db.chunks import chunks
from app.db.tables.plans import plans
from app.db.tables.vouchers import voucher_batches, vouchers
from app.domain.vouchers import Voucher, VoucherBatch, VoucherState


@dataclass(frozen=True, slots=True)
class CountedBatch:
    """A batch with its plan's name, how many of its vouchers are in each state, and who has revoked some."""

    batch: VoucherBatch
    plan_name: str
    states: Mapping[VoucherState, int]
    revoked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedCode:
    """One voucher's code as it is stored."""

    sealed: bytes
    state: VoucherState


def add_batch(connection: Connection, batch: VoucherBatch) -> None:
    """Store a new batch."""
    connection.execute(
        insert(voucher_batches).values(
            id=batch.id,
            plan_id=batch.plan_id,
            size=batch.size,
            note=batch.note,
            valid_until=batch.valid_until,
            created_at=batch.created_at,
            top_up=batch.top_up,
            author=batch.author,
        )
    )


def add_many(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Store new vouchers; each row has `id`, `batch_id`, `code_hash`, `code_sealed`."""
    for some in chunks(rows):
        connection.execute(insert(vouchers), list(some))


def taken_hashes(connection: Connection, hashes: Sequence[bytes]) -> set[bytes]:
    """Return which of these code hashes exist already."""
    found: set[bytes] = set()
    for some in chunks(hashes):
        found |= set(connection.scalars(select(vouchers.c.code_hash).where(vouchers.c.code_hash.in_(some))))
    return found


def by_hash(connection: Connection, code_hash: bytes) -> Voucher | None:
    """Return the voucher of a code; None if there is none."""
    query = (
        select(vouchers, voucher_batches.c.plan_id, voucher_batches.c.valid_until, voucher_batches.c.top_up)
        .join(voucher_batches, voucher_batches.c.id == vouchers.c.batch_id)
        .where(vouchers.c.code_hash == code_hash)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    state = VoucherState(row.state)
    return Voucher(row.id, row.batch_id, row.plan_id, state, row.account_id, row.valid_until, row.top_up)


def use(connection: Connection, voucher_id: str, *, at: datetime) -> bool:
    """Take a new voucher; False if somebody else has, or it was revoked, since it was read."""
    result = connection.execute(
        update(vouchers)
        .where(vouchers.c.id == voucher_id, vouchers.c.state == VoucherState.NEW.value)
        .values(state=VoucherState.USED.value, used_at=at)
    )
    return result.rowcount == 1


def attach(connection: Connection, voucher_id: str, account_id: str) -> None:
    """Say which account a used voucher has opened."""
    connection.execute(update(vouchers).where(vouchers.c.id == voucher_id).values(account_id=account_id))


def lock(connection: Connection, voucher_id: str) -> None:
    """Let nobody else count this voucher's devices until the transaction ends (on SQLite nobody else can write)."""
    connection.execute(select(vouchers.c.id).where(vouchers.c.id == voucher_id).with_for_update())


def counted_batches(connection: Connection) -> list[CountedBatch]:
    """Return every batch, the newest first."""
    counts: dict[str, dict[VoucherState, int]] = {}
    by_state = select(vouchers.c.batch_id, vouchers.c.state, func.count()).group_by(
        vouchers.c.batch_id, vouchers.c.state
    )
    for batch_id, state, number in connection.execute(by_state):
        counts.setdefault(batch_id, {})[VoucherState(state)] = number
    query = (
        select(voucher_batches, plans.c.name.label("plan_name"))
        .join(plans, plans.c.id == voucher_batches.c.plan_id)
        .order_by(voucher_batches.c.created_at.desc(), voucher_batches.c.id)
    )
    revokers: dict[str, list[str]] = {}
    some_revoked = select(vouchers.c.batch_id, vouchers.c.revoked_by).where(vouchers.c.revoked_by.is_not(None))
    for batch_id, name in connection.execute(some_revoked.distinct().order_by(vouchers.c.revoked_by)):
        revokers.setdefault(batch_id, []).append(name)
    return [
        CountedBatch(_batch(row), row.plan_name, counts.get(row.id, {}), tuple(revokers.get(row.id, ())))
        for row in connection.execute(query)
    ]


def batch(connection: Connection, batch_id: str) -> VoucherBatch | None:
    """Return one batch; None if there is none of that id."""
    row = connection.execute(select(voucher_batches).where(voucher_batches.c.id == batch_id)).one_or_none()
    return None if row is None else _batch(row)


def codes_of_batch(connection: Connection, batch_id: str) -> list[SealedCode]:
    """Return the sealed codes of a batch in the order of their ids."""
    query = select(vouchers.c.code_sealed, vouchers.c.state).where(vouchers.c.batch_id == batch_id)
    rows = connection.execute(query.order_by(vouchers.c.id))
    return [SealedCode(row.code_sealed, VoucherState(row.state)) for row in rows]


def revoke(
    connection: Connection,
    *,
    batch_id: str | None = None,
    voucher_id: str | None = None,
    by: str | None,
    at: datetime,
) -> tuple[int, list[str]]:
    """Revoke a batch or one voucher; return how many were revoked now, and the accounts that they had opened."""
    chosen = vouchers.c.batch_id == batch_id if batch_id is not None else vouchers.c.id == voucher_id
    result = connection.execute(
        update(vouchers)
        .where(chosen, vouchers.c.state != VoucherState.REVOKED.value)
        .values(state=VoucherState.REVOKED.value, revoked_at=at, revoked_by=by)
        .returning(vouchers.c.account_id)
    )
    accounts = list(result.scalars())
    return len(accounts), [account_id for account_id in accounts if account_id is not None]


def _batch(row: Row[Any]) -> VoucherBatch:
    return VoucherBatch(
        row.id, row.plan_id, row.size, row.note, row.valid_until, row.created_at, row.top_up, row.author
    )
