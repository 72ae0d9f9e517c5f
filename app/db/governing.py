"""What the governor reads and keeps: open sessions with what they may have, its ceilings, and its last rounds."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from app.db.keyed import among
from app.db.tables.accounts import accounts, users
from app.db.tables.overrides import account_overrides, ceilings
from app.db.tables.plans import plans
from app.db.tables.sessions import sessions
from app.db.tables.uplinks import governor_rounds
from app.db.upsert import upsert
from app.domain.ceilings import CeilingSource
from app.domain.service_classes import ServiceClass
from app.domain.sessions import SessionState


class OpenSession(NamedTuple):
    """An open session, what its counters say, and what its plan says; account None: nobody of ours."""

    id: str
    nas_id: str
    site_id: str | None
    account_id: str | None
    mac: str
    down_octets: int
    last_report_at: datetime
    service_class: ServiceClass
    plan_bps: int | None
    plan_id: str | None


class Round(NamedTuple):
    """What the governor saw of a line when it last looked, and the level at which it holds those heavy."""

    uplink_id: str
    at: datetime
    sessions: int
    load_bps: int
    others: int
    level_bps: int | None
    postponed: int


class HeldDevice(NamedTuple):
    """A device that the governor holds down; `user` is its login name, else its account's id."""

    user: str
    mac: str
    site_id: str | None
    down_bps: int
    since: datetime
    until: datetime
    reason: str


def open_sessions(connection: Connection) -> list[OpenSession]:
    """Return every open session."""
    query = (
        select(
            sessions.c.id,
            sessions.c.nas_id,
            sessions.c.site_id,
            sessions.c.account_id,
            sessions.c.mac,
            sessions.c.down_octets,
            sessions.c.last_report_at,
            plans.c.service_class,
            plans.c.down_bps,
            plans.c.id,
        )
        .select_from(sessions)
        .outerjoin(accounts, accounts.c.id == sessions.c.account_id)
        .outerjoin(plans, plans.c.id == accounts.c.plan_id)
        .where(sessions.c.state == SessionState.OPEN.value)
    )
    return [
        OpenSession(*row[:7], ServiceClass(row[7]) if row[7] is not None else ServiceClass.GUEST, row[8], row[9])
        for row in connection.execute(query)
    ]


def accounts_of_their_own(connection: Connection, items: Collection[str]) -> set[str]:
    """Return the accounts that have one of these values in place of their plan's."""
    query = select(account_overrides.c.account_id).where(account_overrides.c.item.in_(items))
    return set(connection.scalars(query))


def held(connection: Connection, *, now: datetime) -> dict[tuple[str, str], tuple[int, datetime]]:
    """Return what the governor holds down: rate and end by (account id, MAC)."""
    query = select(ceilings.c.account_id, ceilings.c.mac, ceilings.c.down_bps, ceilings.c.until).where(
        ceilings.c.source == CeilingSource.GOVERNOR.value, ceilings.c.until > now, ceilings.c.down_bps.is_not(None)
    )
    return {(row.account_id, row.mac): (row.down_bps, row.until) for row in connection.execute(query)}


def extend(connection: Connection, account_ids: Collection[str], *, until: datetime) -> None:
    """Let the governor's ceilings of accounts last longer."""
    query = update(ceilings).where(
        ceilings.c.source == CeilingSource.GOVERNOR.value, among(connection, ceilings.c.account_id, account_ids)
    )
    connection.execute(query.values(until=until))


def keep_round(connection: Connection, one: Round) -> None:
    """Store what was seen of a line, in place of what was seen before."""
    wish = upsert(connection, governor_rounds).values(one._asdict())
    seen = {name: wish.excluded[name] for name in Round._fields if name != "uplink_id"}
    connection.execute(wish.on_conflict_do_update(index_elements=["uplink_id"], set_=seen))


def forget_round(connection: Connection, uplink_id: str) -> None:
    """Remove what was seen of a line: it is not known any more."""
    connection.execute(delete(governor_rounds).where(governor_rounds.c.uplink_id == uplink_id))


def rounds(connection: Connection) -> dict[str, Round]:
    """Return the last round of each line by its id."""
    columns = [governor_rounds.c[name] for name in Round._fields]
    return {row.uplink_id: Round(*row) for row in connection.execute(select(*columns))}


def held_devices(connection: Connection, *, now: datetime) -> list[HeldDevice]:
    """Return who is held down, and where: the longest first."""
    where = (
        select(sessions.c.site_id)
        .where(
            sessions.c.account_id == ceilings.c.account_id,
            sessions.c.mac == ceilings.c.mac,
            sessions.c.state == SessionState.OPEN.value,
        )
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            ceilings.c.account_id,
            users.c.username,
            ceilings.c.mac,
            where.label("site_id"),
            ceilings.c.down_bps,
            ceilings.c.created_at,
            ceilings.c.until,
            ceilings.c.reason,
        )
        .outerjoin(users, users.c.account_id == ceilings.c.account_id)
        .where(ceilings.c.source == CeilingSource.GOVERNOR.value, ceilings.c.until > now)
        .order_by(ceilings.c.created_at, ceilings.c.account_id)
    )
    return [
        HeldDevice(
            row.username or row.account_id, row.mac, row.site_id, row.down_bps, row.created_at, row.until, row.reason
        )
        for row in connection.execute(query)
    ]
