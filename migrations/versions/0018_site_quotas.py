"""Quotas in place of a plan's for those at a site."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_quotas",
        sa.Column("site_id", sa.String(16), sa.ForeignKey("sites.id", name="fk_site_quotas_site_id"), primary_key=True),
        sa.Column("plan_id", sa.String(16), primary_key=True),
        sa.Column("period", sa.String(7), primary_key=True),
        sa.Column("measure", sa.String(4), primary_key=True),
        sa.Column("amount", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("used_up", sa.String(40)),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
