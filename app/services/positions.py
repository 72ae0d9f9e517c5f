"""How far the journals have been merged, and what could not be: for those who look after an installation."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.db import positions, set_aside
from app.db.engine import Database
from app.domain.reports import Position


@dataclass(frozen=True, slots=True)
class IngestState:
    """Every journal's position, and how many records were set aside for each reason."""

    positions: tuple[Position, ...]
    set_aside: Mapping[str, int]


def ingest_state(database: Database) -> IngestState:
    """Return what the database says of ingest."""
    with database.read() as connection:
        return IngestState(tuple(positions.read_all(connection)), set_aside.count_by_reason(connection))
