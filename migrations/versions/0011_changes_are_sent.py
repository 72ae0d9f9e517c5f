"""Changes remember by what they were carried out, who asked for them and when they ended; a NAS where it takes them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("changes", sa.Column("way", sa.String(length=10), nullable=True))
    op.add_column("changes", sa.Column("author", sa.String(length=80), nullable=False, server_default=""))
    op.add_column("changes", sa.Column("note", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("changes", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("nases", sa.Column("coa_address", sa.String(length=255), nullable=True))
