"""Telling an observer what became of each datagram; what goes wrong there harms no answer."""

import time
from collections.abc import Callable

from radius.backend import Service
from radius.codes import Code
from radius.errors import DropReason
from radius.messages import Accept, AccessRequest, AccountingRecord, Challenge, Reject
from radius.net.datagrams import Datagram
from radius.net.events import Event
from radius.server_engine import Answered, Pending, PendingAccess

Observer = Callable[[Event], None]


class Teller:
    """Makes Events for one observer; `on_failure` is called, inside the handler, where that raises."""

    def __init__(self, observer: Observer, on_failure: Callable[[str, Datagram], None]) -> None:
        self._observer = observer
        self._on_failure = on_failure

    def of_dropped(
        self,
        service: Service,
        datagram: Datagram,
        reason: DropReason,
        times: tuple[float, float],
        *,
        nas_id: str | None,
    ) -> None:
        """Tell of a datagram that came to nothing; `times` are `received` and `received_at` of its `Arrival`."""
        self._tell(service, datagram, reason, *times, nas_id=nas_id)

    def of_answered(self, service: Service, datagram: Datagram, answered: Answered, times: tuple[float, float]) -> None:
        """Tell of a datagram that was answered at once; `times` as above."""
        reply, nas_id, repeated, reason = answered
        self._tell(
            service, datagram, Code(reply[0]), *times, nas_id=nas_id, reply=reply, reason=reason, repeated=repeated
        )

    def of_pending(
        self,
        service: Service,
        datagram: Datagram,
        pending: Pending,
        outcome: Code | DropReason,
        *,
        reply: bytes | None = None,
        answer: Accept | Reject | Challenge | None = None,
    ) -> None:
        """Tell of a request that the backend was asked about."""
        request = pending.request if isinstance(pending, PendingAccess) else pending.record
        reason = "" if answer is None else answer.reason
        if outcome is Code.ACCESS_REJECT and not isinstance(answer, Reject):
            reason = "unbuildable"
        times = request.received, request.received_at
        nas_id = pending.nas.id
        self._tell(service, datagram, outcome, *times, nas_id=nas_id, reply=reply, reason=reason, request=request)

    def _tell(
        self,
        service: Service,
        datagram: Datagram,
        outcome: Code | DropReason,
        received: float,
        received_at: float,
        *,
        nas_id: str | None,
        reply: bytes | None = None,
        reason: str = "",
        repeated: bool = False,
        request: AccessRequest | AccountingRecord | None = None,
    ) -> None:
        data, source = datagram.data, datagram.source
        seconds = time.monotonic() - received
        event = Event(service, source, nas_id, data, outcome, reply, reason, repeated, received_at, seconds, request)
        try:
            self._observer(event)
        except Exception:  # noqa: BLE001  # one bad observer never spoils an answer
            self._on_failure("the observer failed", datagram)
