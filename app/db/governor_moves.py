"""What the governor has moved, kept for a while: when, of whom, from what to what, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from app.db.tables.accounts import users
from app.db.tables.sites import sites
from app.db.tables.uplinks import governor_moves, uplinks
from app.domain.governed import Lever
from app.domain.service_classes import ServiceClass


class GovernorMove(NamedTuple):
    """One thing that was moved, or would have been: then it is `observed` only. A rate that is None: none of ours."""

    at: datetime
    uplink_id: str
    what: Lever
    from_bps: int | None
    to_bps: int | None
    reason: str
    observed: bool
    account_id: str | None = None
    mac: str | None = None
    site_id: str | None = None
    service_class: ServiceClass | None = None


class ListedMove(NamedTuple):
    """The same in names; `user` is the login name, else the account's id."""

    at: datetime
    uplink: str
    what: Lever
    user: str | None
    mac: str | None
    site: str | None
    service_class: ServiceClass | None
    from_bps: int | None
    to_bps: int | None
    reason: str
    observed: bool


def add(connection: Connection, moves: Sequence[GovernorMove]) -> None:
    """Store what was moved."""
    if moves:
        connection.execute(insert(governor_moves), [_values(move) for move in moves])


def newest(connection: Connection, *, uplink_id: str | None, limit: int) -> list[ListedMove]:
    """Return what was moved last, the newest first; of one uplink if it is given."""
    moves = governor_moves.c
    query = (
        select(
            moves.at, uplinks.c.name.label("uplink"), moves.what, moves.account_id, users.c.username, moves.mac,
            sites.c.name.label("site"), moves.service_class, moves.from_bps, moves.to_bps, moves.reason, moves.observed,
        )
        .join_from(governor_moves, uplinks, uplinks.c.id == moves.uplink_id)
        .outerjoin(users, users.c.account_id == moves.account_id)
        .outerjoin(sites, sites.c.id == moves.site_id)
        .order_by(moves.seq.desc())
        .limit(limit)
    )  # fmt: skip
    if uplink_id is not None:
        query = query.where(moves.uplink_id == uplink_id)
    return [
        ListedMove(
            row.at,
            row.uplink,
            Lever(row.what),
            row.username or row.account_id,
            row.mac,
            row.site,
            None if row.service_class is None else ServiceClass(row.service_class),
            row.from_bps,
            row.to_bps,
            row.reason,
            row.observed,
        )
        for row in connection.execute(query)
    ]


def forget(connection: Connection, *, before: datetime) -> None:
    """Delete what was moved before a moment."""
    connection.execute(delete(governor_moves).where(governor_moves.c.at < before))


def _values(move: GovernorMove) -> dict[str, object]:
    service_class = None if move.service_class is None else move.service_class.value
    return move._asdict() | {"what": move.what.value, "service_class": service_class}
