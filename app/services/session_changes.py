"""What a person asks of one open session: end it, hold it down; and what became of that. All of it is kept."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import ceilings, change_list, changes, nases, sessions
from app.db.change_list import ListedChange
from app.db.engine import Connection, Database
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.changes import Change, ChangeKind, ChangeState
from app.domain.keys import Chance, draw_id
from app.domain.local_time import day_begins_at, local_day
from app.domain.sessions import Session
from app.services import fields
from app.services.ceilings import checked_ceiling, release_devices, store_ceilings
from app.services.changes import BY_HAND
from app.services.errors import Conflict, Invalid, NotFound

_NOTE_LENGTH: Final = 200

Rate = tuple[int | None] | None
"""A rate that was given, None inside for "not held down"; without one it stays as it was."""


def disconnect_session(
    database: Database, session_id: str, *, reason: str, author: str, now: datetime, chance: Chance
) -> Change:
    """Queue that a session ends, whoever it is of; raise NotFound, Conflict (it is over), Invalid.

    Its device may come back by itself: who must stay out is suspended.
    """
    change = Change(
        id=draw_id(chance),
        session_id=session_id,
        kind=ChangeKind.DISCONNECT,
        reason=BY_HAND,
        state=ChangeState.PENDING,
        due_at=now,
        created_at=now,
        author=fields.author(author),
        note=fields.reason("reason", reason, limit=_NOTE_LENGTH),
    )
    with database.write() as connection:
        _open(connection, session_id)
        changes.add(connection, change)
    return change


def change_session(
    database: Database,
    session_id: str,
    *,
    down: Rate = None,
    up: Rate = None,
    until: datetime | None = None,
    reason: str,
    author: str,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> datetime | None:
    """Hold the device of an open session down until `until` (None: for the local day), also when it logs in again.

    Return until when; None where nothing holds it down any more. Raise NotFound, Conflict, Invalid.
    """
    with database.write() as connection:
        session = _open(connection, session_id)
        if session.account_id is None:
            raise Conflict("session", session_id, "belongs to nobody: there is no account to hold down")
        before = _own_ceiling(connection, session.account_id, session.mac, now)
        down_bps = down[0] if down is not None else None if before is None else before.down_bps
        up_bps = up[0] if up is not None else None if before is None else before.up_bps
        if down_bps is None and up_bps is None:
            if before is None:
                raise Invalid("down", "neither direction is to be held down, and none is")
            device = [(session.account_id, session.mac)]
            release_devices(connection, device, source=CeilingSource.PERSON, now=now, chance=chance)
            return None
        ends_at = until or day_begins_at(local_day(now, zone) + timedelta(days=1), zone)
        held = Ceiling(session.account_id, session.mac, CeilingSource.PERSON, down_bps, up_bps, ends_at, reason, author)
        store_ceilings(connection, [checked_ceiling(held, now)], now=now, chance=chance)
        return ends_at


def is_to_end(database: Database, nas_id: str, mac: str) -> bool:
    """Tell whether an open session of a device waits for its NAS to hear, when it reports, that it is to end."""
    with database.read() as connection:
        return changes.waits_for_report(connection, nas_id, mac)


def changes_of_session(database: Database, session_id: str) -> Sequence[ListedChange]:
    """Return what a session was to be told, the newest first."""
    with database.read() as connection:
        return change_list.of_session(connection, session_id)


def list_changes(
    database: Database, *, states: Collection[ChangeState], nas: str | None = None, limit: int = 100
) -> Sequence[ListedChange]:
    """Return changes in some states, the newest first; raise NotFound (the NAS)."""
    with database.read() as connection:
        nas_id = None
        if nas is not None:
            found = nases.by_name(connection, nas)
            if found is None:
                raise NotFound("nas", nas)
            nas_id = found.id
        return change_list.read(connection, states=states, nas_id=nas_id, limit=limit)


def _open(connection: Connection, session_id: str) -> Session:
    found = sessions.by_ids(connection, [session_id])
    if not found:
        raise NotFound("session", session_id)
    if found[0].stop is not None:
        raise Conflict("session", session_id, "is over")
    return found[0]


def _own_ceiling(connection: Connection, account_id: str, mac: str, now: datetime) -> Ceiling | None:
    """Return what a person has set for this very device."""
    held = ceilings.of_accounts(connection, [account_id], now=now).get(account_id, ())
    return next((one for one in held if one.source is CeilingSource.PERSON and one.mac == mac), None)
