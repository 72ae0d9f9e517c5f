"""What rows are made of."""

from datetime import datetime
from typing import Any

Row = list[Any]  # JSON: text, numbers, truth values and None


def text_of(moment: datetime | None) -> str | None:
    """Write a moment."""
    return None if moment is None else moment.isoformat()


def moment_of(text: str | None) -> datetime | None:
    """Read a moment."""
    return None if text is None else datetime.fromisoformat(text)
