"""The first schema: sites, NASes, plans, people, vouchers, sessions, usage, the evidence, the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nas_id", sa.String(length=16), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("user_name", sa.String(length=253), nullable=False),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("acceptance_id", sa.String(length=16), nullable=True),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_log_acceptance_id", "access_log", ["acceptance_id"], unique=False)
    op.create_index("ix_access_log_account_id", "access_log", ["account_id", "at"], unique=False)
    op.create_index(op.f("ix_access_log_at"), "access_log", ["at"], unique=False)
    op.create_index("ix_access_log_mac", "access_log", ["mac", "at"], unique=False)
    op.create_table(
        "accounting_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nas_id", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=56), nullable=False),
        sa.Column("session_id", sa.String(length=16), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("packet", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounting_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_accounting_events_received_at"), "accounting_events", ["received_at"], unique=False)
    op.create_index(op.f("ix_accounting_events_session_id"), "accounting_events", ["session_id"], unique=False)
    op.create_table(
        "changes",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("session_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes_due", "changes", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_changes_session_id"), "changes", ["session_id"], unique=False)
    op.create_table(
        "feed",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("xid", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=24), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feed_xid", "feed", ["xid"], unique=False)
    op.create_table(
        "ingest_positions",
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("worker", sa.Integer(), nullable=False),
        sa.Column("segment", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.String(length=32), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node", "worker", name=op.f("pk_ingest_positions")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
        comment="feed_epoch (changes with a restore or failover), key_check (recognises the secret key)",
    )
    op.create_table(
        "nas_restarts",
        sa.Column("nas_id", sa.String(length=16), nullable=False),
        sa.Column("nas_scope", sa.String(length=253), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("nas_id", "nas_scope", "at", name=op.f("pk_nas_restarts")),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("down_bps", sa.BigInteger(), nullable=True),
        sa.Column("up_bps", sa.BigInteger(), nullable=True),
        sa.Column("daily_octets", sa.BigInteger(), nullable=True),
        sa.Column("monthly_octets", sa.BigInteger(), nullable=True),
        sa.Column("total_octets", sa.BigInteger(), nullable=True),
        sa.Column("device_limit", sa.Integer(), nullable=True),
        sa.Column("session_seconds", sa.Integer(), nullable=True),
        sa.Column("idle_seconds", sa.Integer(), nullable=True),
        sa.Column("interim_seconds", sa.Integer(), nullable=True),
        sa.Column("validity_seconds", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("name", name=op.f("uq_plans_name")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("nas_id", sa.String(length=16), nullable=False),
        sa.Column("nas_scope", sa.String(length=253), nullable=False),
        sa.Column("acct_session_id", sa.String(length=253), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_name", sa.String(length=253), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("acceptance_id", sa.String(length=16), nullable=True),
        sa.Column("site_id", sa.String(length=16), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("last_report_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("up_octets", sa.BigInteger(), nullable=False),
        sa.Column("down_octets", sa.BigInteger(), nullable=False),
        sa.Column("session_seconds", sa.BigInteger(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("stop_reported", sa.Boolean(), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_cause", sa.String(length=40), nullable=True),
        sa.Column("flags", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_account", "sessions", ["account_id", "started_at"], unique=False)
    op.create_index("ix_sessions_key", "sessions", ["nas_scope", "acct_session_id", "mac", "started_at"], unique=False)
    op.create_index("ix_sessions_mac", "sessions", ["mac", "started_at"], unique=False)
    op.create_index("ix_sessions_open", "sessions", ["state", "nas_scope"], unique=False)
    op.create_table(
        "set_aside",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_aside")),
        comment="journal records that could not be merged; they do not stop the rest",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("capacity_bps", sa.BigInteger(), nullable=True),
        sa.Column("guest_plan_id", sa.String(length=16), nullable=True),
        sa.Column("interim_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["guest_plan_id"], ["plans.id"], name=op.f("fk_sites_guest_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    op.create_table(
        "voucher_batches",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("plan_id", sa.String(length=16), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_voucher_batches_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_batches")),
    )
    op.create_index(op.f("ix_voucher_batches_plan_id"), "voucher_batches", ["plan_id"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=7), nullable=False),
        sa.Column("plan_id", sa.String(length=16), nullable=False),
        sa.Column("site_id", sa.String(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("guest_mac", sa.String(length=17), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_accounts_plan_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_accounts_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("guest_mac", name=op.f("uq_accounts_guest_mac")),
    )
    op.create_index(op.f("ix_accounts_plan_id"), "accounts", ["plan_id"], unique=False)
    op.create_index(op.f("ix_accounts_site_id"), "accounts", ["site_id"], unique=False)
    op.create_table(
        "nases",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("family", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=49), nullable=False),
        sa.Column("identifier", sa.String(length=253), nullable=True),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("portal_secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac_secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("login_address", sa.String(length=255), nullable=True),
        sa.Column("require_message_authenticator", sa.String(length=4), nullable=False),
        sa.Column("limit_proxy_state", sa.String(length=4), nullable=False),
        sa.Column("learned_message_authenticator", sa.Boolean(), nullable=True),
        sa.Column("direction", sa.String(length=6), nullable=False),
        sa.Column("coa_port", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_nases_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nases")),
        sa.UniqueConstraint("name", name=op.f("uq_nases_name")),
    )
    op.create_index(op.f("ix_nases_site_id"), "nases", ["site_id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_credentials_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_credentials")),
    )
    op.create_table(
        "devices",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_devices_account_id")),
        sa.PrimaryKeyConstraint("account_id", "mac", name=op.f("pk_devices")),
    )
    op.create_index("ix_devices_mac", "devices", ["mac"], unique=False)
    op.create_table(
        "quota_overrides",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=5), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_quota_overrides_account_id")),
        sa.PrimaryKeyConstraint("account_id", "period", name=op.f("pk_quota_overrides")),
    )
    op.create_table(
        "resume_grants",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("site_id", sa.String(length=16), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_resume_grants_account_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_resume_grants_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resume_grants")),
        sa.UniqueConstraint("mac", "account_id", "site_id", name=op.f("uq_resume_grants_mac_account_id_site_id")),
    )
    op.create_index("ix_resume_grants_account_id", "resume_grants", ["account_id"], unique=False)
    op.create_index(op.f("ix_resume_grants_expires_at"), "resume_grants", ["expires_at"], unique=False)
    op.create_table(
        "router_grants",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("nas_id", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("acceptance_id", sa.String(length=16), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_router_grants_account_id")),
        sa.ForeignKeyConstraint(["nas_id"], ["nases.id"], name=op.f("fk_router_grants_nas_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_router_grants")),
        sa.UniqueConstraint("token", name=op.f("uq_router_grants_token")),
        comment="what a router without RADIUS is told at its next poll (openNDS level 3 and 4)",
    )
    op.create_index(op.f("ix_router_grants_nas_id"), "router_grants", ["nas_id"], unique=False)
    op.create_table(
        "usage",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("up_octets", sa.BigInteger(), nullable=False),
        sa.Column("down_octets", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_usage_account_id")),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_usage")),
    )
    op.create_table(
        "users",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("username", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_users_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "vouchers",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_vouchers_account_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["voucher_batches.id"], name=op.f("fk_vouchers_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("account_id", name=op.f("uq_vouchers_account_id")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_vouchers_code_hash")),
    )
    op.create_index(op.f("ix_vouchers_batch_id"), "vouchers", ["batch_id"], unique=False)
