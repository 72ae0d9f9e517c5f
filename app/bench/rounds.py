"""All of it together: write the requests, drive them, judge the answers, round by round.

Each round's requests are new: an answer from a server's memory of an earlier one would measure that memory.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from app.bench import processes
from app.bench.judging import Demands, Judged, Tally, judge
from app.bench.kinds import Kind, Method
from app.bench.lanes import IDENTIFIERS, Lane
from app.bench.loop import Follow, Loop, Pace, Stretch
from app.bench.people import People, Person
from app.bench.sessions import Echoes, Sessions, mark_of, meaning
from app.bench.summary import Round, Used, figures
from app.bench.summary import Sessions as Known
from app.bench.writing import LONGEST_ECHO, Steps, Writer, octets_after, session_names
from radius.codes import Code, StatusType

_WARM_UP_REQUESTS: Final = 8_000
_WARM_UP_SECONDS: Final = 1.0
_SPARE: Final = 1.4  # requests are prepared for a server that gets so much quicker from one round to the next
_PACKET_ROOM: Final = 20 + 10 + LONGEST_ECHO  # beyond a report's own attributes
_TELL_EVERY: Final = 2_000


class BenchError(Exception):
    """A measurement that cannot be made: what happened, and what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. A round lasts `seconds`, or until `requests` are answered where that is given.

    `sources` are the addresses that the sockets send from, one socket each for Access- and Accounting-Requests.
    """

    kind: Kind
    host: str
    auth_port: int
    acct_port: int
    demands: Demands
    people: People
    sources: Sequence[str]
    pace: Pace
    seconds: float | None
    requests: int | None = None
    method: Method = Method.PAP
    wrong_percent: float = 0.0
    steps: Steps = field(default_factory=Steps)
    log_in: bool = True
    settle_seconds: float = 0.0
    identifier: str = "bench"
    pids: Sequence[int] = ()
    seed: int = 1


Progress = Callable[[str, float, float], None]  # what is done, how far, of how much


@dataclass(frozen=True, slots=True)
class _Request:
    packet: bytes
    expected: Code
    mark: int


class Bench:
    """Measures a plan. `faults` are all that was wrong, `asked` all that was sent, log-ins and warming up included."""

    def __init__(self, plan: Plan, tell: Progress = lambda _what, _done, _whole: None) -> None:
        self.faults = 0
        self.asked = 0
        self._plan = plan
        self._tell = tell
        self._random = Random(plan.seed)  # noqa: S311  # who logs in when is no secret
        self._session = session_names(os.urandom)
        self._sessions = 0
        self._rate = 0.0  # requests a second that the server has been seen to answer

    def warm_up(self) -> None:
        """See how fast the server is, so that a round's requests can be written before it begins."""
        if self._plan.seconds is not None and self._plan.pace.rate is None:
            self._note(self._measure(_WARM_UP_REQUESTS, _WARM_UP_SECONDS))

    def round(self) -> Round:
        """Measure once."""
        plan = self._plan
        if plan.requests is not None:
            count = plan.requests
        else:
            assert plan.seconds is not None
            count = int(plan.seconds * (plan.pace.rate or self._rate * _SPARE)) + 2 * plan.pace.window
        measured = self._measure(count, plan.seconds if plan.requests is None else None)
        self._note(measured)
        return measured

    def _note(self, measured: Round) -> None:
        self.faults += measured.counts.faults
        self.asked += measured.counts.sent
        self._rate = max(self._rate, measured.per_second)

    def _measure(self, count: int, seconds: float | None) -> Round:
        match self._plan.kind:
            case Kind.AUTH:
                return self._requests(self._access_requests(count), seconds)
            case Kind.ACCT:
                return self._requests(self._accounting_requests(count), seconds)
            case Kind.MIXED | Kind.STORM:
                return self._whole_sessions(count, seconds)

    # Requests that are all known before

    def _requests(self, written: list[list[_Request]], seconds: float | None) -> Round:
        accounting = self._plan.kind is Kind.ACCT
        with self._lanes(written, self._plan.acct_port if accounting else self._plan.auth_port) as lanes:
            driven = self._drive(lanes, seconds, self._plan.pace)
            judged = self._judge(lanes)
        known = self._known(mark for one in judged for mark in one.acknowledged) if accounting else None
        return driven.figures({self._plan.kind.value: _sum(judged)}, known)

    def _access_requests(self, count: int) -> list[list[_Request]]:
        """Write so many log-ins, spread over the sockets, of people drawn at random."""
        plan = self._plan
        writers = self._writers()
        written: list[list[_Request]] = [[] for _ in writers]
        wrong = plan.wrong_percent / 100
        for number in self._counted(count):
            place = number % len(writers)
            person = plan.people[self._random.randrange(len(plan.people))]
            expected = Code.ACCESS_ACCEPT
            if wrong and self._random.random() < wrong:
                person = Person(person.name, person.password[:64] + b"-wrong", person.mac)
                expected = Code.ACCESS_REJECT
            own = written[place]
            packet = writers[place].access(len(own), person, self._new_session(), os.urandom(16), plan.method)
            own.append(_Request(packet, expected, number))
        return written

    def _accounting_requests(self, count: int) -> list[list[_Request]]:
        """Write the reports of sessions, 256 on a socket side by side.

        So each report has the Identifier of the one before it in its session, and cannot overtake it.
        """
        plan = self._plan
        writers = self._writers()
        at_once = IDENTIFIERS * len(writers)
        sessions = -(-count // (at_once * len(plan.steps))) * at_once
        people, names = self._drawn(sessions), [self._new_session() for _ in range(sessions)]
        echoes = self._log_in(people, names) if plan.log_in else {}
        written: list[list[_Request]] = [[] for _ in writers]
        for block in self._counted(sessions // at_once):
            for place, writer in enumerate(writers):
                begin = block * at_once + place * IDENTIFIERS
                reports = [writer.reports(people[n], names[n], plan.steps) for n in range(begin, begin + IDENTIFIERS)]
                own = written[place]
                for step in range(len(plan.steps)):
                    for within, of_session in enumerate(reports):
                        session = begin + within
                        packet = writer.accounting(len(own), of_session[step], echoes.get(session, b""))
                        own.append(_Request(packet, Code.ACCOUNTING_RESPONSE, mark_of(session, step)))
        return written

    def _log_in(self, people: Sequence[Person], names: Sequence[bytes]) -> dict[int, bytes]:
        """Let everybody in whose sessions are to be reported, and return what each Accept says to be echoed."""
        plan = self._plan
        writers = self._writers()
        written: list[list[_Request]] = [[] for _ in writers]
        for session, (person, name) in enumerate(zip(people, names, strict=True)):
            # The router that reports a session is the one that has let it in.
            place = session // IDENTIFIERS % len(writers)
            own = written[place]
            packet = writers[place].access(len(own), person, name, os.urandom(16), plan.method)
            own.append(_Request(packet, Code.ACCESS_ACCEPT, session))
        echoes = Echoes()
        self._tell("logging in", 0, 1)
        with self._lanes(written, plan.auth_port) as lanes:
            Loop(lanes, _closed(plan.pace), clock=time.monotonic, follow=echoes).run(None)
            tally = _sum(self._judge(lanes))
        self.asked += tally.sent
        if tally.right != len(people):
            raise BenchError(
                f"{len(people) - tally.right} of {len(people)} log-ins before the accounting failed",
                "do the users and passwords exist there? `pesisir bench radius auth` says more",
            )
        time.sleep(plan.settle_seconds)
        return echoes.of

    # Requests that follow from answers

    def _whole_sessions(self, count: int, seconds: float | None) -> Round:
        plan = self._plan
        writers = self._writers()
        sessions = count if plan.kind is Kind.STORM else -(-count // (1 + len(plan.steps)))
        people = self._drawn(sessions)
        written: list[list[_Request]] = [[] for _ in writers]
        reports = []
        for session in self._counted(sessions):
            place = session % len(writers)
            name, own = self._new_session(), written[place]
            packet = writers[place].access(len(own), people[session], name, os.urandom(16), plan.method)
            own.append(_Request(packet, Code.ACCESS_ACCEPT, session))
            reports.append(writers[place].reports(people[session], name, plan.steps))
        with self._lanes(written, plan.auth_port) as lanes, self._rooms(reports) as rooms:
            pairs = list(zip(lanes, rooms, strict=True))
            pace = _of_log_ins(plan.pace, 1 + len(plan.steps))
            driven = self._drive(lanes, seconds, pace, following=rooms, follow=Sessions(pairs, writers, reports))
            access, accounting = self._judge(lanes), self._judge(rooms)
        known = self._known(mark for one in accounting for mark in one.acknowledged)
        return driven.figures({"access": _sum(access), "accounting": _sum(accounting)}, known)

    @contextmanager
    def _rooms(self, reports: Sequence[Sequence[bytes]]) -> Iterator[list[Lane]]:
        """Open a lane for Accounting beside each one for Access-Requests, with room for its sessions' reports."""
        sources = self._plan.sources
        octets = [0] * len(sources)
        rooms = [0] * len(sources)
        for session, of_session in enumerate(reports):
            octets[session % len(sources)] += sum(len(report) + _PACKET_ROOM for report in of_session)
            rooms[session % len(sources)] += len(of_session)
        with self._open(self._plan.acct_port, rooms, octets) as lanes:
            yield lanes

    # What all kinds have in common

    def _drive(
        self,
        lanes: Sequence[Lane],
        seconds: float | None,
        pace: Pace,
        following: Sequence[Lane] = (),
        follow: Follow | None = None,
    ) -> "_Driven":
        plan = self._plan
        edges: list[tuple[float, float]] = []
        loop = Loop(
            [*lanes, *following],
            pace,
            clock=time.monotonic,
            starting=len(lanes),
            follow=follow,
            tell=lambda done: self._tell("measuring", done, seconds or done),
            edge=lambda: edges.append((processes.cpu_seconds(plan.pids), time.process_time())),
        )
        self._tell("measuring", 0, seconds or 1)
        began_at = time.time()
        stretch = loop.run(seconds)
        (server, own), (server_then, own_then) = edges
        asked = bool(plan.pids)
        memory = processes.resident_octets(plan.pids) if asked else None
        return _Driven(
            began_at, stretch, Used(server_then - server if asked else None, own_then - own, memory), loop.resent
        )

    def _judge(self, lanes: Sequence[Lane]) -> list[Judged]:
        judged = []
        for done, lane in enumerate(lanes):
            self._tell("verifying", done, len(lanes))
            judged.append(judge(lane, self._plan.demands))
        return judged

    @contextmanager
    def _lanes(self, written: Sequence[Sequence[_Request]], port: int) -> Iterator[list[Lane]]:
        octets = [sum(len(request.packet) for request in own) for own in written]
        with self._open(port, [len(own) for own in written], octets) as lanes:
            for lane, own in zip(lanes, written, strict=True):
                for request in own:
                    lane.put(request.packet, expected=request.expected, mark=request.mark)
            yield lanes

    @contextmanager
    def _open(self, port: int, rooms: Sequence[int], octets: Sequence[int]) -> Iterator[list[Lane]]:
        lanes: list[Lane] = []
        try:
            for source, room, size in zip(self._plan.sources, rooms, octets, strict=True):
                lanes.append(Lane((self._plan.host, port), source, room=room, octets=size))
            yield lanes
        finally:
            for lane in lanes:
                lane.close()

    def _writers(self) -> list[Writer]:
        plan = self._plan
        began = int(time.time()) - len(plan.steps)  # so that no report is of the future
        proxy_state = plan.demands.proxy_state
        return [
            Writer(plan.demands.secret, source, plan.identifier, began=began, proxy_state=proxy_state)
            for source in plan.sources
        ]

    def _drawn(self, count: int) -> list[Person]:
        """Draw people so that nobody comes again before everybody has come."""
        people = self._plan.people
        drawn: list[Person] = []
        while len(drawn) < count:
            turn = range(len(people))
            drawn += [people[n] for n in self._random.sample(turn, min(len(people), count - len(drawn)))]
        return drawn

    def _new_session(self) -> bytes:
        self._sessions += 1
        return self._session(self._sessions)

    def _counted(self, count: int) -> Iterator[int]:
        for number in range(count):
            if number % _TELL_EVERY == 0:
                self._tell("writing requests", number, count)
            yield number

    def _known(self, marks: Iterator[int]) -> Known:
        steps = self._plan.steps
        last: dict[int, int] = {}
        for mark in marks:
            session, step = meaning(mark)
            last[session] = max(step, last.get(session, 0))
        octets = [octets_after(step) for step in last.values()]
        return Known(
            started=len(last),
            stopped=sum(steps.status(step) is StatusType.STOP for step in last.values()),
            up_octets=sum(up for up, _ in octets),
            down_octets=sum(down for _, down in octets),
        )


@dataclass(frozen=True, slots=True)
class _Driven:
    began_at: float
    stretch: Stretch
    used: Used
    resent: int

    def figures(self, tallies: dict[str, Tally], known: Known | None) -> Round:
        return figures(tallies, self.stretch, self.used, began_at=self.began_at, resent=self.resent, sessions=known)


def _of_log_ins(pace: Pace, requests: int) -> Pace:
    """Return the pace of log-ins where each leads to so many requests, itself included: a rate is that of all."""
    return pace if pace.rate is None else replace(pace, rate=pace.rate / requests)


def _closed(pace: Pace) -> Pace:
    return Pace(pace.window, None, pace.resend_seconds, pace.attempts)


def _sum(judged: Sequence[Judged]) -> Tally:
    whole = Tally()
    for one in judged:
        whole.add(one.tally)
    return whole
