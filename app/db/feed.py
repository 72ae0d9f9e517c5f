"""The change feed: what nodes must know, one row per transaction, written in the transaction that caused it.

On PostgreSQL a sequence number is not commit order: a row carries its transaction id, and a reader moves its cursor
only up to the oldest transaction that may still commit. On SQLite transactions commit in order.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, text

from app.db.tables import feed

CHANNEL = "pesisir_feed"


class FeedKind(StrEnum):
    """What kind of thing changed; the ids beside it say which."""

    SITE = "site"
    PLAN = "plan"
    NAS = "nas"
    ACCOUNT = "account"  # the account, its overrides or its credential
    RESUME = "resume"  # MACs whose resume grants changed
    USAGE = "usage"  # accounts whose usage moved by an ingest
    SESSION = "session"
    POSITION = "position"  # "node/worker" whose journal was merged further


def append(connection: Connection, *, now: datetime, items: Mapping[FeedKind, Iterable[str]], origin: str = "") -> None:
    """Tell nodes that something changed; `origin` is the "node/worker" whose journal it came from, "" for people."""
    content = {kind.value: sorted(set(ids)) for kind, ids in items.items()}
    xid = ""
    if connection.dialect.name == "postgresql":
        xid = str(connection.scalar(text("SELECT pg_current_xact_id()::text")))
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    connection.execute(insert(feed).values(xid=xid, at=now, origin=origin, items=json.dumps(content)))
