"""Reading the own journal again at the start: used tickets stay used, sessions are known, unmerged usage is counted."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.domain.reports import Method
from app.domain.tickets import LIFE_SECONDS, read_name
from app.node.accounting import Accountant
from app.node.authorization import Authorizer
from app.node.journal.reader import JournalReader, segment_path
from app.node.journal.records import RecordError, RecordType, Verdict, decode_packet, decode_verdict
from app.node.journal.segment import Entry, Position, moment
from app.node.journal.writer import segment_numbers
from app.node.octets import Place
from app.node.sessions import RESERVATION_SECONDS, Presence
from app.node.snapshot import Snapshot, place_of
from app.node.tickets import KEEP_SECONDS
from radius.codes import Code, StatusType
from radius.errors import DecodeError
from radius.packet import Packet

RECENT_SECONDS: Final = LIFE_SECONDS + KEEP_SECONDS
"""How long ago a ticket may have been used that must stay used."""
_AT_ONCE: Final = 2000
_STATUS_TYPE: Final = 40
_STATUS_TYPES: Final = {int(status): status for status in StatusType}


def replay(
    directory: Path, snapshot: Snapshot, authorizer: Authorizer, accountant: Accountant, *, before: int, now: float
) -> int:
    """Take in what earlier runs wrote: all that was not loaded, and the last minutes; return how many records.

    `before` is the number of the segment that this run has opened.
    """
    merged = place_of(snapshot.own_position)
    ended = max(now, _last_written(directory, before))
    recent, reserved = ended - RECENT_SECONDS, ended - RESERVATION_SECONDS
    reader = JournalReader(directory, _start(directory, snapshot, recent))
    taken = 0
    while (stretch := reader.read(_AT_ONCE)) is not None and stretch.position.segment < before:
        with snapshot.lock:
            for entry in stretch.entries:
                place = Place(stretch.position.segment, entry.end)
                # What was loaded tells of every session; only what was reserved by an Accept may have to be ended.
                if place > snapshot.seen or moment(entry) >= (recent if entry.type == RecordType.VERDICT else reserved):
                    _take(entry, place, snapshot, authorizer, accountant, fresh=place > merged)
                    taken += 1
        reader.advance(stretch)
    with snapshot.lock:
        snapshot.sessions.take_position(merged)
    return taken


def status_type(packet: Packet) -> StatusType | int | None:
    """Return the Acct-Status-Type of a stored packet, as the server saw it."""
    raw = packet.attributes.first(_STATUS_TYPE)
    if raw is None or len(raw) != 4:
        return None
    number = int.from_bytes(raw)
    return _STATUS_TYPES.get(number, number)


def _last_written(directory: Path, before: int) -> float:
    """Return when an earlier run last wrote: a clock that has gone back makes not all of the journal recent."""
    earlier = [segment_path(directory, number) for number in segment_numbers(directory) if number < before]
    return max((path.stat().st_mtime for path in earlier), default=0.0)


def _start(directory: Path, snapshot: Snapshot, recent: float) -> Position | None:
    """Return from where to read: the first segment that was written since `recent`, or goes beyond what was loaded."""
    for number in segment_numbers(directory):
        if number >= snapshot.seen.segment or segment_path(directory, number).stat().st_mtime >= recent:
            return Position(number, "", 0)
    return snapshot.own_position


def _take(
    entry: Entry, place: Place, snapshot: Snapshot, authorizer: Authorizer, accountant: Accountant, *, fresh: bool
) -> None:
    """Take one record; what is not `fresh` has already made of the database's resume grants what it had to."""
    try:
        if entry.type == RecordType.VERDICT:
            _take_verdict(decode_verdict(entry.payload), snapshot, authorizer, fresh=fresh)
        elif entry.type == RecordType.ACCOUNTING:
            stored = decode_packet(entry.payload)
            packet = Packet.parse(stored.raw)
            if packet.code == Code.ACCOUNTING_REQUEST:
                accountant.take(
                    stored.nas_id,
                    packet.attributes,
                    status_type(packet),
                    source=stored.source[0],
                    arrived_at=stored.arrived_at,
                    place=place,
                    fresh=fresh,
                )
    except (RecordError, DecodeError):
        return  # ingest sets it aside


def _take_verdict(verdict: Verdict, snapshot: Snapshot, authorizer: Authorizer, *, fresh: bool) -> None:
    if not verdict.accepted:
        return
    ticket = read_name(verdict.user_name) if verdict.method is Method.TICKET else None
    if ticket is not None:
        authorizer.tickets.note(verdict, ticket.expires_at.timestamp())
        if fresh and verdict.mac:
            snapshot.note_login(verdict.mac, verdict.account_id, datetime.fromtimestamp(verdict.at, UTC))
    snapshot.sessions.reserve(
        verdict.mac,
        Presence(
            verdict.account_id,
            verdict.acceptance_id,
            verdict.nas_id,
            "",
            verdict.acct_session_id,
            verdict.user_name,
            verdict.at,
            verdict.at + RESERVATION_SECONDS,
        ),
        replayed=True,
    )
