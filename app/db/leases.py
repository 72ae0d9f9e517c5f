"""Leases: which worker does a job of which there is only one. Whoever holds one renews it long before it ends."""

from datetime import datetime

from sqlalchemy import Connection, or_

from app.db.tables.meta import leases
from app.db.upsert import upsert


def take(connection: Connection, job: str, holder: str, *, until: datetime, now: datetime) -> bool:
    """Take or renew a lease; False while somebody else holds it."""
    wish = upsert(connection, leases).values(job=job, holder=holder, until=until)
    wish = wish.on_conflict_do_update(
        index_elements=["job"],
        set_={"holder": wish.excluded.holder, "until": wish.excluded.until},
        where=or_(leases.c.holder == holder, leases.c.until <= now),
    )
    return connection.execute(wish.returning(leases.c.job)).first() is not None
