"""What nodes must read anew, and what open sessions must be told."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from app.db.tables.columns import Moment, Sequence64, metadata, row_id

feed = Table(
    "feed",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    Column("xid", String(20), nullable=False),  # PostgreSQL: pg_current_xact_id(), commit order; SQLite: ""
    Column("at", Moment, nullable=False),
    Column("origin", String(24), nullable=False, default=""),  # node/worker whose journal caused it
    Column("items", Text, nullable=False),  # JSON: kind -> ids
    Index("ix_feed_xid", "xid"),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    row_id(),
    Column("session_id", String(16), nullable=False, index=True),
    Column("kind", String(10), nullable=False),  # disconnect, change
    Column("reason", String(40), nullable=False),
    Column("payload", Text, nullable=False, default=""),  # JSON: what the session is held to since
    Column("state", String(9), nullable=False),  # pending, sent, unknown, waiting, done, failed
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("result", String(200), nullable=False, default=""),
    Column("created_at", Moment, nullable=False),
    Column("way", String(10)),  # coa, disconnect, resume
    Column("author", String(80), nullable=False, default=""),
    Column("note", String(200), nullable=False, default=""),  # why, in the author's words
    Column("finished_at", Moment),
    Index("ix_changes_due", "state", "due_at"),
)
