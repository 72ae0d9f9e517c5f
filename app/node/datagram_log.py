"""One log line per datagram that was dropped or refused; of what comes in masses some lines, and how many more.

At DEBUG there is a line for every datagram. Of each NAS, port and reason the first few lines of a minute are written;
strangers are one NAS. So no router and nobody outside can fill the disk.
"""

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from app.log import DATAGRAMS
from app.node.datagrams import attributes_of, device_of, place, user_of
from radius.backend import Service
from radius.codes import Code
from radius.errors import DropReason
from radius.net.events import Event

WINDOW_SECONDS: Final = 60.0
LINES: Final = 5  # of one kind in a window
_STRANGER: Final = "-"

_Key = tuple[str | None, Service, str]


@dataclass(slots=True)
class _Window:
    ends: float
    lines: int = 0
    suppressed: int = 0


class DatagramLog:
    """Hears of datagrams in the server's loop; `flush` may be called from another thread.

    `name_of` gives the name of a NAS by its id, `monotonic` the time.
    """

    def __init__(self, name_of: Callable[[str], str], *, monotonic: Callable[[], float]) -> None:
        self.everything = logging.getLogger(DATAGRAMS).isEnabledFor(logging.DEBUG)
        self._name_of, self._monotonic = name_of, monotonic
        self._log = structlog.get_logger(DATAGRAMS)
        self._lock = threading.Lock()
        self._windows: dict[_Key, _Window] = {}

    def hear(self, event: Event) -> None:
        """Write the line of one datagram, or count it."""
        if self.everything:
            self._write(event)
        elif isinstance(event.outcome, DropReason) or (event.outcome is Code.ACCESS_REJECT and not event.repeated):
            reason = event.outcome.value if isinstance(event.outcome, DropReason) else event.reason
            if self._may_write((event.nas_id, event.service, reason)):
                self._write(event)

    def flush(self, *, ending: bool = False) -> None:
        """Say of each window that is over how many lines it would have had more; when `ending`, of every window."""
        now = math.inf if ending else self._monotonic()
        with self._lock:
            over = {key: window for key, window in self._windows.items() if window.ends <= now}
            for key in over:
                del self._windows[key]
        for (nas_id, service, reason), window in over.items():
            if window.suppressed:
                self._log.warning(
                    "radius_lines_suppressed",
                    nas=self._name(nas_id),
                    service=service.value,
                    reason=reason,
                    count=window.suppressed,
                    seconds=int(WINDOW_SECONDS),
                )

    def _may_write(self, key: _Key) -> bool:
        with self._lock:
            window = self._windows.get(key)
            if window is None:  # one that is over goes with the next flush, a few seconds later
                window = self._windows[key] = _Window(self._monotonic() + WINDOW_SECONDS)
            if window.lines < LINES:
                window.lines += 1
                return True
            window.suppressed += 1
            return False

    def _write(self, event: Event) -> None:
        level, name, reason = _kind(event)
        attributes = attributes_of(event) if event.nas_id is not None else None
        code, identifier = (*event.datagram[:2], 0, 0)[:2]
        self._log.log(
            level,
            name,
            nas=self._name(event.nas_id),
            source=place(event.source),
            service=event.service.value,
            code=code,
            id=identifier,
            reason=reason,
            user="" if attributes is None else user_of(attributes),
            device="" if attributes is None else device_of(attributes),
            milliseconds=round(event.seconds * 1000, 1),
        )

    def _name(self, nas_id: str | None) -> str:
        return _STRANGER if nas_id is None else self._name_of(nas_id)


def _kind(event: Event) -> tuple[int, str, str]:
    """Return the level, the name and the reason of a line."""
    if isinstance(event.outcome, DropReason):
        return logging.WARNING, "radius_dropped", event.outcome.value
    if event.outcome is Code.ACCESS_REJECT:
        return logging.INFO, "radius_rejected", event.reason
    return logging.DEBUG, "radius_answered", event.reason
