"""Every table, in SQLAlchemy Core; `docs/schema.md` says what the keys are and why. Migrations are checked against it.

Ids shown outside are random base32; octets, bit/s and money are integers; moments are UTC; `*_sealed` is encrypted
with a key that is not in the database; `*_hash` is a keyed hash.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite keeps no zone, so it is added on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy's signature
        """Refuse naive datetimes; store UTC."""
        if value is None:
            return None
        assert value.tzinfo is not None, "moments are aware"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy's signature
        """Return an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id(name: str = "id", **options: Any) -> Column[str]:
    return Column(name, String(16), **options)


Sequence64: Final = BigInteger().with_variant(Integer, "sqlite")  # AUTOINCREMENT wants INTEGER there

meta = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="feed_epoch (changes with a restore or failover), key_check (recognises the secret key)",
)

plans = Table(
    "plans",
    metadata,
    _id(primary_key=True),
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

sites = Table(
    "sites",
    metadata,
    _id(primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("capacity_bps", BigInteger),
    Column("guest_plan_id", String(16), ForeignKey("plans.id")),  # the free tap; NULL: none
    Column("interim_seconds", Integer, nullable=False, default=60),
    Column("created_at", Moment, nullable=False),
)

uplinks = Table(
    "uplinks",
    metadata,
    _id(primary_key=True),
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

leases = Table(
    "leases",
    metadata,
    Column("job", String(20), primary_key=True),
    Column("holder", String(40), nullable=False),
    Column("until", Moment, nullable=False),
)

uplink_addresses = Table(
    "uplink_addresses",
    metadata,
    Column("uplink_id", String(16), ForeignKey("uplinks.id"), primary_key=True),
    Column("network", String(49), primary_key=True),  # CIDR of a public service
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

nases = Table(
    "nases",
    metadata,
    _id(primary_key=True),
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

accounts = Table(
    "accounts",
    metadata,
    _id(primary_key=True),
    Column("kind", String(7), nullable=False),  # user, guest, voucher
    Column("plan_id", String(16), ForeignKey("plans.id"), nullable=False, index=True),
    Column("site_id", String(16), ForeignKey("sites.id"), index=True),
    Column("version", Integer, nullable=False, default=1),
    Column("suspended", Boolean, nullable=False, default=False),
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

calendars = Table(
    "calendars",
    metadata,
    _id(primary_key=True),
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
    _id(primary_key=True),
    Column("mac", String(17), nullable=False),
    Column("account_id", String(16), ForeignKey("accounts.id"), nullable=False),
    Column("site_id", String(16), ForeignKey("sites.id")),  # NULL: every site
    Column("expires_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("awaits", String(8)),  # nonce of the ticket whose use brings the grant into force; NULL: in force
    UniqueConstraint("mac", "account_id", "site_id"),
    Index("ix_resume_grants_account_id", "account_id"),
)

voucher_batches = Table(
    "voucher_batches",
    metadata,
    _id(primary_key=True),
    Column("plan_id", String(16), ForeignKey("plans.id"), nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("top_up", Boolean, nullable=False, default=False),  # it adds to the account that is there
    Column("note", String(200), nullable=False, default=""),
    Column("valid_until", Moment),
    Column("created_at", Moment, nullable=False),
)

vouchers = Table(
    "vouchers",
    metadata,
    _id(primary_key=True),
    Column("batch_id", String(16), ForeignKey("voucher_batches.id"), nullable=False, index=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("code_sealed", LargeBinary, nullable=False),  # for reprints
    Column("state", String(7), nullable=False, default="new"),  # new, used, revoked
    Column("account_id", String(16), ForeignKey("accounts.id"), unique=True),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
)

sessions = Table(
    "sessions",
    metadata,
    _id(primary_key=True),
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

nas_restarts = Table(
    "nas_restarts",
    metadata,
    Column("nas_id", String(16), primary_key=True),  # routers of one name may stand behind two NASes
    Column("nas_scope", String(253), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("cause", String(40), nullable=False),
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

top_ups = Table(
    "top_ups",
    metadata,
    _id(primary_key=True),
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
    _id(primary_key=True),
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

router_grants = Table(
    "router_grants",
    metadata,
    _id(primary_key=True),
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
