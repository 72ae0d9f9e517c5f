"""What happens when a quota is used up: a cut as before, a throttle in steps, or only the public services."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plans", sa.Column("used_up", sa.String(length=40), nullable=False, server_default="cut"))
    op.add_column("plans", sa.Column("garden", sa.String(length=60), nullable=True))
    for table in ("plan_quotas", "quota_overrides"):
        op.add_column(table, sa.Column("used_up", sa.String(length=40), nullable=True))
