"""The change feed: what nodes must know, one row per transaction, written in the transaction that caused it.

On PostgreSQL a sequence number is not commit order: a row carries its transaction id, and a reader moves its cursor
only up to the oldest transaction that may still commit. On SQLite transactions commit in order.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, delete, func, insert, select, text

from app.db import meta
from app.db.tables.changes import feed

CHANNEL: Final = "pesisir_feed"
_PRUNED: Final = "feed_pruned"
_WIDTH: Final = 20  # digits of 2**64: with zeros in front, the order of texts is the order of numbers


class FeedKind(StrEnum):
    """What kind of thing changed; the ids beside it say which."""

    SITE = "site"
    PLAN = "plan"
    NAS = "nas"
    ACCOUNT = "account"  # the account, its overrides or its credential
    RESUME = "resume"  # MACs whose resume grants changed
    CEILING = "ceiling"  # accounts whose rate ceilings changed
    USAGE = "usage"  # accounts whose usage moved by an ingest
    SESSION = "session"
    POSITION = "position"  # "node/worker" whose journal was merged further


def append(connection: Connection, *, now: datetime, items: Mapping[FeedKind, Iterable[str]], origin: str = "") -> None:
    """Tell nodes that something changed; `origin` is the "node/worker" whose journal it came from, "" for people."""
    content = {kind.value: sorted(set(ids)) for kind, ids in items.items()}
    xid = ""
    if connection.dialect.name == "postgresql":
        xid = str(connection.scalar(text("SELECT pg_current_xact_id()::text"))).zfill(_WIDTH)
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    connection.execute(insert(feed).values(xid=xid, at=now, origin=origin, items=json.dumps(content)))


@dataclass(frozen=True, slots=True)
class Cursor:
    """From where to follow: a sequence number on SQLite, a transaction id on PostgreSQL.

    `epoch` changes with a restore or a failover; then numbers of before mean nothing.
    """

    epoch: str
    at: int


@dataclass(frozen=True, slots=True)
class News:
    """What changed since a cursor: ids by kind, and the cursor to follow from. The same row may be read twice."""

    items: Mapping[FeedKind, frozenset[str]]
    cursor: Cursor


def cursor_now(connection: Connection) -> Cursor:
    """Return the cursor that belongs to what this transaction sees: everything before it is in the tables."""
    return Cursor(_epoch(connection), _horizon(connection))


def read(connection: Connection, cursor: Cursor) -> News | None:
    """Return what changed since `cursor`; None if that cannot be said: another epoch, or rows have been pruned.

    On PostgreSQL the cursor moves only up to the oldest transaction that is still in work, and all from the cursor
    on is read again: reading only below that horizon would stand still whenever any transaction is open.
    """
    here = cursor_now(connection)
    if here.epoch != cursor.epoch or here.at < cursor.at or cursor.at < int(meta.read(connection, _PRUNED) or 0):
        return None
    query = select(feed.c["items"].label("content"))
    if connection.dialect.name == "postgresql":
        query = query.where(feed.c.xid >= str(cursor.at).zfill(_WIDTH))
    else:
        query = query.where(feed.c.seq > cursor.at)
    return News(_joined(connection.execute(query).all()), here)


def prune(connection: Connection, *, before: datetime) -> int:
    """Delete rows from before a moment and note how far; return how many. A reader that is further back loads anew."""
    if connection.dialect.name == "postgresql":
        last = connection.scalar(select(func.max(feed.c.xid)).where(feed.c.at < before))
        pruned = None if last is None else int(last) + 1
    else:
        pruned = connection.scalar(select(func.max(feed.c.seq)).where(feed.c.at < before))
    if pruned is None:
        return 0
    deleted = connection.execute(delete(feed).where(feed.c.at < before)).rowcount
    stored = meta.read(connection, _PRUNED)
    if stored is None:
        meta.add(connection, _PRUNED, str(pruned))
    else:
        meta.replace(connection, _PRUNED, str(max(pruned, int(stored))))
    return deleted


def _horizon(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")) or 0)
    return connection.scalar(select(func.max(feed.c.seq))) or int(meta.read(connection, _PRUNED) or 0)


def _epoch(connection: Connection) -> str:
    """Return what changes with a restore (ours, in `meta`) and with a failover (PostgreSQL's timeline)."""
    epoch = meta.read(connection, meta.FEED_EPOCH) or ""
    if connection.dialect.name == "postgresql":
        timeline = connection.scalar(text("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"))
        return f"{epoch}:{timeline}"
    return epoch


def _joined(rows: Iterable[Row[tuple[str]]]) -> dict[FeedKind, frozenset[str]]:
    """Join the items of rows; a kind that a newer release writes is not for us."""
    joined: dict[FeedKind, set[str]] = {}
    for row in rows:
        for kind, ids in json.loads(row.content).items():
            if kind in _KINDS:
                joined.setdefault(FeedKind(kind), set()).update(ids)
    return {kind: frozenset(ids) for kind, ids in joined.items()}


_KINDS: Final = frozenset(kind.value for kind in FeedKind)
