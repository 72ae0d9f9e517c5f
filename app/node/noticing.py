"""What a node notices about NASes while it serves them: wrong secrets, wrong clocks, octets the wrong way round.

The loop tells of refusals and reports, at the price of a look into a dict; the rest is read off the engine's counters
every few seconds by another thread.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from app.domain.hints import HintKind
from app.domain.reports import ReportKind, SessionReport
from app.node.nases import NasTable
from app.node.notices import NoticeBoard
from app.node.reports import named
from radius.attributes import Attributes
from radius.counters import NasCounters
from radius.credentials import PapPassword
from radius.errors import DropReason
from radius.messages import AccessRequest
from radius.methods import as_text
from radius.net.events import Event
from radius.server_engine import ServerEngine
from radius.vendors.profile import Direction

LOG_SECONDS: Final = 86_400.0
OFTEN: Final = 5  # wrong signatures or unreadable passwords
OFTEN_SECONDS: Final = 600.0
CLOCK_LOOK_SECONDS: Final = 60.0
CLOCK_LOOKS: Final = 3
CLOCK_OFF_SECONDS: Final = 120
SESSIONS: Final = 20  # of which most must go the wrong way
_LARGE_OCTETS: Final = 1_000_000
_MUCH_MORE: Final = 3

log = structlog.get_logger("node")

_WRONG_SECRET: Final = (DropReason.BAD_AUTHENTICATOR, DropReason.BAD_MESSAGE_AUTHENTICATOR)
_VIEW_POINTS: Final = {1: Direction.RFC, 2: Direction.CLIENT}


@dataclass(slots=True)
class _Counted:
    """What the engine had counted of a NAS when it was looked at last."""

    wrong: int = 0
    unsigned_drops: int = 0
    downgrades: int = 0
    identifier_mismatches: int = 0
    twice: int = 0
    address_mismatches: int = 0
    nameless: int = 0


@dataclass(slots=True)
class _State:
    """What is remembered of one NAS."""

    counted: _Counted = field(default_factory=_Counted)
    wrong: deque[tuple[float, int]] = field(default_factory=deque)  # when, and how many
    unreadable: int = 0  # passwords since the last look
    clock_at: float = 0.0  # when its clock is looked at next
    clock_right: bool = False
    offsets: deque[float] = field(default_factory=lambda: deque(maxlen=CLOCK_LOOKS))
    logged_at: dict[str, float] = field(default_factory=dict)  # by event
    sessions: int = 0
    reversed_sessions: int = 0


class Noticing:
    """Looks at NASes, and puts what it notices on the board. `table` gives what is registered now."""

    def __init__(self, board: NoticeBoard, table: Callable[[], NasTable], *, monotonic: Callable[[], float]) -> None:
        self._board, self._table, self._monotonic = board, table, monotonic
        self._states: dict[str, _State] = {}

    # In the loop

    def note_reject(self, event: Event) -> None:
        """Look at a refused request: a password that is no text was hidden with another secret, if nothing is signed.

        Where the router signs, a wrong secret has been noticed before anybody looked at the password.
        """
        request = event.request
        if not isinstance(request, AccessRequest) or not isinstance(request.credential, PapPassword):
            return
        text = as_text(request.credential.password)
        if (text is None or not text.isprintable()) and "Message-Authenticator" not in request.attributes:
            self._state(request.nas_id).unreadable += 1

    def note_report(self, report: SessionReport, attributes: Attributes, arrived_at: float) -> None:
        """Look at a report that is safe: now and then at the clock, and at the octets of sessions that are over."""
        state = self._state(report.nas_id)
        now = self._monotonic()
        if now >= state.clock_at:
            state.clock_at = now + CLOCK_LOOK_SECONDS
            self._look_at_clock(report.nas_id, state, attributes, arrived_at)
        if report.kind is ReportKind.STOP:
            self._look_at_direction(report, state, attributes)

    def _look_at_clock(self, nas_id: str, state: _State, attributes: Attributes, arrived_at: float) -> None:
        """Compare Event-Timestamp with the arrival, less what the router itself says that it waited."""
        stamp = attributes.time("Event-Timestamp")
        if stamp is None:
            return
        state.offsets.append(stamp.timestamp() + (attributes.integer("Acct-Delay-Time") or 0) - arrived_at)
        if len(state.offsets) < CLOCK_LOOKS:
            return
        least = min(state.offsets, key=abs)
        one_way = max(state.offsets) < 0 or min(state.offsets) > 0
        if one_way and abs(least) >= CLOCK_OFF_SECONDS:
            self._board.notice(nas_id, HintKind.CLOCK_OFF, str(round(least)))
            state.clock_right = False
        elif not state.clock_right:  # also at the first look: it may have been wrong before our start
            self._board.end(nas_id, HintKind.CLOCK_OFF)
            state.clock_right = True

    def _look_at_direction(self, report: SessionReport, state: _State, attributes: Attributes) -> None:
        """Count sessions that sent much more than they got, and believe a router that says how it counts."""
        known = self._table().by_id.get(report.nas_id)
        said = _VIEW_POINTS.get(attributes.integer("ChilliSpot-Acct-View-Point") or 0)
        if known is not None and said is not None:
            if known.direction not in (Direction.AUTO, said):
                self._board.notice(report.nas_id, HintKind.COUNTS_AS_CLIENT, "")
            return
        if report.up_octets + report.down_octets < _LARGE_OCTETS:
            return
        state.sessions += 1
        state.reversed_sessions += report.up_octets > _MUCH_MORE * report.down_octets
        if state.sessions < SESSIONS:
            return
        if state.reversed_sessions * 5 >= state.sessions * 4:
            self._board.notice(report.nas_id, HintKind.COUNTS_AS_CLIENT, f"{state.reversed_sessions} {state.sessions}")
        state.sessions, state.reversed_sessions = state.sessions // 2, state.reversed_sessions // 2

    # In the thread of the sign of life

    def look(self, engine: ServerEngine) -> None:
        """Notice what the engine has counted since the last time."""
        for nas_id, counters in list(engine.counters.by_nas.items()):
            state = self._state(nas_id)
            before, state.counted = state.counted, _counted(counters)
            after = state.counted
            self._look_at_secret(nas_id, state, after.wrong - before.wrong)
            unsigned = after.unsigned_drops - before.unsigned_drops
            signed_once = engine.has_signed(nas_id)
            downgrades = after.downgrades - before.downgrades + (unsigned if signed_once else 0)
            if downgrades:
                self._board.notice(nas_id, HintKind.DOWNGRADE, "", downgrades)
            elif unsigned:
                self._board.notice(nas_id, HintKind.UNSIGNED, "", unsigned)
            mismatches = after.identifier_mismatches - before.identifier_mismatches
            if mismatches:
                self._board.notice(nas_id, HintKind.IDENTIFIER_MISMATCH, named(counters.identifier_found), mismatches)
            twice = after.twice - before.twice
            if twice:
                self._board.notice(nas_id, HintKind.IDENTITY_TWICE, "", twice)
            self._log_daily("nas_address_differs", nas_id, after.address_mismatches - before.address_mismatches)
            self._log_daily("nas_without_identity", nas_id, after.nameless - before.nameless)

    def _log_daily(self, event: str, nas_id: str, times: int) -> None:
        """Log what is no mistake of ours to refuse, once a day and NAS (A1.15, A1.16)."""
        logged_at, now = self._state(nas_id).logged_at, self._monotonic()
        if times and now - logged_at.get(event, -LOG_SECONDS) >= LOG_SECONDS:
            logged_at[event] = now
            known = self._table().by_id.get(nas_id)
            log.warning(event, nas=nas_id if known is None else known.nas.name, times=times)

    def _look_at_secret(self, nas_id: str, state: _State, wrong: int) -> None:
        unreadable, state.unreadable = state.unreadable, 0
        now = self._monotonic()
        while state.wrong and now - state.wrong[0][0] > OFTEN_SECONDS:
            state.wrong.popleft()
        if wrong + unreadable:
            state.wrong.append((now, wrong + unreadable))
            if sum(count for _, count in state.wrong) >= OFTEN:
                self._board.notice(nas_id, HintKind.SECRET_MISMATCH, "", wrong + unreadable)

    def _state(self, nas_id: str) -> _State:
        state = self._states.get(nas_id)
        if state is None:
            state = self._states.setdefault(nas_id, _State())
        return state


def _counted(counters: NasCounters) -> _Counted:
    ports = (counters.auth, counters.acct)
    return _Counted(
        wrong=sum(port.drops.get(reason, 0) for port in ports for reason in _WRONG_SECRET),
        unsigned_drops=sum(port.drops.get(DropReason.MISSING_MESSAGE_AUTHENTICATOR, 0) for port in ports),
        downgrades=counters.downgrades,
        identifier_mismatches=counters.identifier_mismatches,
        twice=counters.auth.drops.get(DropReason.REPEATED_ATTRIBUTE, 0),
        address_mismatches=counters.address_mismatches,
        nameless=counters.nameless,
    )
