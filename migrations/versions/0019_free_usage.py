"""Usage keeps apart what was used while it was free of charge."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("free_up_octets", "free_down_octets", "free_seconds"):
        op.add_column("usage", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
