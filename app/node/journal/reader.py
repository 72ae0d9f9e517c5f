"""Reading a journal from a position on, while it is being written or after it was torn.

A segment ends at its first bad record. It is left for the next only if that one was seen to exist before this one's
end was read: then nothing can be appended to it any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from app.node.journal.segment import HEADER_OCTETS, Entry, Header, Position, entries, read_header, record_beyond
from app.node.journal.writer import SUFFIX, segment_numbers

_READ_OCTETS: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some records of one segment, and the position behind them."""

    entries: tuple[Entry, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Damage:
    """A segment that cannot be read to its end: valid records stand beyond a bad one, or its header is lost."""

    path: Path
    bad_at: int
    valid_at: int | None


class JournalReader:
    """Reads one journal directory forwards. `damages` collects what must be shown to an admin."""

    def __init__(self, directory: Path, position: Position | None) -> None:
        self.directory = directory
        self.position = position
        self.damages: list[Damage] = []
        self._finished = 0  # the last segment that was read to its end, with another one after it

    def read(self, limit: int) -> Stretch | None:
        """Return the next records, `limit` at most; None if there is nothing new. The position does not move."""
        numbers = segment_numbers(self.directory)
        for number in self._from_here(numbers):
            stretch = self._read_segment(number, limit, is_last=number == numbers[-1])
            if stretch is not None:
                return stretch
            if number != numbers[-1]:
                self._finished = number
        return None

    def advance(self, stretch: Stretch) -> None:
        """Go on behind a stretch, once it has been dealt with for good."""
        self.position = stretch.position

    def _from_here(self, numbers: list[int]) -> list[int]:
        first = max(self._finished + 1, 0 if self.position is None else self.position.segment)
        return [number for number in numbers if number >= first]

    def _read_segment(self, number: int, limit: int, *, is_last: bool) -> Stretch | None:
        path = segment_path(self.directory, number)
        with path.open("rb") as file:
            header = read_header(file.read(HEADER_OCTETS))
            if header is None:
                self._report_headless(path, is_last=is_last)
                return None
            start = self._start_in(header)
            file.seek(start)
            found = tuple(islice(entries(header.id, file.read(_READ_OCTETS), base=start), limit))
            if not found:
                if not is_last:
                    self._report_damage(path, header, start)
                return None
        return Stretch(found, Position(number, header.id.hex(), found[-1].end))

    def _start_in(self, header: Header) -> int:
        """Return where to go on; a segment of this number with another id is another segment: from its beginning."""
        here = self.position
        if here is None or here.segment != header.number or here.segment_id != header.id.hex():
            return HEADER_OCTETS
        return here.offset

    def _report_headless(self, path: Path, *, is_last: bool) -> None:
        """A segment without a header holds nothing acknowledged, unless there is something behind where it was."""
        if not is_last and path.read_bytes()[HEADER_OCTETS:].strip(b"\0"):
            self._add(Damage(path, 0, None))

    def _report_damage(self, path: Path, header: Header, bad_at: int) -> None:
        valid_at = record_beyond(header.id, path.read_bytes(), bad_at)
        if valid_at is not None:
            self._add(Damage(path, bad_at, valid_at))

    def _add(self, damage: Damage) -> None:
        if damage not in self.damages:
            self.damages.append(damage)


def segment_path(directory: Path, number: int) -> Path:
    """Return the path of a segment."""
    return directory / f"{number:010d}{SUFFIX}"


def journal_directories(data_dir: Path) -> Iterator[tuple[str, int, Path]]:
    """Yield (node id, worker, directory) of every journal under the data directory."""
    for path in sorted((data_dir / "journal").glob("*/*")):
        if path.is_dir() and path.name.isdigit():
            yield path.parent.name, int(path.name), path
