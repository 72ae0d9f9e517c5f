"""When data last moved in a session, by what its reports say: the earliest one by which all of it had been counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain.marks import Mark


class Moves(NamedTuple):
    """The earliest report that says as many octets as any, for each direction.

    `counted` is False where no report has said any octets at all.
    """

    up_at: datetime
    down_at: datetime
    counted: bool

    def last(self, charged: Mark) -> datetime | None:
        """Return when the last data had moved, of what is charged; None if none has."""
        moved = [
            at for at, octets in ((self.up_at, charged.up_octets), (self.down_at, charged.down_octets)) if octets > 0
        ]
        return max(moved, default=None)


def moves_of(marks: Sequence[Mark], *, counted: bool) -> Moves:
    """Return when data moved by all marks of a session."""
    up, down = max(mark.up_octets for mark in marks), max(mark.down_octets for mark in marks)
    return Moves(
        min(mark.at for mark in marks if mark.up_octets == up),
        min(mark.at for mark in marks if mark.down_octets == down),
        counted,
    )


def join_moves(left: Moves, left_charged: Mark, right: Moves, right_charged: Mark) -> Moves:
    """Return what two states of a session tell together: of each direction the greater count, the earlier of two."""
    up_at = min((-left_charged.up_octets, left.up_at), (-right_charged.up_octets, right.up_at))[1]
    down_at = min((-left_charged.down_octets, left.down_at), (-right_charged.down_octets, right.down_at))[1]
    return Moves(up_at, down_at, left.counted or right.counted)
