"""Rows for many keys in one statement with one parameter, so that its length never meets a limit."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Column, Connection, TextClause, text

MOMENT: Final = "moment"
DATE: Final = "date"
TEXT: Final = "text"


def key_rows(connection: Connection) -> str:
    """Return the FROM item `k`: the rows of the parameter `:keys`, a JSON list of lists of texts."""
    if connection.dialect.name == "postgresql":
        return "json_array_elements(CAST(:keys AS json)) AS k(value)"
    return "json_each(:keys) AS k"


def key_value(connection: Connection, index: int, kind: str = TEXT) -> str:
    """Return the expression for one value of a row of `k`; moments are written by `bulk.moment_text`."""
    if connection.dialect.name == "postgresql":
        cast = {MOMENT: " || '+00')::timestamptz", DATE: ")::date", TEXT: ")"}[kind]
        return f"((k.value ->> {index}){cast}"
    return f"json_extract(k.value, '$[{index}]')"


def equal(connection: Connection, columns: Sequence[str], last: str = TEXT) -> str:
    """Return the condition that columns equal the values of a row of `k`, in order; `last` is the last one's kind."""
    kinds = [*(TEXT for _ in columns[1:]), last]
    return " AND ".join(
        f"{column} = {key_value(connection, n, kind)}"
        for n, (column, kind) in enumerate(zip(columns, kinds, strict=True))
    )


def among(connection: Connection, column: Column[str], values: Iterable[str]) -> TextClause:
    """Return the condition that a column has one of many values; it can stand once in a statement."""
    one = "json_array_elements_text(CAST(:among AS json))"
    rows = f"SELECT {one}" if connection.dialect.name == "postgresql" else "SELECT value FROM json_each(:among)"
    return text(f"{column.table.name}.{column.name} IN ({rows})").bindparams(among=json.dumps(list(values)))
