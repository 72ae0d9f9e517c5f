"""Sites, and what they lay over plans."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from app.db.tables.columns import Moment, metadata, row_id

sites = Table(
    "sites",
    metadata,
    row_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("capacity_bps", BigInteger),
    Column("guest_plan_id", String(16), ForeignKey("plans.id")),  # the free tap; NULL: none
    Column("interim_seconds", Integer, nullable=False, default=60),
    Column("created_at", Moment, nullable=False),
)

site_overrides = Table(
    "site_overrides",
    metadata,
    Column("site_id", String(16), ForeignKey("sites.id"), primary_key=True),
    Column("plan_id", String(16), primary_key=True),  # "": every plan
    Column("item", String(100), primary_key=True),  # as in account_overrides
    Column("value", Text, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("author", String(80), nullable=False),
    Column("until", Moment),
    Column("created_at", Moment, nullable=False),
)

site_quotas = Table(
    "site_quotas",
    metadata,
    Column("site_id", String(16), ForeignKey("sites.id"), primary_key=True),
    Column("plan_id", String(16), primary_key=True),  # "": every plan
    Column("period", String(7), primary_key=True),  # as in plan_quotas
    Column("measure", String(4), primary_key=True),
    Column("amount", BigInteger, primary_key=True, autoincrement=False),
    Column("used_up", String(40)),
    Column("reason", String(200), nullable=False),
    Column("author", String(80), nullable=False),
    Column("until", Moment),
    Column("created_at", Moment, nullable=False),
)

site_windows = Table(
    "site_windows",
    metadata,
    Column("site_id", String(16), ForeignKey("sites.id"), primary_key=True),
    Column("plan_id", String(16), primary_key=True),  # "": every plan
    Column("name", String(80), primary_key=True),
    Column("hours", Text, nullable=False),  # as in plan_windows
)
