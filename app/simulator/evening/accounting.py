"""What the governor sees of an evening, and when its changes arrive.

Each router reports a session's octets once a minute from its log-in on; the report is known two seconds later. A change
takes half a second to five, and one of fifty is lost on the way and sent again.
"""

from random import Random
from typing import Final

from app.domain.governed import Decided, Line, Reading, State
from app.domain.governor import decide
from app.simulator.evening.people import Person
from app.simulator.evening.scene import moment

REPORT_SECONDS: Final = 60.0
KNOWN_AFTER_SECONDS: Final = 2.0
ROUND_SECONDS: Final = 30.0
_ACCOUNTED: Final = 0.985  # of what the line carries: frames have heads, and not all of it belongs to a session
_LOST: Final = 0.02
_AGAIN_SECONDS: Final = 15.0


class Observer:
    """The governor behind a minute of accounting: the product's own rule, told only what reports say."""

    def __init__(self, line: Line, chance: Random) -> None:
        self._line, self._chance = line, chance
        self._known: dict[str, Reading] = {}
        self.state = State()
        self.changes = 0

    def report(self, person: Person, now: float) -> Reading:
        """Return what the router says of a session now."""
        return Reading(
            person.session,
            f"nas-{person.site}",
            person.site,
            person.service_class,
            int(_ACCOUNTED * person.octets),
            moment(now),
            int(person.plan_bps),
        )

    def hear(self, reading: Reading) -> None:
        """Learn of a report."""
        self._known[reading.session_id] = reading

    def forget(self, session: str) -> None:
        """Learn that a session has ended."""
        self._known.pop(session, None)

    def round(self, now: float) -> Decided:
        """Decide once more."""
        self.state, decided = decide(self._line, self.state, self._known.values(), now=moment(now))
        self.changes += len(decided.ceilings) + len(decided.sites) + len(decided.floors)
        return decided

    def delay(self) -> float:
        """Return how many seconds a change takes to arrive."""
        again = 0.0
        while self._chance.random() < _LOST:
            again += _AGAIN_SECONDS
        return again + self._chance.uniform(0.5, 5.0)
