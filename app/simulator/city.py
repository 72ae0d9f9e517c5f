"""Islands and residents together: people come, use, and go; the power goes and comes. Deterministic by its seed."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from app.simulator.browser import Browser
from app.simulator.evening.fluid import Ask, fill
from app.simulator.island import Island
from app.simulator.phones import come_online
from app.simulator.residents import READING, Habit, Pass, Resident
from app.simulator.router import Clock, Router
from app.simulator.sessions import Cause, Session
from app.simulator.storm import StormReport, reconnect

TICK_SECONDS: Final = 1.0
_PATIENCE_OCTETS: Final = 8_000_000  # what is still wanted of what the line could not bring at once
_ALWAYS_POWERED: Final = "diskominfo"  # the office stands in the town, where the power stays on


class EventKind(StrEnum):
    """What can be told about the city."""

    LOGGED_IN = "logged_in"
    RESUMED = "resumed"
    TURNED_AWAY = "turned_away"
    LEFT = "left"
    CHANGED = "changed"  # the server has given an open session other limits
    CUT = "cut"  # by a limit or by the server
    POWER_CUT = "power_cut"
    POWER_BACK = "power_back"
    ALL_BACK = "all_back"
    VISITOR = "visitor"  # a phone that is nobody's here: yours


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: where, to whom ("" if to nobody), and what goes with its kind.

    `session` is there where one began or ended, `said` is what the screen said, `report` belongs to ALL_BACK.
    """

    kind: EventKind
    place: str = ""
    who: str = ""
    how: str = ""
    said: str = ""
    session: Session | None = None
    report: StormReport | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast life goes, in seconds: when the last of them arrives, how long they stay, how long they are away."""

    arrive_within: float = 25.0
    stay: tuple[float, float] = (90.0, 400.0)
    away: tuple[float, float] = (20.0, 90.0)
    log_out: float = 0.2  # the share that logs out; the others just walk away


class City:
    """All that lives. `tell` is called with every event; what comes down shares a line of `line_bps` alike."""

    def __init__(
        self,
        islands: Mapping[str, Island],
        people: Sequence[tuple[Resident, Pass]],
        *,
        clock: Clock,
        seed: int,
        tell: Callable[[Event], None],
        pace: Pace | None = None,
        line_bps: float = math.inf,
    ) -> None:
        self.islands = islands
        self._clock = clock
        self._tell = tell
        self._pace = pace or Pace()
        self._line_bps = line_bps
        self._chance = Random(seed)  # noqa: S311 behaviour, no secret
        self._lives = [
            _Life(resident, held, islands[resident.place].phone(number), Random(f"{seed}/{resident.name}"))  # noqa: S311 the same
            for number, (resident, held) in enumerate(people, start=1)
        ]
        self._by_mac = {life.phone.mac: life for life in self._lives}
        self._switch = asyncio.Lock()

    async def live(self) -> None:
        """Run until cancelled."""
        for island in self.islands.values():
            island.router.on_begin = self._begun(island)
            island.router.on_change = self._changed(island)
            island.router.on_end = self._ended(island)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick_for_ever())
            for life in self._lives:
                group.create_task(self._live(life))

    # Power

    @property
    def dark(self) -> bool:
        """Tell whether the islands are without power."""
        return not all(island.power.is_set() for island in self.islands.values())

    async def switch_power(self) -> None:
        """Cut the islands' power; or, where it is cut, let it come back and tell when everybody is online again."""
        async with self._switch:
            if self.dark:
                await self._power_back()
            else:
                self._power_cut()

    def _power_cut(self) -> None:
        for name, island in self.islands.items():
            if name != _ALWAYS_POWERED:
                self._remember_online(island)
                island.cut_power()
        self._tell(Event(EventKind.POWER_CUT))

    async def _power_back(self) -> None:
        self._tell(Event(EventKind.POWER_BACK))
        for island in self.islands.values():
            if not island.power.is_set():
                await island.boot()
        waiting = [life for life in self._lives if life.was_online]
        report = await reconnect([life.phone for life in waiting], clock=self._clock)
        for life in waiting:
            life.was_online = False
        self._tell(Event(EventKind.ALL_BACK, report=report))

    def _remember_online(self, island: Island) -> None:
        for mac in island.router.sessions:
            life = self._by_mac.get(mac)
            if life is not None and not life.away:
                life.was_online = True

    # Life

    async def _tick_for_ever(self) -> None:
        before = self._clock()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._clock()
            self.tick(now - before)
            before = now

    def tick(self, seconds: float) -> None:
        """Let everybody online use what they want of the last `seconds`, and every router look at its clocks."""
        wants = [want for island in self.islands.values() for want in self._wants(island.router, seconds)]
        brought, _ = fill(self._line_bps * seconds, [Ask(8.0 * want.down, 1.0, "") for want in wants])
        for want, bits in zip(wants, brought, strict=True):
            down = int(bits / 8)
            want.router.carry(want.mac, up_octets=want.up, down_octets=down, seconds=seconds)
            life = self._by_mac.get(want.mac)
            if life is not None:
                life.unmet = min(want.down - down, _PATIENCE_OCTETS)
        for island in self.islands.values():
            island.router.tick()

    def _wants(self, router: Router, seconds: float) -> Iterable["_Want"]:
        for mac, session in router.sessions.items():
            life = self._by_mac.get(mac)
            habit, chance = (READING, self._chance) if life is None else (life.habit, life.chance)
            up, down = (0, 0) if life is not None and life.away else habit.demand(seconds, chance)
            rate = session.limits.down_bps
            most = down if rate is None else int(rate * seconds / 8)
            yield _Want(router, mac, up, min(down if life is None else down + life.unmet, most))

    async def _live(self, life: "_Life") -> None:
        await asyncio.sleep(life.chance.uniform(0, self._pace.arrive_within))
        while True:
            await life.island_power(self.islands).wait()
            if await self._arrive(life):
                await self._stay(life)
            await asyncio.sleep(life.chance.uniform(*self._pace.away))
            life.away = False

    async def _arrive(self, life: "_Life") -> bool:
        arrival = await come_online(life.phone, life.resident.way, life.held)
        kind = EventKind.TURNED_AWAY
        if arrival.online:
            kind = EventKind.RESUMED if arrival.resumed else EventKind.LOGGED_IN
        self._tell(self._event(kind, life, said=arrival.said, how=life.resident.way.name.lower()))
        return arrival.online

    async def _stay(self, life: "_Life") -> None:
        """Stay a while; a power cut is waited out, a session that was ended is the end of the stay."""
        router = life.phone.hotspot.router
        leave_at = self._clock() + life.chance.uniform(*self._pace.stay)
        while self._clock() < leave_at:
            await asyncio.sleep(TICK_SECONDS)
            await life.island_power(self.islands).wait()
            if life.phone.mac not in router.sessions and not life.was_online:
                return
        if life.chance.random() < self._pace.log_out:
            router.log_out(life.phone.mac, Cause.USER_REQUEST)
            return
        life.away = True
        router.lose(life.phone.ip)

    def _begun(self, island: Island) -> Callable[[Session], None]:
        def told(session: Session) -> None:
            if session.mac not in self._by_mac:
                self._tell(Event(EventKind.VISITOR, island.name, session.mac, session=session))

        return told

    def _changed(self, island: Island) -> Callable[[Session], None]:
        def told(session: Session) -> None:
            self._tell(Event(EventKind.CHANGED, island.name, self._name(session), session=session))

        return told

    def _ended(self, island: Island) -> Callable[[Session, Cause], None]:
        def told(session: Session, cause: Cause) -> None:
            kind = EventKind.LEFT if cause is Cause.USER_REQUEST else EventKind.CUT
            self._tell(Event(kind, island.name, self._name(session), how=cause.value, session=session))

        return told

    def _name(self, session: Session) -> str:
        life = self._by_mac.get(session.mac)
        return session.mac if life is None else life.resident.name

    def _event(self, kind: EventKind, life: "_Life", *, how: str, said: str) -> Event:
        session = life.phone.hotspot.router.sessions.get(life.phone.mac)
        return Event(kind, life.resident.place, life.resident.name, how=how, said=said, session=session)


class _Want(NamedTuple):
    """What one phone would send and get in this step, in octets, as far as its rate lets it."""

    router: Router
    mac: str
    up: int
    down: int


@dataclass(slots=True)
class _Life:
    """One resident as they are now."""

    resident: Resident
    held: Pass
    phone: Browser
    chance: Random
    unmet: int = 0  # octets that the line did not bring in time
    was_online: bool = False  # when the power went
    away: bool = False  # out of reach, though the router may not have noticed

    @property
    def habit(self) -> Habit:
        return self.resident.habit

    def island_power(self, islands: Mapping[str, Island]) -> asyncio.Event:
        return islands[self.resident.place].power
