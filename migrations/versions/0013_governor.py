"""Uplinks say whether the governor works on them; its last round, and who does a job of which there is one."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uplinks", sa.Column("governor", sa.String(length=7), nullable=False, server_default="off"))
    op.create_table(
        "governor_rounds",
        sa.Column("uplink_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("load_bps", sa.BigInteger(), nullable=False),
        sa.Column("others", sa.Integer(), nullable=False),
        sa.Column("level_bps", sa.BigInteger(), nullable=True),
        sa.Column("postponed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplinks.id"], name=op.f("fk_governor_rounds_uplink_id")),
        sa.PrimaryKeyConstraint("uplink_id", name=op.f("pk_governor_rounds")),
    )
    op.create_table(
        "leases",
        sa.Column("job", sa.String(length=20), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_leases")),
    )
