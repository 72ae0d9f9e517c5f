"""What a database says about itself."""

from sqlalchemy import Connection, insert, select, update

from app.db.tables import meta

FEED_EPOCH = "feed_epoch"
KEY_CHECK = "key_check"


def read(connection: Connection, name: str) -> str | None:
    """Return a value; None if it was never set."""
    return connection.scalar(select(meta.c.value).where(meta.c.name == name))


def add(connection: Connection, name: str, value: str) -> None:
    """Set a value that is not there yet."""
    connection.execute(insert(meta).values(name=name, value=value))


def replace(connection: Connection, name: str, value: str) -> None:
    """Change a value that is there."""
    connection.execute(update(meta).where(meta.c.name == name).values(value=value))
