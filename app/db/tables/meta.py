"""What the database says of itself: its marks, and which worker does a job of which there is one."""

from sqlalchemy import Column, String, Table, Text

from app.db.tables.columns import Moment, metadata

meta = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="feed_epoch (changes with a restore or failover), key_check (recognises the secret key)",
)

leases = Table(
    "leases",
    metadata,
    Column("job", String(20), primary_key=True),
    Column("holder", String(40), nullable=False),
    Column("until", Moment, nullable=False),
)
