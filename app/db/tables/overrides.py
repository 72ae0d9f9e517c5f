"""What holds for one account instead of what its plan says."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from app.db.tables.columns import Moment, metadata

account_overrides = Table(
    "account_overrides",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("item", String(100), primary_key=True),  # a value of the plan
    Column("value", Text, nullable=False),  # JSON
    Column("reason", String(200), nullable=False),
    Column("author", String(80), nullable=False),
    Column("until", Moment),
    Column("created_at", Moment, nullable=False),
)

quota_overrides = Table(
    "quota_overrides",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("period", String(7), primary_key=True),  # as in plan_quotas
    Column("measure", String(4), primary_key=True),
    Column("amount", BigInteger, primary_key=True, autoincrement=False),
    Column("used_up", String(40)),  # what happens then: cut, garden, or DOWN/UP in bit/s; NULL: as the plan says
    Column("reason", String(200), nullable=False),
    Column("author", String(80), nullable=False),
    Column("until", Moment),
    Column("created_at", Moment, nullable=False),
)

ceilings = Table(
    "ceilings",
    metadata,
    Column("account_id", String(16), ForeignKey("accounts.id"), primary_key=True),
    Column("mac", String(17), primary_key=True),  # "": every device of the account
    Column("source", String(8), primary_key=True),  # person, governor
    Column("down_bps", BigInteger),
    Column("up_bps", BigInteger),
    Column("until", Moment, nullable=False, index=True),
    Column("reason", String(200), nullable=False),
    Column("author", String(80), nullable=False),
    Column("created_at", Moment, nullable=False),
)
