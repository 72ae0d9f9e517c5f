"""Service class, burst, VLAN, filter and address list of a plan; what a free tap gives is of the class of guests."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    resident = sa.text("'resident'")
    op.add_column("plans", sa.Column("service_class", sa.String(14), nullable=False, server_default=resident))
    for name, kind in (
        ("down_burst_bps", sa.BigInteger()),
        ("up_burst_bps", sa.BigInteger()),
        ("burst_seconds", sa.Integer()),
        ("vlan", sa.Integer()),
        ("filter_id", sa.String(60)),
        ("address_list", sa.String(60)),
    ):
        op.add_column("plans", sa.Column(name, kind))
    op.execute(
        "UPDATE plans SET service_class = 'guest'"
        " WHERE id IN (SELECT guest_plan_id FROM sites WHERE guest_plan_id IS NOT NULL)"
    )
