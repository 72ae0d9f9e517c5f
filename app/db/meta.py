"""What a database says about itself."""

from sqlalchemy import Connection, insert, select, update

from app.db.tables.meta import meta
from app.db.upsert import upsert

FEED_EPOCH = "feed_epoch"
KEY_CHECK = "key_check"


def read(connection: Connection, name: str) -> str | None:
    """Return a value; None if it was never set."""
    return connection.scalar(select(meta.c.value).where(meta.c.name == name))


def add(connection: Connection, name: str, value: str) -> None:
    """Set a value that is not there yet."""
    connection.execute(insert(meta).values(name=name, value=value))


def put(connection: Connection, name: str, value: str) -> None:
    """Set a value, whether it is there or not."""
    query = upsert(connection, meta).values(name=name, value=value)
    connection.execute(query.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": value}))


def replace(connection: Connection, name: str, value: str) -> None:
    """Change a value that is there."""
    connection.execute(update(meta).where(meta.c.name == name).values(value=value))
