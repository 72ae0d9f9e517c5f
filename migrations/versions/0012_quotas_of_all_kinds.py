"""Quotas of plans move to a table: any period, octets by direction or seconds online; usage keeps the seconds."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = {"day": "daily_octets", "month": "monthly_octets", "total": "total_octets"}
_OVERRIDES = sa.table(
    "quota_overrides",
    *(sa.column(name, sa.String()) for name in ("account_id", "period", "reason", "author")),
    sa.column("octets", sa.BigInteger()),
    *(sa.column(name, sa.DateTime(timezone=True)) for name in ("until", "created_at")),
)


def upgrade() -> None:
    op.create_table(
        "plan_quotas",
        sa.Column("plan_id", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("measure", sa.String(length=4), nullable=False),
        sa.Column("amount", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_quotas_plan_id_plans")),
        sa.PrimaryKeyConstraint("plan_id", "period", "measure", "amount", name=op.f("pk_plan_quotas")),
    )
    for period, column in _COLUMNS.items():
        op.execute(
            "INSERT INTO plan_quotas (plan_id, period, measure, amount) "  # noqa: S608 names of ours
            f"SELECT id, '{period}', 'both', {column} FROM plans WHERE {column} IS NOT NULL"
        )
        op.drop_column("plans", column)
    _recreate_overrides()
    op.add_column("accounts", sa.Column("billing_day", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("usage", sa.Column("seconds", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("usage", sa.Column("online", sa.Text(), nullable=True))
    op.add_column("usage", sa.Column("online_until", sa.BigInteger(), nullable=False, server_default="0"))


def _recreate_overrides() -> None:
    """Make the table anew, since its key grows; there are few rows."""
    rows = op.get_bind().execute(sa.select(_OVERRIDES)).mappings().all()
    op.drop_table("quota_overrides")
    table = op.create_table(
        "quota_overrides",
        sa.Column("account_id", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("measure", sa.String(length=4), nullable=False),
        sa.Column("amount", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_quota_overrides_account_id_accounts")),
        sa.PrimaryKeyConstraint("account_id", "period", "measure", "amount", name=op.f("pk_quota_overrides")),
    )
    op.bulk_insert(table, [_grown(**row) for row in rows])


def _grown(*, octets: int, **row: object) -> dict[str, object]:
    return {**row, "measure": "both", "amount": octets}
