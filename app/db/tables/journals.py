"""What the journals of nodes told, and how far they have been read."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from app.db.tables.columns import Moment, Sequence64, metadata

accounting_events = Table(
    "accounting_events",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("received_at", Moment, nullable=False, index=True),
    Column("nas_id", String(16), nullable=False),
    Column("source", String(56), nullable=False),
    Column("session_id", String(16), index=True),
    Column("outcome", String(20), nullable=False),  # merged, or why not
    Column("packet", LargeBinary, nullable=False),  # the raw Accounting-Request, or an openNDS report
    Column("reading", Text),  # JSON: the counters in it, from which totals are counted again; NULL: none
    sqlite_autoincrement=True,
)

access_log = Table(
    "access_log",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("nas_id", String(16), nullable=False),
    Column("mac", String(17), nullable=False, default=""),
    Column("account_id", String(16)),
    Column("user_name", String(253), nullable=False, default=""),
    Column("method", String(12), nullable=False),  # ticket, password, resume, portal
    Column("outcome", String(6), nullable=False),  # accept, reject
    Column("reason", String(30), nullable=False, default=""),
    Column("acceptance_id", String(16)),
    Column("limits", Text, nullable=False, default=""),  # JSON: what was granted
    Index("ix_access_log_account_id", "account_id", "at"),
    Index("ix_access_log_acceptance_id", "acceptance_id"),
    Index("ix_access_log_mac", "mac", "at"),  # the Accept behind accounting that names none
    sqlite_autoincrement=True,
)

ingest_positions = Table(
    "ingest_positions",
    metadata,
    Column("node", String(16), primary_key=True),
    Column("worker", Integer, primary_key=True),
    Column("segment", BigInteger, nullable=False),
    Column("segment_id", String(32), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("origin", String(80), nullable=False),  # node/worker/segment/offset
    Column("reason", String(200), nullable=False),
    Column("record", LargeBinary, nullable=False),
    comment="journal records that could not be merged; they do not stop the rest",
    sqlite_autoincrement=True,
)
