"""What is not in the database yet, what is damaged, and what may be deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.node.journal.reader import Damage, JournalReader, journal_directories, segment_path
from app.node.journal.segment import Position, moment
from app.node.journal.writer import SUFFIX, segment_numbers, sync_directory

_BATCH: Final = 10_000
_NOTE_SUFFIX: Final = ".damaged"

Positions = Mapping[tuple[str, int], Position]
"""How far each journal, by (node id, worker), is in the database."""


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """What waits in the journals of this machine. `oldest_at` is seconds since 1970, None if nothing waits."""

    pending: int
    octets: int
    oldest_at: float | None
    damaged: tuple[Path, ...]


def journal_status(data_dir: Path, positions: Positions) -> JournalStatus:
    """Count the records that are not in the database; it takes as long as reading them."""
    pending = octets = 0
    oldest_at: float | None = None
    damaged: list[Path] = []
    for node, worker, directory in journal_directories(data_dir):
        reader = JournalReader(directory, positions.get((node, worker)))
        while (stretch := reader.read(_BATCH)) is not None:
            first = moment(stretch.entries[0])
            oldest_at = first if oldest_at is None else min(oldest_at, first)
            pending += len(stretch.entries)
            octets += sum(len(entry.payload) for entry in stretch.entries)
            reader.advance(stretch)
        damaged += sorted({*_noted(directory), *(damage.path for damage in reader.damages)})
    return JournalStatus(pending, octets, oldest_at, tuple(damaged))


def note_damage(damage: Damage) -> None:
    """Leave a note beside a damaged segment, which is passed but once: it is shown until somebody removes the note."""
    beyond = "nothing is valid behind it" if damage.valid_at is None else f"valid again at octet {damage.valid_at}"
    _note(damage.path).write_text(f"bad at octet {damage.bad_at}, {beyond}\n", encoding="ascii")


def _noted(directory: Path) -> list[Path]:
    return [note.with_suffix(SUFFIX) for note in directory.glob(f"*{_NOTE_SUFFIX}")]


def _note(segment: Path) -> Path:
    return segment.with_suffix(_NOTE_SUFFIX)


def delete_old_segments(directory: Path, position: Position | None, *, older_than: float) -> int:
    """Delete segments that are wholly in the database and were last written before `older_than`; return how many.

    The newest segment stays always, so that numbers go on from it.
    """
    deleted = 0
    for number in segment_numbers(directory)[:-1]:
        path = segment_path(directory, number)
        if position is None or number >= position.segment or path.stat().st_mtime >= older_than:
            break
        path.unlink()
        _note(path).unlink(missing_ok=True)
        deleted += 1
    if deleted:
        sync_directory(directory)
    return deleted
