"""Events keep the reading of the counters, so that a session can be counted again from all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounting_events", sa.Column("reading", sa.Text(), nullable=True))
