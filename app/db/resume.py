"""Resume grants in the database: which MAC may come back without a page, with which account, where, until when.

A login leaves a grant that is pending; it comes into force when the router has used the login's ticket.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from app.db.chunks import chunks
from app.db.tables.accounts import resume_grants
from app.domain.resume import ResumeGrant

_COLUMNS = (
    resume_grants.c.mac,
    resume_grants.c.account_id,
    resume_grants.c.site_id,
    resume_grants.c.expires_at,
)
_IN_FORCE: Final = resume_grants.c.awaits.is_(None)
_PENDING_KEPT: Final = timedelta(days=1)
"""A ticket lives two minutes, but its use may be merged later: for as long as a database is away."""


class Used(NamedTuple):
    """A login whose ticket a router has used: the device, the account, and the ticket's nonce."""

    mac: str
    account_id: str
    nonce: str


class LoggedOut(NamedTuple):
    """A device that logged out at the router: with which account, where, when."""

    mac: str
    account_id: str
    site_id: str | None
    at: datetime


def live(connection: Connection, *, now: datetime) -> list[ResumeGrant]:
    """Return every grant that is in force and has not ended."""
    rows = connection.execute(select(*_COLUMNS).where(_IN_FORCE, resume_grants.c.expires_at > now))
    return [ResumeGrant(*row) for row in rows]


def of_macs(connection: Connection, macs: Collection[str], *, now: datetime) -> dict[str, list[ResumeGrant]]:
    """Return the grants in force that have not ended of some MACs; a MAC without any has an empty list."""
    found: dict[str, list[ResumeGrant]] = {mac: [] for mac in macs}
    for some in chunks(macs):
        query = select(*_COLUMNS).where(resume_grants.c.mac.in_(some), _IN_FORCE, resume_grants.c.expires_at > now)
        for row in connection.execute(query):
            found[row.mac].append(ResumeGrant(*row))
    return found


def keep(
    connection: Connection, grant_id: str, grant: ResumeGrant, *, now: datetime, awaits: str | None = None
) -> None:
    """Store a grant, or give the one of that MAC, account and site its new end.

    `awaits` is the nonce of the ticket that has to be used first; None: it is in force at once.
    """
    same = and_(
        resume_grants.c.mac == grant.mac,
        resume_grants.c.account_id == grant.account_id,
        resume_grants.c.site_id == grant.site_id if grant.site_id is not None else resume_grants.c.site_id.is_(None),
        _IN_FORCE if awaits is None else resume_grants.c.awaits == awaits,
    )
    known = connection.execute(update(resume_grants).where(same).values(expires_at=grant.expires_at))
    if known.rowcount:
        return
    connection.execute(
        insert(resume_grants).values(
            id=grant_id,
            mac=grant.mac,
            account_id=grant.account_id,
            site_id=grant.site_id,
            expires_at=grant.expires_at,
            created_at=now,
            awaits=awaits,
        )
    )


def begin(connection: Connection, used: Iterable[Used]) -> None:
    """Bring pending grants into force, in this order; each ends what its MAC had from logins before it."""
    asked = list(used)
    columns = (*_COLUMNS, resume_grants.c.id, resume_grants.c.awaits, resume_grants.c.created_at)
    pending = {}
    for macs in chunks({one.mac for one in asked}):
        query = select(*columns).where(resume_grants.c.mac.in_(macs), ~_IN_FORCE)
        pending.update({Used(row.mac, row.account_id, row.awaits): row for row in connection.execute(query)})
    for one in asked:
        row = pending.pop(one, None)
        if row is None:
            continue
        of_mac = resume_grants.c.mac == one.mac
        newer = select(resume_grants.c.id).where(of_mac, _IN_FORCE, resume_grants.c.created_at > row.created_at)
        if connection.scalar(newer.limit(1)) is not None:  # the use of a later ticket was merged before
            connection.execute(delete(resume_grants).where(resume_grants.c.id == row.id))
            continue
        connection.execute(delete(resume_grants).where(of_mac, _IN_FORCE))
        connection.execute(update(resume_grants).where(resume_grants.c.id == row.id).values(awaits=None))


def end_for_mac(connection: Connection, mac: str) -> int:
    """End every grant of a MAC, pending ones too (log-out, two phones with one MAC); return how many there were."""
    return connection.execute(delete(resume_grants).where(resume_grants.c.mac == mac)).rowcount


def end_logged_out(connection: Connection, gone: Iterable[LoggedOut]) -> set[str]:
    """End the grants in force that let a device in where it has logged out since its login; return their MACs."""
    macs: set[str] = set()
    for one in gone:
        here = or_(resume_grants.c.site_id.is_(None), resume_grants.c.site_id == one.site_id)
        query = (
            delete(resume_grants)
            .where(resume_grants.c.mac == one.mac, resume_grants.c.account_id == one.account_id)
            .where(_IN_FORCE, here, resume_grants.c.created_at <= one.at)
            .returning(resume_grants.c.mac)
        )
        macs.update(connection.scalars(query))
    return macs


def end_for_accounts(connection: Connection, account_ids: Collection[str]) -> list[str]:
    """End every grant of some accounts; return the MACs that had one."""
    macs: list[str] = []
    for some in chunks(account_ids):
        query = delete(resume_grants).where(resume_grants.c.account_id.in_(some)).returning(resume_grants.c.mac)
        macs += connection.scalars(query)
    return macs


def forget_ended(connection: Connection, *, now: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` grants that have ended, or whose ticket was not used; return how many."""
    unused = and_(~_IN_FORCE, resume_grants.c.created_at <= now - _PENDING_KEPT)
    ended = select(resume_grants.c.id).where(or_(resume_grants.c.expires_at <= now, unused)).limit(limit)
    return connection.execute(delete(resume_grants).where(resume_grants.c.id.in_(ended))).rowcount
