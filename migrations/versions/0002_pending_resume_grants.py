"""A resume grant waits until the router has used the ticket of its login; those that there are, are in force."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("resume_grants", sa.Column("awaits", sa.String(length=8), nullable=True))
