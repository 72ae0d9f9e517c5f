"""Accounts, who has them, and the devices by which they come back."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from app.db.tables.columns import Moment, metadata, row_id

accounts = Table(
    "accounts",
    metadata,
    row_id(),
    Column("kind", String(7), nullable=False),  # user, guest, voucher
    Column("plan_id", String(16), ForeignKey("plans.id"), nullable=False, index=True),
    Column("site_id", String(16), ForeignKey("sites.id"), index=True),
    Column("version", Integer, nullable=False, default=1),
    Column("suspended", Boolean, nullable=False, default=False),
    Column("suspension_by", String(80)),  # who suspended it, or let it in again, and when; NULL: nobody has
    Column("suspension_at", Moment),
    Column("removed_at", Moment),
    Column("valid_until", Moment),
    Column("first_used_at", Moment),
    Column("guest_mac", String(17), unique=True),  # a guest is one device
    Column("billing_day", Integer, nullable=False, default=1),  # 1 to 31
    Column("extra_seconds", BigInteger, nullable=False, default=0),  # added to the plan's validity
    Column("created_at", Moment, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("username", String(253), nullable=False),  # NFC, trimmed, case-folded
    Column("name", String(100), nullable=False, default=""),
    Column("phone", String(20)),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("username"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("kind", String(9), nullable=False),  # hashed (argon2id) or encrypted (opt-in, for CHAP and speed)
    Column("secret", LargeBinary, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("mac", String(17), primary_key=True),
    Column("first_seen_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Index("ix_devices_mac", "mac"),
)

resume_grants = Table(
    "resume_grants",
    metadata,
    row_id(),
    Column("mac", String(17), nullable=False),
    Column("account_id", String(16), ForeignKey("accounts.id"), nullable=False),
    Column("site_id", String(16), ForeignKey("sites.id")),  # NULL: every site
    Column("expires_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("awaits", String(8)),  # nonce of the ticket whose use brings the grant into force; NULL: in force
    UniqueConstraint("mac", "account_id", "site_id"),
    Index("ix_resume_grants_account_id", "account_id"),
)
