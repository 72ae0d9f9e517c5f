"""Vouchers and suspensions keep who had them made."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("suspension_by", sa.String(80)))
    op.add_column("accounts", sa.Column("suspension_at", sa.DateTime(timezone=True)))
    op.add_column("voucher_batches", sa.Column("author", sa.String(80)))
    op.add_column("vouchers", sa.Column("revoked_by", sa.String(80)))
