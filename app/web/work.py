"""Where database work runs, so that no handler freezes its process.

Reads on SQLite run inline (a query costs less than handing it to a thread); on PostgreSQL, where a failover may stall
them, in a thread. Writes always run in a thread: they wait for the disk.
"""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from app.db.engine import Database

P = ParamSpec("P")
T = TypeVar("T")


async def reading(database: Database, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that only reads."""
    if database.is_postgresql:
        return await run_in_threadpool(partial(read, *args, **kwargs))
    return read(*args, **kwargs)


async def writing(write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that writes, or computes for long."""
    return await run_in_threadpool(partial(write, *args, **kwargs))
