"""Long lists of ids in short statements: SQLite takes 32,766 values in one, PostgreSQL 65,535."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(values: Iterable[T], size: int = 1_000) -> Iterator[Sequence[T]]:
    """Give the values in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
