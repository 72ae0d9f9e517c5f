"""What the governor moves is kept for a while, with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "governor_moves",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uplink_id", sa.String(length=16), nullable=False),
        sa.Column("what", sa.String(length=7), nullable=False),
        sa.Column("account_id", sa.String(length=16), nullable=True),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("site_id", sa.String(length=16), nullable=True),
        sa.Column("service_class", sa.String(length=14), nullable=True),
        sa.Column("from_bps", sa.BigInteger(), nullable=True),
        sa.Column("to_bps", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("observed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplinks.id"], name=op.f("fk_governor_moves_uplink_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_governor_moves")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_governor_moves_at", "governor_moves", ["at"])
