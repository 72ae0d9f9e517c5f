"""The node behind the RADIUS library: decides a batch from memory, writes it to the journal once, then answers.

Everything here runs in the server's one loop, which waits for the disk 150 ms at most. Access answers go then, counted
as unrecorded; accounting is parked, and acknowledged only once it is safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog

from app.node.accounting import Accountant
from app.node.arrivals import Arrivals
from app.node.authorization import Authorizer, Outcome
from app.node.follower import Follower
from app.node.journal.records import RecordType, Verdict, encode_packet, encode_verdict
from app.node.journal.writer import Batch, Journal
from app.node.journal.writer import Outcome as Stored
from app.node.octets import Place
from app.node.snapshot import Snapshot
from radius.backend import Nas, Service
from radius.messages import AccessRequest, AccountingRecord, Answer, Later

DISK_PATIENCE_SECONDS: Final = 0.15  # how long the loop waits for a sync
STALL_SECONDS: Final = 1.0  # a disk that keeps a batch for longer gets no new accounting
ACCOUNTING_PATIENCE_SECONDS: Final = 5.0  # how long one parked record waits; the router has sent it anew by then
LOOK_AGAIN_SECONDS: Final = 1.0
FORGET_SECONDS: Final = 30.0

log = structlog.get_logger("node")


@dataclass(slots=True)
class Counters:
    """What the node could not do as it should."""

    unrecorded: int = 0  # verdicts that left before they were safe on disk, or without
    unstored: int = 0  # accounting that was not acknowledged
    failures: int = 0  # requests and records that ended in an exception


class _Slow(NamedTuple):
    """A record on its way to a slow disk: in which batch, and where in it."""

    record: AccountingRecord
    batch: Batch
    number: int


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
        self._arrivals = Arrivals()
        self._slow: dict[int, _Slow] = {}  # by the identity of the record, which the entry keeps alive
        self._snapshot, self._follower, self._journal = snapshot, follower, journal
        self._monotonic = monotonic

    def find_nas(self, host: str) -> Sequence[Nas]:
        """See `Backend`."""
        return self._snapshot.nases.find(host)

    def authorize(self, requests: Sequence[AccessRequest]) -> Sequence[Answer]:
        """See `Backend`."""
        with self._snapshot.lock:
            outcomes = [self._decide(request) for request in requests]
        verdicts = [outcome.verdict for outcome in outcomes if outcome.verdict is not None]
        if verdicts:
            shift = self._arrivals.shift(requests[-1].received_at, requests[-1].received)
            self._write_down([one._replace(at=one.at + shift) for one in verdicts] if shift else verdicts)
        return [outcome.answer for outcome in outcomes]

    def account(self, records: Sequence[AccountingRecord]) -> Sequence[bool | Later]:
        """See `Backend`."""
        answers: dict[int, bool | Later] = {}
        fresh = [record for record in records if id(record) not in self._slow]
        for record in records:
            if id(record) in self._slow:
                answers[id(record)] = self._ask_again(record)
        if fresh:
            answers |= zip(map(id, fresh), self._store(fresh), strict=True)
        return [answers[id(record)] for record in records]

    def _store(self, records: Sequence[AccountingRecord]) -> Sequence[bool | Later]:
        if self._journal.stalled(self._monotonic(), STALL_SECONDS):
            return self._unstored(len(records))
        shift = self._arrivals.shift(records[-1].received_at, records[-1].received)
        batch = self._journal.hand_over(
            [
                (RecordType.ACCOUNTING, encode_packet(one.received_at + shift, one.nas_id, one.source, one.raw))
                for one in records
            ]
        )
        if batch is None:
            return self._unstored(len(records))
        outcome = self._journal.wait(batch, patience=DISK_PATIENCE_SECONDS)
        if outcome is Stored.LATE:
            return self._park(records, batch)
        if outcome is not Stored.STORED:
            return self._unstored(len(records))
        with self._snapshot.lock:
            for record, end in zip(records, batch.ends, strict=True):
                self._take(record, Place(batch.segment, end))
        return [True] * len(records)

    def _park(self, records: Sequence[AccountingRecord], batch: Batch) -> Sequence[Later]:
        """Let records wait for the disk without holding up anything else."""
        now = self._monotonic()
        for old in [key for key, slow in self._slow.items() if now - slow.record.received > FORGET_SECONDS]:
            del self._slow[old]
        for number, record in enumerate(records):
            self._slow[id(record)] = _Slow(record, batch, number)
        return [Later(now + LOOK_AGAIN_SECONDS)] * len(records)

    def _ask_again(self, record: AccountingRecord) -> bool | Later:
        slow, now = self._slow[id(record)], self._monotonic()
        if not slow.batch.finished.is_set() and now - record.received < ACCOUNTING_PATIENCE_SECONDS:
            return Later(now + LOOK_AGAIN_SECONDS)
        del self._slow[id(record)]
        if not slow.batch.stored:
            return self._unstored(1)[0]
        with self._snapshot.lock:
            self._take(record, Place(slow.batch.segment, slow.batch.ends[slow.number]))
        return True

    def ready(self, service: Service) -> bool:
        """See `Backend`: accounting that cannot be stored must go to the other server (RFC 5997, D05)."""
        match service:
            case Service.AUTH:
                return self._snapshot.loaded and not self.authorizer.outdated
            case Service.ACCT:
                return self._journal.healthy and not self._journal.stalled(self._monotonic(), STALL_SECONDS)

    def _decide(self, request: AccessRequest) -> Outcome:
        try:
            return self.authorizer.decide(request)
        except Exception:  # one bad request never spoils the others of its batch
            self.counters.failures += 1
            log.exception("access_request_failed", nas=request.nas_id, source=request.source[0])
            return Outcome(None)

    def _write_down(self, verdicts: Sequence[Verdict]) -> None:
        batch = [(RecordType.VERDICT, encode_verdict(verdict)) for verdict in verdicts]
        stalled = self._journal.stalled(self._monotonic(), DISK_PATIENCE_SECONDS)
        stored, _ = self._journal.append(batch, patience=0.0 if stalled else DISK_PATIENCE_SECONDS)
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
