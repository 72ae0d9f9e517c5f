"""Routers, what is probably wrong with them, and what those without RADIUS are told."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from app.db.tables.columns import Moment, metadata, row_id

nases = Table(
    "nases",
    metadata,
    row_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("site_id", String(16), ForeignKey("sites.id"), nullable=False, index=True),
    Column("family", String(20), nullable=False),
    Column("address", String(49), nullable=False),  # CIDR; several NASes may share one
    Column("identifier", String(253)),  # NAS-Identifier, tells them apart
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("old_secret_sealed", LargeBinary),  # valid during a rotation
    Column("old_secret_until", Moment),
    Column("portal_secret_sealed", LargeBinary, nullable=False),  # uamsecret, faskey
    Column("mac_secret_sealed", LargeBinary, nullable=False),  # password of MAC authentication
    Column("login_address", String(255)),
    Column("require_message_authenticator", String(4), nullable=False, default="auto"),
    Column("limit_proxy_state", String(4), nullable=False, default="auto"),
    Column("learned_message_authenticator", Boolean),
    Column("direction", String(6), nullable=False, default="auto"),  # auto, rfc, client
    Column("coa_port", Integer, nullable=False, default=3799),
    Column("coa_address", String(255)),  # NULL: whence the session was last heard of
    Column("status_server", Boolean, nullable=False, default=True),
    Column("strict_identity", Boolean, nullable=False, default=False),
    Column("debug_answers", Boolean, nullable=False, default=False),
    Column("mac_login", Boolean, nullable=False, default=True),
    Column("created_at", Moment, nullable=False),
)

nas_hints = Table(
    "nas_hints",
    metadata,
    Column("nas_id", String(16), primary_key=True),
    Column("kind", String(30), primary_key=True),
    Column("detail", String(100), nullable=False, default=""),
    Column("times", BigInteger, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    comment="what is probably wrong with a NAS, as nodes and the worker have seen it",
)

nas_restarts = Table(
    "nas_restarts",
    metadata,
    Column("nas_id", String(16), primary_key=True),  # routers of one name may stand behind two NASes
    Column("nas_scope", String(253), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("cause", String(40), nullable=False),
)

router_grants = Table(
    "router_grants",
    metadata,
    row_id(),
    Column("nas_id", String(16), ForeignKey("nases.id"), nullable=False, index=True),
    Column("token", String(64), nullable=False, unique=True),  # openNDS: rhid
    Column("mac", String(17), nullable=False),
    Column("account_id", String(16), ForeignKey("accounts.id"), nullable=False),
    Column("acceptance_id", String(16), nullable=False),
    Column("limits", Text, nullable=False),  # JSON
    Column("state", String(9), nullable=False),  # waiting, delivered, gone
    Column("created_at", Moment, nullable=False),
    Column("delivered_at", Moment),
    comment="what a router without RADIUS is told at its next poll (openNDS level 3 and 4)",
)
