"""Lists that show the newest first, and in a table only so many of them unless they are told otherwise."""

from typing import Annotated, Final

import typer

from app.cli.output import say

Limit = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="How many, the newest first; unset: 100 in a table, all in JSON."),
]

_ROWS: Final = 100
_EVERY: Final = 2**31 - 1


def rows_of(limit: int | None, *, as_json: bool) -> int:
    """Return how many rows to read."""
    return limit or (_EVERY if as_json else _ROWS)


def say_whether_cut(limit: int | None, shown: int) -> None:
    """Say below a table that there may be more."""
    if limit is None and shown == _ROWS:
        say(f"the newest {_ROWS}; for more: --limit N")
