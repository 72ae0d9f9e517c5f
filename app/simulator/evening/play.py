"""One evening in one way of sharing: short steps, and between them what people, routers and the governor do."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from app.domain.governed import Decided, Reading, State
from app.domain.service_classes import ServiceClass
from app.simulator.evening.accounting import KNOWN_AFTER_SECONDS, REPORT_SECONDS, ROUND_SECONDS, Observer
from app.simulator.evening.fluid import Ask, spread
from app.simulator.evening.measures import Evening, Minute, Page, jain
from app.simulator.evening.people import PAGED, Kind, Person, people_of
from app.simulator.evening.scene import Scene, Way

STEP_SECONDS: Final = 0.25
_MINUTE: Final = 60.0
_WAITED_SECONDS: Final = 5.0  # who waited less of a minute is not asked how fair it was
_ENOUGH: Final = 1 - 1e-6
_NOTHING: Final = 1.0  # bits: what is left of rounding


def play(
    scene: Scene,
    way: Way,
    *,
    progress: Callable[[float], None] = lambda _: None,
    rounds: Callable[[Decided, State], None] = lambda _decided, _state: None,
) -> Evening:
    """Play an evening.

    `progress` hears after each minute how many seconds are over, `rounds` what the governor decided and remembers.
    """
    return _Play(scene, way, rounds).run(progress)


class _Play:
    def __init__(self, scene: Scene, way: Way, rounds: Callable[[Decided, State], None]) -> None:
        self._scene, self._way, self._rounds = scene, way, rounds
        self._people = people_of(scene)
        self._observer = Observer(scene.line(), Random(f"{scene.seed}/changes"))  # noqa: S311 a game
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()
        self._active: dict[int, Person] = {}
        self._sessions: dict[str, Person] = {}
        self._site_bits = {
            site: (scene.capacity_bps if bps is None else bps) * STEP_SECONDS
            for site, bps in scene.line().sites.items()
        }
        self._site_lines = dict(self._site_bits)
        self._floor_bits = scene.office_floor_bps * STEP_SECONDS if way.queued else 0.0
        self._pages: list[Page] = []
        self._minutes: list[Minute] = []
        self._bits = dict.fromkeys(Kind, 0.0)

    def run(self, progress: Callable[[float], None]) -> Evening:
        for person in self._people:
            self._at(person.next_visit(0.0), self._arrives(person))
        if self._way.governed:
            self._at(ROUND_SECONDS, self._round)
        steps, each = round(self._scene.seconds / STEP_SECONDS), round(_MINUTE / STEP_SECONDS)
        for step in range(steps):
            now = step * STEP_SECONDS
            while self._due and self._due[0][0] < now + STEP_SECONDS:
                at, _, act = heappop(self._due)
                act(max(at, now))
            if self._active:
                self._flow(now)
            if (step + 1) % each == 0:
                self._close_minute()
                progress(now + STEP_SECONDS)
        return self._evening()

    def _at(self, when: float, act: Callable[[float], None]) -> None:
        heappush(self._due, (when, next(self._numbers), act))

    # ---- the line

    def _flow(self, now: float) -> None:
        """Let the line carry one step of what is wanted."""
        people = list(self._active.values())
        queued, end = self._way.queued, now + STEP_SECONDS
        asks = []
        for person in people:
            seconds = STEP_SECONDS if person.began_at <= now else end - person.began_at
            bits = min(person.bits_left, min(person.plan_bps, person.ceiling_bps) * seconds)
            asks.append(
                Ask(bits, 1.0 if queued else person.flows, person.site, person.service_class == ServiceClass.OFFICE)
            )
        got, level = spread(self._scene.capacity_bps * STEP_SECONDS, asks, self._site_bits, self._floor_bits)
        for person, ask, bits in zip(people, asks, got, strict=True):
            self._bits[person.kind] += bits
            person.octets += bits / 8
            could = min(person.bits_left, person.plan_bps * STEP_SECONDS)
            person.bits_left -= bits
            if bits < could * _ENOUGH:
                person.waited_bits += bits
                person.waited_seconds += STEP_SECONDS
            if person.bits_left <= _NOTHING:
                fastest = min(person.plan_bps, person.ceiling_bps, level * ask.weight / STEP_SECONDS)
                self._complete(person, min(end, max(now, person.began_at) + bits / fastest))

    def _complete(self, person: Person, at: float) -> None:
        del self._active[person.number]
        took = max(at - person.began_at, STEP_SECONDS / 100)
        if person.kind in PAGED:
            self._pages.append(Page(person.began_at, took, person.kind))
        self._plan_wish(person, at, person.wish_bits / took)

    # ---- people

    def _arrives(self, person: Person) -> Callable[[float], None]:
        def act(now: float) -> None:
            person.online, person.octets, person.ceiling_bps = True, 0.0, float("inf")
            self._sessions[person.session] = person
            self._at(now, self._reports(person, person.visit))
            self._plan_wish(person, now, None)

        return act

    def _plan_wish(self, person: Person, now: float, rate_bps: float | None) -> None:
        """Let somebody want the next thing, or leave before it."""
        at, bits = person.next_wish(now, rate_bps)
        if at >= person.leaves_at:
            self._at(max(now, person.leaves_at), self._leaves(person))
            return

        def act(now: float) -> None:
            person.began_at, person.bits_left, person.wish_bits = now, bits, bits
            self._active[person.number] = person
            if person.kind is Kind.DOWNLOAD:
                self._at(person.leaves_at, self._breaks_off(person, person.visit))

        self._at(at, act)

    def _breaks_off(self, person: Person, visit: int) -> Callable[[float], None]:
        def act(now: float) -> None:
            if person.online and person.visit == visit:
                self._active.pop(person.number, None)
                self._leaves(person)(now)

        return act

    def _leaves(self, person: Person) -> Callable[[float], None]:
        def act(now: float) -> None:
            person.online = False
            self._sessions.pop(person.session, None)
            self._observer.forget(person.session)
            self._at(person.next_visit(now), self._arrives(person))

        return act

    # ---- routers and the governor

    def _reports(self, person: Person, visit: int) -> Callable[[float], None]:
        def act(now: float) -> None:
            if not person.online or person.visit != visit:
                return
            reading = self._observer.report(person, now)
            self._at(now + KNOWN_AFTER_SECONDS, self._known(reading))
            self._at(now + REPORT_SECONDS, act)

        return act

    def _known(self, reading: Reading) -> Callable[[float], None]:
        def act(_now: float) -> None:
            if reading.session_id in self._sessions:
                self._observer.hear(reading)

        return act

    def _round(self, now: float) -> None:
        decided = self._observer.round(now)
        self._rounds(decided, self._observer.state)
        self._tell(decided, now)
        self._at(now + ROUND_SECONDS, self._round)

    def _tell(self, decided: Decided, now: float) -> None:
        """Send what was decided; it arrives when it does."""
        for change in decided.ceilings:
            self._at(now + self._observer.delay(), self._limits(change.session_id, change.down_bps))
        for site in decided.sites:
            self._at(now + self._observer.delay(), self._holds(site.site_id, site.down_bps))
        if self._way.queued:
            for floor in decided.floors:
                if floor.service_class == ServiceClass.OFFICE:
                    self._floor_bits = floor.floor_bps * STEP_SECONDS

    def _limits(self, session: str, bps: int | None) -> Callable[[float], None]:
        def act(_now: float) -> None:
            if session in self._sessions:
                self._sessions[session].ceiling_bps = float("inf") if bps is None else float(bps)

        return act

    def _holds(self, site: str, bps: int | None) -> Callable[[float], None]:
        def act(_now: float) -> None:
            own = self._site_lines[site]
            self._site_bits[site] = own if bps is None else min(own, bps * STEP_SECONDS)

        return act

    # ---- measures

    def _close_minute(self) -> None:
        rates = [
            person.waited_bits / person.waited_seconds
            for person in self._people
            if person.waited_seconds >= _WAITED_SECONDS
        ]
        for person in self._people:
            person.waited_bits = person.waited_seconds = 0.0
        pressure = self._observer.state.pressures.get(None)
        self._minutes.append(
            Minute(
                self._bits,
                sum(person.online for person in self._people),
                sum(one.ceiling_bps is not None for one in self._observer.state.watched.values()),
                None if pressure is None else pressure.level_bps,
                jain(rates) if len(rates) > 1 else None,
                len(rates),
            )
        )
        self._bits = dict.fromkeys(Kind, 0.0)

    def _evening(self) -> Evening:
        end = self._scene.seconds
        unfinished = [
            Page(person.began_at, end - person.began_at, person.kind)
            for person in self._active.values()
            if person.kind in PAGED and person.began_at < end
        ]
        films = [person.film for person in self._people if person.kind is Kind.VIDEO]
        played = sum(film.played_seconds for film in films)
        still = sum(film.still_seconds for film in films)
        return Evening(
            way=self._way,
            capacity_bps=self._scene.capacity_bps,
            pages=[*self._pages, *unfinished],
            minutes=self._minutes,
            changes=self._observer.changes,
            video_bps=sum(film.fetched_bits for film in films) / played if played else 0.0,
            video_still=still / (played + still) if played + still else 0.0,
        )
