"""Values in place of a plan's: for one account, and for those at a site."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _said() -> list[sa.Column[object]]:
    return [
        sa.Column("item", sa.String(100), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "account_overrides",
        sa.Column(
            "account_id",
            sa.String(16),
            sa.ForeignKey("accounts.id", name="fk_account_overrides_account_id"),
            primary_key=True,
        ),
        *_said(),
    )
    op.create_table(
        "site_overrides",
        sa.Column(
            "site_id", sa.String(16), sa.ForeignKey("sites.id", name="fk_site_overrides_site_id"), primary_key=True
        ),
        sa.Column("plan_id", sa.String(16), primary_key=True),
        *_said(),
    )
