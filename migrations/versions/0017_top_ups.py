"""Top-ups: octets and days that are added to an account, by a person or a voucher."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "top_ups",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("left_octets", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("voucher_id", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_top_ups_account_id_accounts")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_top_ups_voucher_id_vouchers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_top_ups")),
        sa.UniqueConstraint("voucher_id", name=op.f("uq_top_ups_voucher_id")),
    )
    op.create_index(op.f("ix_top_ups_account_id"), "top_ups", ["account_id"], unique=False)
    op.add_column("accounts", sa.Column("extra_seconds", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("voucher_batches", sa.Column("top_up", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("topped_octets", "topped_down_octets", "topped_up_octets"):
        op.add_column("usage", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
