"""Journal records become database rows: read through `app.node`, handed as plain reports to `services.ingest`."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from app.db import nases
from app.db.engine import Database
from app.domain import reports
from app.domain.granted import Limits
from app.domain.nases import Direction
from app.domain.reports import Decided, Item, Move, Reported, Unreadable, storable
from app.node.datagrams import place
from app.node.journal.reader import JournalReader
from app.node.journal.records import RecordError, RecordType, decode_packet, decode_verdict
from app.node.journal.segment import Entry, Position
from app.node.journal.status import note_damage
from app.node.replay import status_type
from app.node.reports import ReportingNas, to_report
from app.services import ingest
from app.services.keyring import Keyring
from radius.codes import Code
from radius.errors import DecodeError
from radius.packet import Packet
from radius.vendors import profile_for
from radius.vendors.profile import Direction as WireDirection

BATCH: Final = 500  # of records in one transaction; on SQLite nobody else writes meanwhile
POSTGRESQL_BATCH: Final = 8000  # there others go on, and a session that reports often is written once a batch
_NASES_SECONDS: Final = 5.0  # how long what is known of NASes is used before it is read again
_GENERIC: Final = profile_for("generic")

log = structlog.get_logger("worker")


class Interpreter:
    """Turns journal entries into items; knows how each NAS counts."""

    def __init__(self, database: Database, keyring: Keyring, *, monotonic: Callable[[], float]) -> None:
        self._database, self._class_key, self._monotonic = database, keyring.class_key, monotonic
        self._nases: dict[str, ReportingNas] = {}
        self._read_at = float("-inf")

    def refresh(self) -> None:
        """Read the NASes again if that was some time ago; raise what the database raises when it is away."""
        if self._monotonic() - self._read_at < _NASES_SECONDS:
            return
        with self._database.read() as connection:
            self._nases = {
                nas.id: ReportingNas(nas.id, profile_for(nas.family.value), _direction(nas.direction))
                for nas in nases.read_all(connection)
            }
        self._read_at = self._monotonic()

    def item(self, entry: Entry) -> Item:
        """Return what an entry says; an entry that makes no sense is set aside with its reason."""
        try:
            match entry.type:
                case RecordType.ACCOUNTING:
                    return self._reported(entry)
                case RecordType.VERDICT:
                    return _decided(entry)
                case _:
                    return Unreadable(entry.payload, f"record type {entry.type}")
        except (RecordError, DecodeError) as error:
            return Unreadable(entry.payload, str(error))
        except Exception as error:  # one record never stops the rest
            log.exception("record_failed")
            return Unreadable(entry.payload, type(error).__name__)

    def _reported(self, entry: Entry) -> Item:
        stored = decode_packet(entry.payload)
        packet = Packet.parse(stored.raw)
        if packet.code != Code.ACCOUNTING_REQUEST:
            return Unreadable(entry.payload, f"packet code {packet.code}")
        report = to_report(
            packet.attributes,
            status_type(packet),
            nas=self._nases.get(stored.nas_id) or ReportingNas(stored.nas_id, _GENERIC, WireDirection.AUTO),
            source=stored.source[0],
            arrived_at=stored.arrived_at,
            class_key=self._class_key,
        )
        received_at = datetime.fromtimestamp(stored.arrived_at, UTC)
        return Reported(report, stored.raw, received_at, place(stored.source), stored.nas_id)


class JournalIngest:
    """Merges one journal directory, from where the database says it stands."""

    def __init__(
        self,
        database: Database,
        interpreter: Interpreter,
        *,
        node: str,
        worker: int,
        directory: Path,
        zone: ZoneInfo,
        chance: Callable[[int], bytes],
    ) -> None:
        self.node, self.worker, self.directory = node, worker, directory
        self._database, self._interpreter = database, interpreter
        self._zone, self._chance = zone, chance
        self._batch = POSTGRESQL_BATCH if database.is_postgresql else BATCH
        self._reader: JournalReader | None = None

    @property
    def position(self) -> Position | None:
        """Return how far the journal is in the database, as far as this process knows."""
        return None if self._reader is None else self._reader.position

    @property
    def damages(self) -> Sequence[str]:
        """Return the segments that cannot be read to their end."""
        return [] if self._reader is None else [str(damage.path) for damage in self._reader.damages]

    def step(self, now: datetime) -> int:
        """Merge the next records and return how many; raise what the database raises when it is away."""
        self._interpreter.refresh()
        if self._reader is None:
            self._reader = self._reader_at(ingest.stored_position(self._database, self.node, self.worker))
        known_damages = len(self._reader.damages)
        stretch = self._reader.read(self._batch)
        for damage in self._reader.damages[known_damages:]:
            log.error("journal_damaged", path=str(damage.path), bad_at=damage.bad_at, valid_at=damage.valid_at)
            with suppress(OSError):  # a full disk; it has been said
                note_damage(damage)
        if stretch is None:
            return 0
        result = ingest.merge(
            self._database,
            [self._interpreter.item(entry) for entry in stretch.entries],
            position=Move(self._named(self._reader.position), self._name(stretch.position)),
            origin=f"{self.node}/{self.worker}",
            zone=self._zone,
            now=now,
            chance=self._chance,
        )
        if not result.merged:
            log.warning("journal_position_moved", node=self.node, worker=self.worker)
            self._reader = self._reader_at(result.position)
            return 0
        self._reader.advance(stretch)
        if result.set_aside:
            log.warning("records_set_aside", node=self.node, worker=self.worker, count=result.set_aside)
        return len(stretch.entries)

    def _reader_at(self, stored: reports.Position | None) -> JournalReader:
        position = None if stored is None else Position(stored.segment, stored.segment_id, stored.offset)
        return JournalReader(self.directory, position)

    def _named(self, position: Position | None) -> reports.Position | None:
        return None if position is None else self._name(position)

    def _name(self, position: Position) -> reports.Position:
        return reports.Position(self.node, self.worker, position.segment, position.segment_id, position.offset)


def _decided(entry: Entry) -> Decided:
    verdict = decode_verdict(entry.payload)
    return Decided(
        at=datetime.fromtimestamp(verdict.at, UTC),
        nas_id=verdict.nas_id,
        mac=verdict.mac,
        account_id=verdict.account_id or None,
        user_name=storable(verdict.user_name)[:253],
        method=verdict.method,
        accepted=verdict.accepted,
        reason=verdict.reason,
        acceptance_id=verdict.acceptance_id or None,
        limits=_limits(verdict.limits) if verdict.accepted else "",
    )


def _limits(limits: Limits) -> str:
    return json.dumps({name: value for name, value in limits._asdict().items() if value is not None})


def _direction(direction: Direction) -> WireDirection:
    return WireDirection(direction.value)
