"""Sessions, and what accounts used by local day."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, String, Table, Text

from app.db.tables.columns import Moment, metadata, row_id

sessions = Table(
    "sessions",
    metadata,
    row_id(),
    Column("nas_id", String(16), nullable=False),
    Column("nas_scope", String(253), nullable=False),
    Column("acct_session_id", String(253), nullable=False),
    Column("mac", String(17), nullable=False, default=""),
    Column("started_at", Moment, nullable=False),
    Column("user_name", String(253), nullable=False, default=""),  # exactly as the NAS uses it: CoA needs it
    Column("account_id", String(16)),
    Column("acceptance_id", String(16)),
    Column("site_id", String(16)),
    Column("ip", String(45)),
    Column("framed_ipv6_address", String(45)),
    Column("framed_ipv6_prefix", String(49)),
    Column("framed_interface_id", String(19)),
    Column("delegated_ipv6_prefix", String(49)),
    Column("nas_ipv6_address", String(45)),
    Column("last_report_at", Moment, nullable=False),
    Column("up_octets", BigInteger, nullable=False, default=0),
    Column("down_octets", BigInteger, nullable=False, default=0),
    Column("session_seconds", BigInteger, nullable=False, default=0),
    Column("marks", Text, nullable=False),  # JSON: the first and last report of each local day, and whence the rest
    Column("state", String(6), nullable=False),  # open, closed
    Column("stop_reported", Boolean),
    Column("stopped_at", Moment),
    Column("stop_cause", String(40)),
    Column("flags", String(80), nullable=False, default=""),  # words, comma-separated
    Index("ix_sessions_key", "nas_scope", "acct_session_id", "mac", "started_at"),
    Index("ix_sessions_account", "account_id", "started_at"),
    Index("ix_sessions_open", "state", "nas_scope"),  # no column that every report changes: PostgreSQL updates in place
    Index("ix_sessions_mac", "mac", "started_at"),
)

usage = Table(
    "usage",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("day", Date, primary_key=True),  # local calendar day of the city
    Column("up_octets", BigInteger, nullable=False, default=0),
    Column("down_octets", BigInteger, nullable=False, default=0),
    Column("seconds", BigInteger, nullable=False, default=0),  # online, where two devices overlap once
    Column("online", Text),  # JSON: the stretches that `seconds` sums; NULL: not put together yet
    Column("online_until", BigInteger, nullable=False, default=0),  # the end of the last one, in seconds since 1970
    Column("free_up_octets", BigInteger, nullable=False, default=0),  # of those above, used while free of charge
    Column("free_down_octets", BigInteger, nullable=False, default=0),
    Column("free_seconds", BigInteger, nullable=False, default=0),
    Column("topped_octets", BigInteger, nullable=False, default=0),  # of those above, paid for by top-ups
    Column("topped_down_octets", BigInteger, nullable=False, default=0),  # of these, beyond a quota of one direction
    Column("topped_up_octets", BigInteger, nullable=False, default=0),
)
