"""Resume grants in the database: which MAC may come back without a page, with which account, where, until when."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, delete, insert, select, update

from app.db.chunks import chunks
from app.db.tables import resume_grants
from app.domain.resume import ResumeGrant

_COLUMNS = (
    resume_grants.c.mac,
    resume_grants.c.account_id,
    resume_grants.c.site_id,
    resume_grants.c.expires_at,
)


def live(connection: Connection, *, now: datetime) -> list[ResumeGrant]:
    """Return every grant that has not ended."""
    rows = connection.execute(select(*_COLUMNS).where(resume_grants.c.expires_at > now))
    return [ResumeGrant(*row) for row in rows]


def of_macs(connection: Connection, macs: Collection[str], *, now: datetime) -> dict[str, list[ResumeGrant]]:
    """Return the grants that have not ended of some MACs; a MAC without any has an empty list."""
    found: dict[str, list[ResumeGrant]] = {mac: [] for mac in macs}
    for some in chunks(macs):
        query = select(*_COLUMNS).where(resume_grants.c.mac.in_(some), resume_grants.c.expires_at > now)
        for row in connection.execute(query):
            found[row.mac].append(ResumeGrant(*row))
    return found


def keep(connection: Connection, grant_id: str, grant: ResumeGrant, *, now: datetime) -> None:
    """Store a grant, or give the one of that MAC, account and site its new end."""
    same = and_(
        resume_grants.c.mac == grant.mac,
        resume_grants.c.account_id == grant.account_id,
        resume_grants.c.site_id == grant.site_id if grant.site_id is not None else resume_grants.c.site_id.is_(None),
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
        )
    )


def end_for_mac(connection: Connection, mac: str) -> int:
    """End every grant of a MAC (log-out, two phones with one MAC); return how many there were."""
    return connection.execute(delete(resume_grants).where(resume_grants.c.mac == mac)).rowcount


def end_for_accounts(connection: Connection, account_ids: Collection[str]) -> list[str]:
    """End every grant of some accounts; return the MACs that had one."""
    macs: list[str] = []
    for some in chunks(account_ids):
        query = delete(resume_grants).where(resume_grants.c.account_id.in_(some)).returning(resume_grants.c.mac)
        macs += connection.scalars(query)
    return macs


def forget_ended(connection: Connection, *, now: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` grants that have ended; return how many."""
    ended = select(resume_grants.c.id).where(resume_grants.c.expires_at <= now).limit(limit)
    return connection.execute(delete(resume_grants).where(resume_grants.c.id.in_(ended))).rowcount
