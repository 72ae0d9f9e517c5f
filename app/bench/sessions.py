"""A session after its Accept: Accounting-Start with the Class that came, and each next report once the last is safe."""

from collections.abc import Sequence
from typing import Final

from app.bench.lanes import Lane
from app.bench.writing import Writer, echo_of
from radius.codes import Code

STEP_BITS: Final = 8  # a mark is the number of the session, and which of its reports


def mark_of(session: int, step: int) -> int:
    """Return the mark of a report of a session."""
    return session << STEP_BITS | step


def meaning(mark: int) -> tuple[int, int]:
    """Return session and step of a mark."""
    return mark >> STEP_BITS, mark & (1 << STEP_BITS) - 1


class Echoes:
    """Keeps what each Accept says to be echoed, by the session's number; nothing follows."""

    def __init__(self) -> None:
        self.of: dict[int, bytes] = {}

    def hear(self, lane: Lane) -> Lane | None:
        """Take the newest batch of a lane."""
        for number, reply in lane.batches[-1].answers():
            if number >= 0 and reply[0] == Code.ACCESS_ACCEPT:
                self.of[lane.marks[number]] = echo_of(reply)
        return None


class Sessions:
    """Turns each Accept on a lane for Access-Requests into reports on the lane for Accounting that belongs to it.

    `reports` has the attributes of every report of each session, by its number, which is the mark of its request.
    """

    def __init__(
        self, pairs: Sequence[tuple[Lane, Lane]], writers: Sequence[Writer], reports: Sequence[Sequence[bytes]]
    ) -> None:
        self._accounting = {access.descriptor: lane for access, lane in pairs}
        self._writers = {lane.descriptor: writer for (_, lane), writer in zip(pairs, writers, strict=True)}
        self._reports = reports
        self._echoes: dict[int, bytes] = {}
        self._next = [0] * len(reports)  # which report each session makes next

    def hear(self, lane: Lane) -> Lane | None:
        """Take the newest batch of a lane; return the lane that has reports to send."""
        accounting = self._accounting.get(lane.descriptor)
        if accounting is not None:
            return self._let_in(lane, accounting)
        for number, code in lane.batches[-1].codes():
            if number < 0 or code != Code.ACCOUNTING_RESPONSE:
                continue
            session, step = meaning(lane.marks[number])
            if step == self._next[session] - 1:  # not an answer that came twice
                self._report(lane, session)
        return lane

    def _let_in(self, lane: Lane, accounting: Lane) -> Lane:
        for number, reply in lane.batches[-1].answers():
            if number < 0 or reply[0] != Code.ACCESS_ACCEPT:
                continue
            session = lane.marks[number]
            if not self._next[session]:
                self._echoes[session] = echo_of(reply)
                self._report(accounting, session)
        return accounting

    def _report(self, lane: Lane, session: int) -> None:
        step = self._next[session]
        reports = self._reports[session]
        if step == len(reports):
            return
        self._next[session] = step + 1
        packet = self._writers[lane.descriptor].accounting(lane.prepared, reports[step], self._echoes[session])
        lane.put(packet, expected=Code.ACCOUNTING_RESPONSE, mark=mark_of(session, step))
