"""Whether a NAS may let known devices in by MAC authentication."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("nases", sa.Column("mac_login", sa.Boolean(), nullable=False, server_default=sa.true()))
