"""docs/schema.md and the tables say the same."""

import re
from pathlib import Path

from app.db.tables.columns import metadata

PAGE = Path(__file__).parents[2] / "docs" / "schema.md"


def test_every_table_has_its_line() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(metadata.tables)


def test_everything_named_as_a_column_is_one() -> None:
    named = set(re.findall(r"`(\w+)\.(\w+)`", PAGE.read_text(encoding="utf-8")))
    missing = {f"{table}.{column}" for table, column in named if column not in metadata.tables[table].c}
    assert missing - {"meta.feed_epoch"} == set()
