"""Sessions keep what routers say of IPv6: address, prefix, interface id, delegated prefix, the NAS's own address."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = {
    "framed_ipv6_address": 45,
    "framed_ipv6_prefix": 49,
    "framed_interface_id": 19,
    "delegated_ipv6_prefix": 49,
    "nas_ipv6_address": 45,
}


def upgrade() -> None:
    for name, length in _COLUMNS.items():
        op.add_column("sessions", sa.Column(name, sa.String(length=length), nullable=True))
