"""How the database itself fails, for those who may not import SQLAlchemy."""

from typing import Final

from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

AWAY: Final = (OperationalError, InterfaceError, PoolTimeoutError)
"""It cannot be reached, is locked for too long, or is full: something to wait for or to say. Catch it narrowly."""

UNREADABLE: Final = (DatabaseError,)
"""What is there cannot be read as a database, or is damaged: `AWAY` is part of this, so catch that first."""
