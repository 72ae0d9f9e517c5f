"""Readings of counters as the database keeps them: a JSON list, moments in microseconds since 1970."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from app.db.keyed import among
from app.db.tables.journals import accounting_events
from app.domain.readings import Reading

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)

compact_json: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""`json.dumps` would make an encoder for each value."""

Values = Sequence[int | None]


def of_sessions(connection: Connection, session_ids: Iterable[str]) -> Mapping[str, list[Reading | None]]:
    """Return the readings of all reports of each session; None for one from before readings were kept."""
    found: dict[str, list[Reading | None]] = {}
    query = select(accounting_events.c.session_id, accounting_events.c.reading).where(
        among(connection, accounting_events.c.session_id, session_ids)
    )
    for session_id, text in connection.execute(query):
        found.setdefault(session_id, []).append(None if text is None else to_reading(json.loads(text)))
    return found


def reading_text(reading: Reading) -> str:
    """Write a reading."""
    return compact_json(reading_values(reading))


def reading_values(reading: Reading) -> Values:
    """Return a reading as whole numbers."""
    return (
        reading.seconds,
        to_us(reading.at),
        reading.up,
        reading.down,
        reading.up_packets,
        reading.down_packets,
        reading.counted + 2 * reading.wide + 4 * reading.final,
    )


def to_reading(values: Values) -> Reading:
    """Read what `reading_values` wrote."""
    seconds, at, up, down, up_packets, down_packets, bits = values
    assert at is not None
    assert up is not None
    assert down is not None
    assert bits is not None
    return Reading(
        seconds, from_us(at), up, down, up_packets, down_packets, bool(bits & 1), bool(bits & 2), bool(bits & 4)
    )


def to_us(at: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return (at - _EPOCH) // _US


def from_us(us: int) -> datetime:
    """Return the moment that so many microseconds since 1970 are."""
    return _EPOCH + timedelta(microseconds=us)
