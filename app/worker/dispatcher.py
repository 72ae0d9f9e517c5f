"""Changes on their way to routers: claimed from the outbox, sent, repeated, and recorded with what was answered.

An own thread with an own event loop, so that neither ingest nor a slow database holds up an answer. Each router has its
own lane: one that does not answer takes one place, and nobody else's time.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Final, assert_never
from zoneinfo import ZoneInfo

import structlog

from app.db.changes import Lane
from app.db.engine import Database
from app.db.errors import AWAY
from app.domain.changes import Answer, ChangeState, Result, Way, acknowledged, refused, silent
from app.nas import dispatch
from app.nas.dispatch import Amounts, OpenSession, Rest, Send
from app.services import outbox
from app.services.changes import HOURS
from app.services.keyring import Keyring
from app.services.outbox import ROOM_OF_LANE, Busy, Job, Outcome
from radius.attributes import Attributes
from radius.client_engine import Timing
from radius.codes import Code
from radius.errors import DecodeError, DropReason
from radius.net.async_client import AsyncClient
from radius.net.client import Answered, Silence
from radius.packet import Packet
from radius.vendors import profile_for

_LOOK_SECONDS: Final = 0.25  # a change reaches its router within two seconds, whatever else goes on
_SOONEST_SECONDS: Final = 0.05  # between two looks: answers that come together are recorded together
_LOST_SECONDS: Final = 15.0
_IDLE_SECONDS: Final = 60.0  # after which a router's sockets are closed
_AWAY_SECONDS: Final = 1.0
_ROOM: Final = 512
_ACKS: Final = frozenset({Code.COA_ACK, Code.DISCONNECT_ACK})

log = structlog.get_logger("dispatcher")


@dataclass(slots=True)
class _Lane:
    """One router: how many changes are on their way to it, and whether it has last been silent."""

    busy: int = 0
    silent: bool = False

    @property
    def room(self) -> int:
        """Return how much more may be sent now; one that was silent is asked one thing at a time."""
        return max(0, (1 if self.silent else ROOM_OF_LANE) - self.busy)


@dataclass(slots=True)
class _Line:
    """The sockets to one router, and who uses them."""

    client: AsyncClient
    used_at: float
    users: int = 0


@dataclass(slots=True)
class Counters:
    """What came of changes since the start, and how often the outbox could not be read.

    By way and result; of refusals by NAS and Error-Cause ("0": none was given), of silence by NAS.
    """

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    away: int = 0
    failures: int = 0


class Dispatcher:
    """Sends what the outbox holds until it is stopped."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        zone: ZoneInfo,
        now: Callable[[], datetime],
        timing: Timing | None = None,
    ) -> None:
        self.counters = Counters()
        self._database, self._keyring, self._zone, self._now, self._timing = database, keyring, zone, now, timing
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._stopping = threading.Event()
        self._lanes: dict[Lane, _Lane] = {}
        self._lines: dict[tuple[str, int, str, bool], _Line] = {}
        self._tasks: dict[asyncio.Task[None], Job] = {}
        self._finished: list[Outcome] = []
        self._silenced: set[Lane] = set()  # whose due changes wait for news of their sessions
        self._lost_at = float("-inf")
        self._away_since: float | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is on its way and unanswered is given back to the outbox."""
        self._stopping.set()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._awake)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("dispatcher_failed")
            raise

    def _awake(self) -> None:
        if self._wake is not None:
            self._wake.set()

    async def _serve(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        with ThreadPoolExecutor(1, "outbox") as database:
            while not self._stopping.is_set():
                finished, self._finished = self._finished, []
                silenced, self._silenced = self._silenced, set()
                try:
                    jobs = await self._loop.run_in_executor(database, self._look, finished, silenced, self._busy())
                except AWAY as error:
                    self._finished, self._silenced = finished + self._finished, silenced | self._silenced
                    self._note_away(error)
                    await self._pause(_AWAY_SECONDS, _AWAY_SECONDS)
                    continue
                except Exception:  # what was claimed or answered in it is sent again when its lease is over
                    self.counters.failures += 1
                    log.exception("outbox_failed")
                    await self._pause(_AWAY_SECONDS, _AWAY_SECONDS)
                    continue
                self._note_reached()
                for job in jobs:
                    self._begin(job)
                self._close_idle()
                await self._pause(_SOONEST_SECONDS, _LOOK_SECONDS)
            await self._loop.run_in_executor(database, self._give_back, await self._abandon())

    def _note_away(self, error: Exception) -> None:
        self.counters.away += 1
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("outbox_away", error=str(error).splitlines()[0])

    def _note_reached(self) -> None:
        if self._away_since is not None:
            log.info("outbox_reached", after_seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None

    async def _pause(self, least: float, most: float) -> None:
        """Wait until an answer has come, at least and at most so long."""
        assert self._wake is not None
        await asyncio.sleep(0 if self._stopping.is_set() else least)
        if not self._finished and not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), most - least)
        self._wake.clear()

    def _busy(self) -> Busy:
        """Return what may not be claimed now."""
        busy = sum(lane.busy for lane in self._lanes.values())
        return Busy(
            room=max(0, _ROOM - busy),
            rooms={name: lane.room for name, lane in self._lanes.items()},
            sessions=frozenset(job.change.session_id for job in self._tasks.values()),
        )

    # In the thread of the database

    def _look(self, finished: list[Outcome], silenced: set[Lane], busy: Busy) -> list[Job]:
        """Record what is finished, and claim what is due."""
        now = self._now()
        if finished:
            outbox.record(self._database, finished, now=now)
            finished.clear()  # it is not recorded again if the database goes away now
        for lane in sorted(silenced):
            outbox.postpone(self._database, lane, now=now)
        if time.monotonic() >= self._lost_at:
            self._lost_at = time.monotonic() + _LOST_SECONDS
            outbox.requeue_lost(self._database, now=now)
        return outbox.claim(self._database, self._keyring, busy=busy, now=now, zone=self._zone)

    def _give_back(self, unanswered: list[Job]) -> None:
        try:
            if self._finished:
                outbox.record(self._database, self._finished, now=self._now())
            if unanswered:
                outbox.release(self._database, [job.change.id for job in unanswered], now=self._now())
        except AWAY:
            log.warning("outbox_away", lost=len(unanswered))  # another worker takes them when the lease is over

    # In the loop

    def _begin(self, job: Job) -> None:
        lane = self._lanes.setdefault(job.lane, _Lane())
        lane.busy += 1
        task = asyncio.get_running_loop().create_task(self._work(job, lane))
        self._tasks[task] = job
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _abandon(self) -> list[Job]:
        """Stop every task; return the jobs that have no answer."""
        jobs = list(self._tasks.values())
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines.values():
            line.client.close()
        recorded = {outcome.job.change.id for outcome in self._finished}
        return [job for job in jobs if job.change.id not in recorded]

    async def _work(self, job: Job, lane: _Lane) -> None:
        try:
            outcome = await self._carry_out(job)
        except Exception as error:  # one change never stops the rest
            log.exception("change_failed", change=job.change.id, session=job.change.session_id, nas=job.nas.name)
            outcome = Outcome(job, Answer(ChangeState.FAILED, Result.UNSUPPORTED, type(error).__name__))
        finally:
            lane.busy -= 1
        if outcome.way is not None:
            lane.silent = outcome.answer.result is Result.SILENT
            if lane.silent:
                self._silenced.add(job.lane)
        self._finished.append(outcome)
        self._tell(outcome)
        self._awake()

    async def _carry_out(self, job: Job) -> Outcome:
        """Send what the family understands, and what follows a refusal, until there is an answer."""
        step = plan(job, int(self._now().timestamp()))
        refusal: Answer | None = None
        while isinstance(step, Send):
            reply = await self._ask(job, step)
            match reply:
                case None:
                    return Outcome(job, Answer(ChangeState.FAILED, Result.NOWHERE))
                case Silence():
                    return Outcome(job, silent(_disbelief(reply), attempts=job.change.attempts + 1), step.way)
                case Answered() if reply.reply.code in _ACKS:
                    return Outcome(job, acknowledged(), step.way, step.told)
                case Answered():
                    cause = reply.reply.attributes.integer("Error-Cause")
                    refusal = refused(cause, attempts=job.change.attempts + 1, now=self._now())
                case _:
                    assert_never(reply)
            if refusal.state is not ChangeState.FAILED or refusal.is_alarm or step.otherwise is None:
                return Outcome(job, refusal, step.way)
            step = step.otherwise
        detail = step.detail if refusal is None else refusal.detail
        return Outcome(job, Answer(step.state, step.result, detail), None if refusal is None else Way.COA)

    async def _ask(self, job: Job, step: Send) -> Answered | Silence | None:
        """Ask a router, with its old secret too while one is in force; None where nobody knows its address."""
        host = address_of(job)
        if host is None:
            return None
        reply: Answered | Silence = Silence(0, ())
        for secret in job.secrets:
            key = (host, job.nas.coa_port, secret, profile_for(job.nas.family.value).coa.signed)
            line = self._lines.get(key)
            if line is None:
                client = AsyncClient((host, job.nas.coa_port), secret.encode(), timing=self._timing, sign=key[3])
                line = self._lines[key] = _Line(client, 0.0)
            line.users += 1
            try:
                reply = await line.client.ask(step.query)
            except OSError:  # no way there, or a name that nobody knows
                reply = Silence(0, ())
            finally:
                line.users -= 1
                line.used_at = asyncio.get_running_loop().time()
            if isinstance(reply, Answered):
                break
        return reply

    def _close_idle(self) -> None:
        before = asyncio.get_running_loop().time() - _IDLE_SECONDS
        for key, line in list(self._lines.items()):
            if line.users == 0 and line.used_at < before:
                line.client.close()
                del self._lines[key]
        for name, lane in list(self._lanes.items()):
            if lane.busy == 0 and not lane.silent:
                del self._lanes[name]

    def _tell(self, outcome: Outcome) -> None:
        job, answer = outcome.job, outcome.answer
        way = "" if outcome.way is None else outcome.way.value
        self.counters.results[way, answer.result.value] += 1
        if answer.result in {Result.REFUSED, Result.LATER}:
            self.counters.refused[job.nas.name, answer.detail] += 1
        if answer.result is Result.SILENT:
            self.counters.silent[job.nas.name] += 1
        log.info(
            "change",
            id=job.change.id,
            session=job.change.session_id,
            nas=job.nas.name,
            why=job.change.reason,
            way=way,
            state=answer.state.value,
            result=answer.text,
            author=job.change.author,
        )


def plan(job: Job, at: int) -> Send | Rest:
    """Return how a job is carried out; `at` is now, in seconds since 1970."""
    profile = profile_for(job.nas.family.value)
    session = OpenSession(_reported(job), job.down_octets, job.up_octets, job.elapsed_seconds, job.held, job.resumes)
    if job.granted is None:
        return dispatch.end(profile, session, at=at)
    return dispatch.change(
        profile,
        session,
        job.granted,
        left=Amounts(job.left.octets, job.left.down_octets, job.left.up_octets),
        at=at,
        gently=job.change.reason == HOURS,
    )


def address_of(job: Job) -> str | None:
    """Return where a router takes changes: as registered, else whence the session was last heard of."""
    if job.nas.coa_address is not None:
        return job.nas.coa_address
    host = (job.source or "").rpartition(":")[0].strip("[]")
    try:
        if ip_address(host) in job.nas.address:
            return host
    except ValueError:
        pass  # what came by HTTP
    return str(job.nas.address.network_address) if job.nas.address.num_addresses == 1 else None


def _reported(job: Job) -> Attributes:
    try:
        return Attributes() if job.packet is None else Packet.parse(job.packet).attributes
    except DecodeError:
        return Attributes()


def _disbelief(silence: Silence) -> str:
    """Return why answers that came were not believed; "" if none came."""
    return next((reason.value for reason in silence.dropped if reason is not DropReason.UNEXPECTED), "")
