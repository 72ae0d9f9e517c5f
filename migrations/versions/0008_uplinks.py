"""Uplinks: what lines carry and promise to each class of service, and how sites hang on them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uplinks",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("down_bps", sa.BigInteger(), nullable=False),
        sa.Column("up_bps", sa.BigInteger(), nullable=False),
        sa.Column("interface", sa.String(length=15), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uplinks")),
        sa.UniqueConstraint("name", name=op.f("uq_uplinks_name")),
    )
    op.create_table(
        "uplink_classes",
        sa.Column("uplink_id", sa.String(length=16), nullable=False),
        sa.Column("service_class", sa.String(length=14), nullable=False),
        sa.Column("floor_bps", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_bps", sa.BigInteger(), nullable=True),
        sa.Column("up_floor_bps", sa.BigInteger(), nullable=True),
        sa.Column("up_ceiling_bps", sa.BigInteger(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("dscp", sa.Integer(), nullable=True),
        sa.Column("governed_floor_bps", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplinks.id"], name=op.f("fk_uplink_classes_uplink_id")),
        sa.PrimaryKeyConstraint("uplink_id", "service_class", name=op.f("pk_uplink_classes")),
    )
    op.create_table(
        "uplink_addresses",
        sa.Column("uplink_id", sa.String(length=16), nullable=False),
        sa.Column("network", sa.String(length=49), nullable=False),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplinks.id"], name=op.f("fk_uplink_addresses_uplink_id")),
        sa.PrimaryKeyConstraint("uplink_id", "network", name=op.f("pk_uplink_addresses")),
    )
    op.create_table(
        "site_lines",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("uplink_id", sa.String(length=16), nullable=True),
        sa.Column("devices", sa.Integer(), nullable=True),
        sa.Column("governed_ceiling_bps", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_lines_site_id")),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplinks.id"], name=op.f("fk_site_lines_uplink_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_lines")),
    )
    op.create_index(op.f("ix_site_lines_uplink_id"), "site_lines", ["uplink_id"])
    op.create_table(
        "site_networks",
        sa.Column("site_id", sa.String(length=16), nullable=False),
        sa.Column("network", sa.String(length=49), nullable=False),
        sa.Column("service_class", sa.String(length=14), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_networks_site_id")),
        sa.PrimaryKeyConstraint("site_id", "network", name=op.f("pk_site_networks")),
    )
