"""Lines, what they promise to whom, and which sites share them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from app.db.tables.columns import Moment, Sequence64, metadata, row_id

uplinks = Table(
    "uplinks",
    metadata,
    row_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("down_bps", BigInteger, nullable=False),
    Column("up_bps", BigInteger, nullable=False),
    Column("interface", String(15)),  # of the head of the line, towards the sites
    Column("governor", String(7), nullable=False, default="off", server_default="off"),  # off, observe, on
    Column("created_at", Moment, nullable=False),
)

uplink_classes = Table(
    "uplink_classes",
    metadata,
    Column("uplink_id", String(16), ForeignKey("uplinks.id"), primary_key=True),
    Column("service_class", String(14), primary_key=True),  # office, public_service, resident, guest
    Column("floor_bps", BigInteger, nullable=False, default=0),
    Column("ceiling_bps", BigInteger),  # NULL: all of the line
    Column("up_floor_bps", BigInteger),  # NULL: the same part of the line as down
    Column("up_ceiling_bps", BigInteger),  # NULL: the same
    Column("weight", Integer, nullable=False, default=1),
    Column("dscp", Integer),
    Column("governed_floor_bps", BigInteger),  # NULL: as configured
)

uplink_addresses = Table(
    "uplink_addresses",
    metadata,
    Column("uplink_id", String(16), ForeignKey("uplinks.id"), primary_key=True),
    Column("network", String(49), primary_key=True),  # CIDR of a public service
)

governor_rounds = Table(
    "governor_rounds",
    metadata,
    Column("uplink_id", String(16), ForeignKey("uplinks.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("load_bps", BigInteger, nullable=False),
    Column("others", Integer, nullable=False),  # who wait for the line
    Column("level_bps", BigInteger),  # of those heavy; NULL: nobody is held down for the line
    Column("postponed", Integer, nullable=False),
)

governor_moves = Table(
    "governor_moves",
    metadata,
    Column("seq", Sequence64, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("uplink_id", String(16), ForeignKey("uplinks.id"), nullable=False),
    Column("what", String(7), nullable=False),  # ceiling, site, floor
    Column("account_id", String(16)),  # of a ceiling
    Column("mac", String(17)),  # of a ceiling
    Column("site_id", String(16)),  # of a ceiling and of a site
    Column("service_class", String(14)),  # of a floor
    Column("from_bps", BigInteger),  # NULL: none of the governor's
    Column("to_bps", BigInteger),  # NULL: the same
    Column("reason", String(200), nullable=False),
    Column("observed", Boolean, nullable=False),  # it would have been done
    Index("ix_governor_moves_at", "at"),
    sqlite_autoincrement=True,
)

site_lines = Table(
    "site_lines",
    metadata,
    Column("site_id", String(16), ForeignKey("sites.id"), primary_key=True),
    Column("uplink_id", String(16), ForeignKey("uplinks.id"), index=True),  # NULL: the only one
    Column("devices", Integer),
    Column("governed_ceiling_bps", BigInteger),  # NULL: as configured
)

site_networks = Table(
    "site_networks",
    metadata,
    Column("site_id", String(16), ForeignKey("sites.id"), primary_key=True),
    Column("network", String(49), primary_key=True),  # CIDR, as the head of the line sees it
    Column("service_class", String(14), nullable=False, default="resident"),
)
