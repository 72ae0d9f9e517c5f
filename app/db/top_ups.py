"""Top-ups in the database: the ledger of what was added, by whom and why, and how much of it is left."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select, update

from app.db.keyed import among
from app.db.tables.sessions import usage
from app.db.tables.vouchers import top_ups
from app.db.upsert import upsert
from app.domain.top_ups import Drawn, TopUp


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger; `octets` and `seconds` are what was added."""

    id: str
    account_id: str
    octets: int
    left_octets: int
    seconds: int
    ends_at: datetime | None
    reason: str
    author: str
    voucher_id: str | None
    created_at: datetime


def add(connection: Connection, entry: Entry) -> None:
    """Write a line of the ledger."""
    connection.execute(insert(top_ups).values({name: getattr(entry, name) for name in Entry.__slots__}))


def of_account(connection: Connection, account_id: str) -> list[Entry]:
    """Return what was added to an account, the newest first."""
    query = select(top_ups).where(top_ups.c.account_id == account_id)
    rows = connection.execute(query.order_by(top_ups.c.created_at.desc(), top_ups.c.id))
    return [Entry(*row) for row in rows]


def of_voucher(connection: Connection, voucher_id: str) -> str | None:
    """Return the account that a voucher has topped up; None if none."""
    return connection.scalar(select(top_ups.c.account_id).where(top_ups.c.voucher_id == voucher_id))


def read(connection: Connection, account_ids: Collection[str] | None = None) -> dict[str, tuple[TopUp, ...]]:
    """Return the octets that are left of top-ups, by account id; all accounts or some."""
    query = select(top_ups.c.account_id, top_ups.c.id, top_ups.c.left_octets, top_ups.c.ends_at).where(
        top_ups.c.left_octets > 0
    )
    if account_ids is not None:
        query = query.where(among(connection, top_ups.c.account_id, account_ids))
    found: dict[str, tuple[TopUp, ...]] = {}
    for row in connection.execute(query.order_by(top_ups.c.id)):
        found[row.account_id] = (*found.get(row.account_id, ()), TopUp(row.id, row.left_octets, row.ends_at))
    return found


def draw(connection: Connection, account_id: str, day: date, drawn: Drawn, taken: Mapping[str, int]) -> None:
    """Take octets from top-ups, and note that they paid for as many of a day, used or not."""
    for top_up_id, octets in taken.items():
        connection.execute(
            update(top_ups).where(top_ups.c.id == top_up_id).values(left_octets=top_ups.c.left_octets - octets)
        )
    noted = upsert(connection, usage).values(
        account_id=account_id,
        day=day,
        topped_octets=drawn.octets,
        topped_down_octets=drawn.down,
        topped_up_octets=drawn.up,
    )
    names = ("topped_octets", "topped_down_octets", "topped_up_octets")
    more = {name: usage.c[name] + noted.excluded[name] for name in names}
    connection.execute(noted.on_conflict_do_update(index_elements=[usage.c.account_id, usage.c.day], set_=more))
