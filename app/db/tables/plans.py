"""Plans, what they allow and when; the calendars that their windows name."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, String, Table, Text

from app.db.tables.columns import Moment, metadata, row_id

plans = Table(
    "plans",
    metadata,
    row_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("down_bps", BigInteger),
    Column("up_bps", BigInteger),
    Column("device_limit", Integer),
    Column("session_seconds", Integer),
    Column("idle_seconds", Integer),
    Column("interim_seconds", Integer),
    Column("validity_seconds", BigInteger),
    Column("service_class", String(14), nullable=False, default="resident"),
    Column("down_burst_bps", BigInteger),
    Column("up_burst_bps", BigInteger),
    Column("burst_seconds", Integer),
    Column("vlan", Integer),
    Column("filter_id", String(60)),
    Column("used_up", String(40), nullable=False, default="cut"),  # as in plan_quotas
    Column("garden", String(60)),
    Column("address_list", String(60)),
    Column("created_at", Moment, nullable=False),
)

plan_quotas = Table(
    "plan_quotas",
    metadata,
    Column("plan_id", String(16), ForeignKey("plans.id"), primary_key=True),
    Column("period", String(7), primary_key=True),  # day, week, month, billing, total
    Column("measure", String(4), primary_key=True),  # both, down, up: octets; time: seconds
    Column("amount", BigInteger, primary_key=True, autoincrement=False),
    Column("used_up", String(40)),  # what happens then: cut, garden, or DOWN/UP in bit/s; NULL: as the plan says
)

plan_windows = Table(
    "plan_windows",
    metadata,
    Column("plan_id", String(16), ForeignKey("plans.id"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("hours", Text, nullable=False),  # JSON: days, times, what holds then, calendars
)

calendars = Table(
    "calendars",
    metadata,
    row_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("calendar_id", String(16), ForeignKey("calendars.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("summary", String(200), nullable=False, default=""),
)
