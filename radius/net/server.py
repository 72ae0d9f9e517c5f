"""UdpServer: one loop over all its sockets, which drains, decides, stores and answers a batch at a time.

A lone request waits for nothing; a storm shares each system call, each question to the backend and each of its syncs.
Here, and only here, the server's clocks are read. Nothing that waits holds up what does not: a parked request and a
delayed Reject stand in heaps, bounded in number, and nothing older than a router's patience is worked on.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never

from radius.backend import Backend, Service
from radius.codes import Code
from radius.errors import DropReason
from radius.messages import Accept, Challenge, Later, Reject
from radius.net.backlog import Backlog, worth
from radius.net.buffers import ReceiveBuffer
from radius.net.datagrams import RECEIVE_BUFFER_OCTETS, Datagram
from radius.net.sockets import Bound, Listen, Sockets
from radius.net.telling import Observer, Teller
from radius.net.waiting import Waiting
from radius.server_engine import Answered, Arrival, PendingAccess, PendingAccounting, ServerEngine

OVERLOADED_SECONDS: Final = 1.0  # datagrams that have waited as long in the kernel are sorted before they are read
PATIENCE_SECONDS: Final = 10.0  # by then every router has given the request up or sent it anew
BATCH: Final = 64
MOST_WAITING: Final = 20_000
SWEEP_SECONDS: Final = 5.0
_ACCESS_REJECT: Final = int(Code.ACCESS_REJECT)

_log = logging.getLogger("radius.net.server")

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(slots=True)
class _Access:
    """A request that waits for its answer, and where that goes."""

    bound: Bound
    datagram: Datagram
    pending: PendingAccess


@dataclass(slots=True)
class _Record:
    """A record that waits until it is safe, and where the answer goes."""

    bound: Bound
    datagram: Datagram
    pending: PendingAccounting


class UdpServer:
    """RADIUS over UDP for a backend.

    `observer`, if it is given, is called with an Event per datagram that is dropped or rejected, and while `everything`
    is set with one per datagram of any kind; no other Event is made. `plain` avoids ctypes. `everything`, `wake` and
    `stop` may be used from any thread or signal handler. The sockets are bound when the server is made.
    """

    def __init__(
        self,
        backend: Backend,
        listens: Sequence[Listen],
        *,
        engine: ServerEngine | None = None,
        observer: Observer | None = None,
        everything: bool = False,
        batch: int = BATCH,
        reuse_port: bool = False,
        receive_buffer: int = RECEIVE_BUFFER_OCTETS,
        plain: bool = False,
        patience_seconds: float = PATIENCE_SECONDS,
        most_waiting: int = MOST_WAITING,
        overloaded_seconds: float = OVERLOADED_SECONDS,
    ) -> None:
        self.engine = engine or ServerEngine(backend)
        self.failures = 0  # datagrams and batches that ended in an exception
        self.unsent = 0  # answers that the kernel did not take
        self.everything = everything  # whether the observer hears of what went well, too
        self._backend = backend
        self._teller = None if observer is None else Teller(observer, self._fail)
        self._patience, self._most_waiting = patience_seconds, most_waiting
        self._waiting: Waiting[_Access | _Record, tuple[_Access, Reject]] = Waiting(most_waiting)
        self._overloaded = overloaded_seconds
        self._backlog: Backlog[tuple[Bound, Datagram, float]] = Backlog(most_waiting)
        self._at_once = batch * len(listens)
        self._stopping = False
        self._woken = False
        self._sweep_at = 0.0
        self._sockets = Sockets(listens, batch=batch, reuse_port=reuse_port, receive_buffer=receive_buffer, plain=plain)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Return where the sockets are bound, in the order of `listens`."""
        return self._sockets.addresses

    def receive_buffers(self) -> list[tuple[Service, ReceiveBuffer]]:
        """Return how each socket's buffer in the kernel stands, in the order of `listens`; nothing once closed."""
        return self._sockets.receive_buffers()

    @property
    def waiting(self) -> int:
        """Count the parked requests, the delayed answers, and what an overload has put off."""
        return len(self._waiting) + len(self._backlog)

    def wake(self) -> None:
        """Ask the backend again about every parked request, soon."""
        self._woken = True
        self._sockets.poke()

    def stop(self) -> None:
        """Stop reading, answer what is decided, and let `run` return."""
        self._stopping = True
        self._sockets.poke()

    def run(self) -> None:
        """Serve until `stop`, then close the sockets."""
        try:
            while not self._stopping:
                self._turn(self._sockets.wait(self._seconds_to_next()))
            self._finish()
        finally:
            self.close()

    def _seconds_to_next(self) -> float:
        return 0.0 if self._backlog else self._waiting.seconds_to_next(time.monotonic(), SWEEP_SECONDS)

    def close(self) -> None:
        """Close every socket; `run` does it by itself."""
        self._sockets.close()

    def _turn(self, ready: Sequence[Bound]) -> None:
        """Take what has come and what has become due, put it to the backend at once, and answer."""
        batches = [(bound, bound.endpoint.receive()) for bound in ready]
        now, now_at = time.monotonic(), time.time()
        if self._backlog or any(batch and batch[0].age_seconds >= self._overloaded for _, batch in batches):
            arrived = self._sorted(batches, now, now_at)
        else:
            arrived = [(bound, datagram) for bound, batch in batches for datagram in batch]
        accesses, records = self._unpark(now)
        for bound, datagram in arrived:
            taken = self._take(bound, datagram, now, now_at)
            if isinstance(taken, _Access):
                accesses.append(taken)
            elif taken is not None:
                records.append(taken)
        if accesses:
            self._authorize(accesses, now)
        if records:
            self.unsent += self._sockets.send()  # what is decided does not wait for what must be stored
            self._account(records, now)
        self._release_delayed(now)
        self.unsent += self._sockets.send()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_SECONDS
            self.engine.sweep(now)

    def _sorted(
        self, batches: Sequence[tuple[Bound, list[Datagram]]], now: float, now_at: float
    ) -> list[tuple[Bound, Datagram]]:
        """Read all that waits into the backlog, which may lose some for it, and return what matters most."""
        for bound, batch in batches:
            found, read = batch, 0
            while found and read <= self._most_waiting:
                read += len(found)
                for datagram in found:
                    lost = self._backlog.put((bound, datagram, now), worth(datagram.data))
                    if lost is not None:
                        self._lose(*lost[:2], now, now_at)
                found = bound.endpoint.receive()
        return [
            (bound, datagram._replace(age_seconds=datagram.age_seconds + now - since))
            for bound, datagram, since in self._backlog.take(self._at_once)
        ]

    def _lose(self, bound: Bound, datagram: Datagram, now: float, now_at: float) -> None:
        arrival = Arrival(datagram.source, (bound.number, datagram.local), bound.service, now, now_at)
        self._tell_of_dropped(arrival, datagram, self.engine.skip(arrival, DropReason.OVERLOAD))

    def _tell_of_dropped(self, arrival: Arrival, datagram: Datagram, reason: DropReason) -> None:
        if self._teller is not None:
            times, nas_id = (arrival.received, arrival.received_at), self.engine.whose(arrival.source[0])
            self._teller.of_dropped(arrival.service, datagram, reason, times, nas_id=nas_id)

    def _take(self, bound: Bound, datagram: Datagram, now: float, now_at: float) -> _Access | _Record | None:
        """Put one datagram to the engine; None where there is nothing to ask the backend."""
        data, source, _, local, age = datagram
        arrival = Arrival(source, (bound.number, local), bound.service, now, now_at)
        try:
            received = self.engine.receive(data, arrival) if age <= self._patience else self.engine.skip(arrival)
        except Exception:  # noqa: BLE001  # one bad request never spoils the others of its batch
            self._fail("a datagram failed", datagram)
            return None
        if isinstance(received, PendingAccess):
            return _Access(bound, datagram, received)
        if isinstance(received, PendingAccounting):
            return _Record(bound, datagram, received)
        if isinstance(received, Answered):
            bound.answers.append((received.reply, datagram))
            if self._teller is not None and (self.everything or received.reason):
                self._teller.of_answered(bound.service, datagram, received, (now, now_at))
        else:
            self._tell_of_dropped(arrival, datagram, received)
        return None

    # Questions to the backend

    def _authorize(self, accesses: list[_Access], now: float) -> None:
        answers = self._ask(self._backend.authorize, [access.pending.request for access in accesses], None)
        for access, answer in zip(accesses, answers, strict=True):
            match answer:
                case None:
                    self._leave(access, DropReason.UNDECIDED)
                case Later():
                    self._park(access, answer, now)
                case Reject() if answer.delay_seconds > 0:
                    self._delay(access, answer, now)
                case Accept() | Reject() | Challenge():
                    self._answer(access, answer, now)
                case _:
                    assert_never(answer)

    def _account(self, records: list[_Record], now: float) -> None:
        refused: bool | Later = False
        safe = self._ask(self._backend.account, [record.pending.record for record in records], refused)
        for record, stored in zip(records, safe, strict=True):
            if isinstance(stored, Later):
                self._park(record, stored, now)
            elif stored:
                self._acknowledge(record, now)
            else:
                self._leave(record, DropReason.NOT_STORED)

    def _ask(self, ask: Callable[[Sequence[Q]], Sequence[A]], questions: list[Q], failed: A) -> Sequence[A]:
        """Ask about a batch; if that raises, ask about each alone, so that only the bad one is left without answer."""
        try:
            answers = ask(questions)
            assert len(answers) == len(questions)
        except Exception:  # noqa: BLE001  # the same
            self._fail("the backend failed")
            if len(questions) == 1:
                return [failed]
            return [self._ask(ask, [question], failed)[0] for question in questions]
        return answers

    # What waits

    def _park(self, item: _Access | _Record, later: Later, now: float) -> None:
        if isinstance(item, _Access):
            received, too_late = item.pending.request.received, DropReason.UNDECIDED
        else:
            received, too_late = item.pending.record.received, DropReason.NOT_STORED
        if now - received >= self._patience:
            self._leave(item, too_late)
        elif self._waiting.full:
            self._leave(item, DropReason.OVERLOAD)
        else:
            self._waiting.park(item, min(later.not_before, received + self._patience))

    def _unpark(self, now: float) -> tuple[list[_Access], list[_Record]]:
        """Return what is parked and to be asked about again: all when woken, else what is due."""
        if self._woken:
            self._woken = False
            now = math.inf
        due = self._waiting.parked(now)
        accesses = [item for item in due if isinstance(item, _Access)]
        return accesses, [item for item in due if isinstance(item, _Record)]

    def _delay(self, access: _Access, reject: Reject, now: float) -> None:
        if self._waiting.full:
            self._leave(access, DropReason.OVERLOAD)
        else:
            self._waiting.delay((access, reject), now + reject.delay_seconds)

    def _release_delayed(self, now: float) -> None:
        for access, reject in self._waiting.delayed(now):
            self._answer(access, reject, now)

    # Answers

    def _answer(self, access: _Access, answer: Accept | Reject | Challenge, now: float) -> None:
        try:
            reply = self.engine.reply(access.pending, answer, now)
        except Exception:  # noqa: BLE001  # one bad request never spoils the others of its batch
            self._fail("an answer failed", access.datagram)
            self._leave(access, DropReason.UNDECIDED)
            return
        access.bound.answers.append((reply, access.datagram))
        if self.everything or reply[0] == _ACCESS_REJECT:
            self._tell_of(access, Code(reply[0]), reply, answer)

    def _acknowledge(self, record: _Record, now: float) -> None:
        try:
            reply = self.engine.acknowledge(record.pending, now)
        except Exception:  # noqa: BLE001  # the same
            self._fail("an answer failed", record.datagram)
            self._leave(record, DropReason.NOT_STORED)
            return
        record.bound.answers.append((reply, record.datagram))
        if self.everything:
            self._tell_of(record, Code(reply[0]), reply)

    def _leave(self, item: _Access | _Record, reason: DropReason) -> None:
        self.engine.leave(item.pending, reason)
        self._tell_of(item, reason)

    def _tell_of(
        self,
        item: _Access | _Record,
        outcome: Code | DropReason,
        reply: bytes | None = None,
        answer: Accept | Reject | Challenge | None = None,
    ) -> None:
        if self._teller is not None:
            service = item.bound.service
            self._teller.of_pending(service, item.datagram, item.pending, outcome, reply=reply, answer=answer)

    def _fail(self, what: str, datagram: Datagram | None = None) -> None:
        """Count and log the exception that is being handled."""
        self.failures += 1
        source = "a batch" if datagram is None else datagram.source[0]
        _log.exception("%s: %s", what, source)

    def _finish(self) -> None:
        """Answer what is decided; what is parked is left to the router's next attempt."""
        self._release_delayed(math.inf)
        for item in self._waiting.parked(math.inf):
            self._leave(item, DropReason.UNDECIDED if isinstance(item, _Access) else DropReason.NOT_STORED)
        self.unsent += self._sockets.send()
