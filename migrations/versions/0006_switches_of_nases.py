"""Switches of a NAS: Status-Server, strictness about what it calls itself, and answers that explain a silence."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, default in (("status_server", sa.true()), ("strict_identity", sa.false()), ("debug_answers", sa.false())):
        op.add_column("nases", sa.Column(name, sa.Boolean(), nullable=False, server_default=default))
