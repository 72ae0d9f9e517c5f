"""The node behind the RADIUS library: decides a batch from memory, writes it to the journal once, then answers.

Everything here runs in the server's one loop. Access answers wait for the disk 150 ms at most and then go, counted as
unrecorded; accounting is acknowledged only once it is safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from app.node.accounting import Accountant
from app.node.authorization import Authorizer, Outcome
from app.node.follower import Follower
from app.node.journal.records import RecordType, Verdict, encode_packet, encode_verdict
from app.node.journal.writer import Journal
from app.node.journal.writer import Outcome as Stored
from app.node.sessions import Place
from app.node.snapshot import Snapshot
from radius.backend import IPAddress, Nas, Service
from radius.messages import AccessRequest, AccountingRecord, Answer

ACCESS_PATIENCE_SECONDS: Final = 0.15
ACCOUNTING_PATIENCE_SECONDS: Final = 1.0

log = structlog.get_logger("node")


@dataclass(slots=True)
class Counters:
    """What the node could not do as it should."""

    unrecorded: int = 0  # verdicts that left before they were safe on disk, or without
    unstored: int = 0  # accounting that was not acknowledged
    failures: int = 0  # requests and records that ended in an exception


class NodeBackend:
    """A `radius.backend.Backend` over a snapshot and a journal."""

    def __init__(
        self,
        snapshot: Snapshot,
        follower: Follower,
        journal: Journal,
        authorizer: Authorizer,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self.counters = Counters()
        self.authorizer = authorizer
        self.accountant = Accountant(snapshot)
        self._snapshot, self._follower, self._journal = snapshot, follower, journal
        self._monotonic = monotonic

    def find_nas(self, address: IPAddress) -> Sequence[Nas]:
        """See `Backend`."""
        return self._snapshot.nases.find(address)

    def authorize(self, requests: Sequence[AccessRequest]) -> Sequence[Answer]:
        """See `Backend`."""
        with self._snapshot.lock:
            outcomes = [self._decide(request) for request in requests]
        verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict is not None]
        if verdicts:
            self._write_down(verdicts)
        return [outcome.answer for outcome in outcomes]

    def account(self, records: Sequence[AccountingRecord]) -> Sequence[bool]:
        """See `Backend`."""
        if self._journal.stalled(self._monotonic(), ACCOUNTING_PATIENCE_SECONDS):
            return self._unstored(len(records))
        batch = [
            (RecordType.ACCOUNTING, encode_packet(one.received_at, one.nas_id, one.source, one.raw)) for one in records
        ]
        stored, written = self._journal.append(batch, patience=ACCOUNTING_PATIENCE_SECONDS)
        if stored is not Stored.STORED or written is None:
            return self._unstored(len(records))
        with self._snapshot.lock:
            for record, end in zip(records, written.ends, strict=True):
                self._take(record, Place(written.segment, end))
        return [True] * len(records)

    def ready(self, service: Service) -> bool:
        """See `Backend`: accounting that cannot be stored must go to the other server (RFC 5997, D05)."""
        match service:
            case Service.AUTH:
                return self._snapshot.loaded
            case Service.ACCT:
                return self._journal.healthy and not self._journal.stalled(
                    self._monotonic(), ACCOUNTING_PATIENCE_SECONDS
                )

    def _decide(self, request: AccessRequest) -> Outcome:
        try:
            return self.authorizer.decide(request)
        except Exception:  # one bad request never spoils the others of its batch
            self.counters.failures += 1
            log.exception("access_request_failed", nas=request.nas_id, source=request.source[0])
            return Outcome(None)

    def _write_down(self, verdicts: Sequence[Verdict]) -> None:
        batch = [(RecordType.VERDICT, encode_verdict(verdict)) for verdict in verdicts]
        stalled = self._journal.stalled(self._monotonic(), ACCESS_PATIENCE_SECONDS)
        stored, _ = self._journal.append(batch, patience=0.0 if stalled else ACCESS_PATIENCE_SECONDS)
        if stored is not Stored.STORED:
            self.counters.unrecorded += len(verdicts)

    def _take(self, record: AccountingRecord, place: Place) -> None:
        try:
            self.accountant.take(
                record.nas_id,
                record.attributes,
                record.status_type,
                source=record.source[0],
                arrived_at=record.received_at,
                place=place,
            )
        except Exception:  # it is stored; memory is an estimate
            self.counters.failures += 1
            log.exception("accounting_record_failed", nas=record.nas_id, source=record.source[0])

    def _unstored(self, records: int) -> Sequence[bool]:
        self.counters.unstored += records
        return [False] * records
