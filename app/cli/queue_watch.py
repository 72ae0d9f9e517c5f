"""`pesisir uplink apply --watch`: the queues of a line follow what the governor and people move, as long as it runs.

What goes wrong is said once, and tried again: neither a database that is away nor queues that are off end it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from app.cli.output import many, say
from app.db.errors import AWAY
from app.nas.local_queues import QueuesError

if TYPE_CHECKING:
    from app.services.uplinks import UplinkView

LOOK_SECONDS: Final = 5.0
_AFRESH: Final = 12  # looks: so often at least, since somebody may have put the queues on anew


def follow(read: Callable[[], "UplinkView"], apply: Callable[["UplinkView"], int], wait: Callable[[], bool]) -> None:
    """Apply what is read whenever it is another, until `wait` says no; raise NotFound once the uplink is gone."""
    applied: UplinkView | None = None
    problem, looks = "", 0
    while True:
        looks += 1
        try:
            view = read()
            if view != applied or looks >= _AFRESH:
                count, looks = apply(view), 0
                if view != applied:
                    say(f"uplink {view.uplink.name}: {many(count, 'queue')} as they should be")
            applied, problem = view, ""
        except AWAY:
            applied, problem = None, _said("the database cannot be read; the queues stay as they are", problem)
        except QueuesError as error:
            problem = _said(f"the queues were not changed: {error.problem}; next: {error.remedy}", problem)
            applied = None
        if not wait():
            return


def _said(problem: str, before: str) -> str:
    """Say what is wrong, unless it has been said."""
    if problem != before:
        say(problem)
    return problem
