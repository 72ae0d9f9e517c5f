"""Windows of schedules, of plans and at sites, and the calendars that they ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_windows",
        sa.Column(
            "plan_id", sa.String(16), sa.ForeignKey("plans.id", name="fk_plan_windows_plan_id"), primary_key=True
        ),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("hours", sa.Text(), nullable=False),
    )
    op.create_table(
        "site_windows",
        sa.Column(
            "site_id", sa.String(16), sa.ForeignKey("sites.id", name="fk_site_windows_site_id"), primary_key=True
        ),
        sa.Column("plan_id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("hours", sa.Text(), nullable=False),
    )
    op.create_table(
        "calendars",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("name", name="uq_calendars_name"),
    )
    op.create_table(
        "calendar_days",
        sa.Column(
            "calendar_id",
            sa.String(16),
            sa.ForeignKey("calendars.id", name="fk_calendar_days_calendar_id"),
            primary_key=True,
        ),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("summary", sa.String(200), nullable=False),
    )
