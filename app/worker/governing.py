"""The governor at work: every half minute it looks at each uplink, decides, and makes it so. One worker does it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog

from app.db import nases
from app.db.engine import Database
from app.db.errors import AWAY
from app.db.governing import Round
from app.domain.governed import Cause, CeilingChange, Decided, State
from app.domain.governor import decide, resumed
from app.domain.uplinks import GovernorMode
from app.nas.dispatch import steers_rates
from app.services import governing
from app.services.errors import Conflict
from app.services.governing import Device, Governed, Wanted
from app.services.governing_words import Words
from app.services.governor_moves import moves_of
from app.services.uplinks import move_shares
from radius.vendors import profile_for

if TYPE_CHECKING:
    from app.db.governor_moves import GovernorMove

ROUND_SECONDS: Final = 30.0
_HOLDER_OCTETS: Final = 8

log = structlog.get_logger("governor")


class Counters:
    """What the governor has done since the start."""

    def __init__(self) -> None:
        self.rounds = 0
        self.failures = 0
        self.set = 0
        self.lifted = 0


class Governing:
    """Governs while it is the one worker that does; begins anew from what is stored when it becomes that.

    Whoever makes one holds the lock of its node's journal, so an earlier holder of that node is gone: the first round
    takes its lease over. Only the first: of two machines with a copied node id one governs, and neither takes turns.
    """

    def __init__(
        self,
        database: Database,
        *,
        node: str,
        zone: ZoneInfo,
        language: str,
        now: Callable[[], datetime],
        chance: Callable[[int], bytes],
    ) -> None:
        self.counters = Counters()
        self._database, self._zone, self._now, self._chance = database, zone, now, chance
        self._words = Words(language)
        self._holder = f"{node}/{chance(_HOLDER_OCTETS).hex()}"
        self._heir_of = f"{node}/"
        self._states: dict[tuple[str, GovernorMode], State] = {}
        self._reasons: dict[Device, str] = {}

    def turn(self) -> None:
        """Do one round; raise what the database raises when it is away."""
        try:
            self._round(self._now())
        except AWAY:
            raise
        except Exception:  # what goes wrong here must not stop the merging of journals
            self.counters.failures += 1
            log.exception("governor_failed")

    def _round(self, now: datetime) -> None:
        if not governing.wanted_at_all(self._database, now=now):
            self._states.clear()
            return
        leads = governing.lead(self._database, self._holder, now=now, heir_of=self._heir_of)
        self._heir_of = ""
        if not leads:
            self._states.clear()
            return
        states: dict[tuple[str, GovernorMode], State] = {}
        wanted: dict[Device, Wanted] = {}
        rounds: list[Round] = []
        unknown: list[str] = []
        moves: list[GovernorMove] = []
        for seen in governing.look(self._database, self._steerable(), zone=self._zone, now=now):
            key = (seen.uplink.id, seen.uplink.governor)
            before = self._states.get(key) or _begun(seen)
            state, decided = decide(seen.line, before, seen.readings, now=now)
            states[key] = state
            moves += moves_of(seen, before, decided, self._words, now=now)
            if decided.known:
                rounds.append(_round_of(seen, state, decided, now))
            else:
                unknown.append(seen.uplink.id)
            self._tell(seen, decided)
            if seen.uplink.governor is GovernorMode.ON:
                wanted |= self._wanted(seen, state, decided)
                self._move(seen, decided)
        done = governing.settle(self._database, wanted, now=now, chance=self._chance)
        governing.keep_rounds(self._database, rounds, unknown, moves)
        for name in governing.give_back_shares(self._database):
            log.info("shares_given_back", uplink=name)
        self._states = states
        self._reasons = {device: one.reason for device, one in wanted.items()}
        self.counters.rounds += 1
        self.counters.set += done.set
        self.counters.lifted += done.lifted

    def _steerable(self) -> set[str]:
        with self._database.read() as connection:
            return {nas.id for nas in nases.read_all(connection) if steers_rates(profile_for(nas.family.value))}

    def _wanted(self, seen: Governed, state: State, decided: Decided) -> dict[Device, Wanted]:
        """Return every ceiling that should be now; of a device with several sessions the lowest."""
        reasons = {change.session_id: self._words.why(change, seen.site_names) for change in decided.ceilings}
        wanted: dict[Device, Wanted] = {}
        for session, watched in state.watched.items():
            device = seen.devices.get(session)
            if device is None or watched.ceiling_bps is None:
                continue
            before = wanted.get(device)
            if before is None or watched.ceiling_bps < before.down_bps:
                reason = reasons.get(session) or self._reasons.get(device, self._words.stored)
                wanted[device] = Wanted(watched.ceiling_bps, reason)
        return wanted

    def _move(self, seen: Governed, decided: Decided) -> None:
        """Move floors and sites' ceilings; an admin who has promised more meanwhile comes first."""
        if not (decided.floors or decided.sites):
            return
        try:
            move_shares(
                self._database,
                seen.uplink.name,
                floors={one.service_class: one.floor_bps for one in decided.floors},
                site_ceilings={one.site_id: one.down_bps for one in decided.sites},
            )
        except Conflict as refused:
            log.warning("shares_not_moved", uplink=seen.uplink.name, why=refused.problem)

    def _tell(self, seen: Governed, decided: Decided) -> None:
        """Log what was decided, in words; `observed` is what would have been done."""
        observed = seen.uplink.governor is GovernorMode.OBSERVE
        for change in decided.ceilings:
            log.info(
                _event(change),
                uplink=seen.uplink.name,
                session=change.session_id,
                nas=change.nas_id,
                down_bps=change.down_bps,
                why=self._words.why(change, seen.site_names),
                observed=observed,
            )
        for site in decided.sites:
            name = seen.site_names.get(site.site_id, site.site_id)
            log.info("site_held", uplink=seen.uplink.name, site=name, down_bps=site.down_bps, observed=observed)
        for floor in decided.floors:
            log.info(
                "floor_moved",
                uplink=seen.uplink.name,
                service_class=floor.service_class.value,
                floor_bps=floor.floor_bps,
                observed=observed,
            )


def _begun(seen: Governed) -> State:
    """Return the state from which to go on with what is stored; one that only observes begins with nothing."""
    if seen.uplink.governor is GovernorMode.OBSERVE:
        return State()
    held: Mapping[str, int] = seen.held
    return resumed(seen.readings, held, seen.shares.site_ceilings, seen.shares.floors)


def _round_of(seen: Governed, state: State, decided: Decided, now: datetime) -> Round:
    line = decided.places[None]
    level = state.pressures[None].level_bps
    return Round(seen.uplink.id, now, len(seen.readings), line.load_bps, line.others, level, decided.postponed)


def _event(change: CeilingChange) -> str:
    if change.down_bps is None:
        return "ceiling_lifted"
    return "ceiling_lowered" if change.cause is Cause.WAITING else "ceiling_raised"
