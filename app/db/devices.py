"""Which MAC addresses were seen with which account."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from app.db.bulk import write_rows
from app.db.tables.accounts import devices
from app.db.upsert import upsert
from app.domain.users import Device


def of_account(connection: Connection, account_id: str) -> list[Device]:
    """Return the devices of an account, the one seen last first."""
    query = select(devices).where(devices.c.account_id == account_id)
    rows = connection.execute(query.order_by(devices.c.last_seen_at.desc(), devices.c.mac))
    return [Device(row.mac, row.first_seen_at, row.last_seen_at) for row in rows]


def number_of(connection: Connection, account_id: str) -> int:
    """Return how many devices an account has had."""
    return connection.scalar(select(func.count()).where(devices.c.account_id == account_id)) or 0


def has(connection: Connection, account_id: str, mac: str) -> bool:
    """Tell whether the device was seen with the account."""
    query = select(devices.c.mac).where(devices.c.account_id == account_id, devices.c.mac == mac)
    return connection.execute(query).first() is not None


def note(connection: Connection, account_id: str, mac: str, *, at: datetime) -> None:
    """Note that a device was seen with an account; an earlier moment changes nothing."""
    values = upsert(connection, devices).values(account_id=account_id, mac=mac, first_seen_at=at, last_seen_at=at)
    connection.execute(
        values.on_conflict_do_update(
            index_elements=["account_id", "mac"],
            set_={"last_seen_at": values.excluded.last_seen_at},
            where=devices.c.last_seen_at < values.excluded.last_seen_at,
        )
    )


def note_many(connection: Connection, seen: Mapping[tuple[str, str], tuple[datetime, datetime]]) -> None:
    """Note devices, by account id and MAC, with the first and the last moment they were seen; any order will do."""
    write_rows(
        connection,
        devices,
        ("account_id", "mac", "first_seen_at", "last_seen_at"),
        [(account_id, mac, first, last) for (account_id, mac), (first, last) in sorted(seen.items())],
        "ON CONFLICT (account_id, mac) DO UPDATE SET last_seen_at = excluded.last_seen_at "
        "WHERE devices.last_seen_at < excluded.last_seen_at",
    )


def forget(connection: Connection, account_id: str) -> None:
    """Forget the devices of an account."""
    connection.execute(delete(devices).where(devices.c.account_id == account_id))
