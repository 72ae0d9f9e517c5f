"""Guests: a device without a user is an account of its own, found by its MAC."""

from datetime import datetime

from sqlalchemy import Connection

from app.db.tables.accounts import accounts
from app.db.upsert import upsert
from app.domain.users import AccountKind


def welcome(connection: Connection, account_id: str, mac: str, *, plan_id: str, site_id: str, now: datetime) -> bool:
    """Store the account of a device that was never here; False if it has one, whoever made it a moment ago."""
    values = upsert(connection, accounts).values(
        id=account_id,
        kind=AccountKind.GUEST.value,
        plan_id=plan_id,
        site_id=site_id,
        version=1,
        suspended=False,
        guest_mac=mac,
        created_at=now,
    )
    return connection.execute(values.on_conflict_do_nothing(index_elements=["guest_mac"])).rowcount == 1
