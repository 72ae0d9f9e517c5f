"""Printed codes, and what they and people add to an account."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from app.db.tables.columns import Moment, metadata, row_id

voucher_batches = Table(
    "voucher_batches",
    metadata,
    row_id(),
    Column("plan_id", String(16), ForeignKey("plans.id"), nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("top_up", Boolean, nullable=False, default=False),  # it adds to the account that is there
    Column("note", String(200), nullable=False, default=""),
    Column("valid_until", Moment),
    Column("author", String(80)),  # who had them made; NULL: made before that was kept
    Column("created_at", Moment, nullable=False),
)

vouchers = Table(
    "vouchers",
    metadata,
    row_id(),
    Column("batch_id", String(16), ForeignKey("voucher_batches.id"), nullable=False, index=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("code_sealed", LargeBinary, nullable=False),  # for reprints
    Column("state", String(7), nullable=False, default="new"),  # new, used, revoked
    Column("account_id", String(16), ForeignKey("accounts.id"), unique=True),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    Column("revoked_by", String(80)),
)

top_ups = Table(
    "top_ups",
    metadata,
    row_id(),
    Column("account_id", String(16), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("octets", BigInteger, nullable=False),
    Column("left_octets", BigInteger, nullable=False),
    Column("seconds", BigInteger, nullable=False),  # added to the validity
    Column("ends_at", Moment),  # of the octets
    Column("reason", String(200), nullable=False),
    Column("author", String(80), nullable=False),
    Column("voucher_id", String(16), ForeignKey("vouchers.id"), unique=True),
    Column("created_at", Moment, nullable=False),
)
