"""Leases: which worker does a job of which there is only one. Whoever holds one renews it long before it ends."""

from datetime import datetime

from sqlalchemy import Connection, false, or_

from app.db.tables.meta import leases
from app.db.upsert import upsert


def take(connection: Connection, job: str, holder: str, *, until: datetime, now: datetime, heir_of: str = "") -> bool:
    """Take or renew a lease; False while somebody else holds it.

    `heir_of` is how the names of holders begin of whom it is known that they are gone; "": of none.
    """
    gone = leases.c.holder.startswith(heir_of, autoescape=True) if heir_of else false()
    wish = upsert(connection, leases).values(job=job, holder=holder, until=until)
    wish = wish.on_conflict_do_update(
        index_elements=["job"],
        set_={"holder": wish.excluded.holder, "until": wish.excluded.until},
        where=or_(leases.c.holder == holder, leases.c.until <= now, gone),
    )
    return connection.execute(wish.returning(leases.c.job)).first() is not None
