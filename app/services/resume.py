"""Coming back without a page, and ending that: log-out."""

from datetime import datetime
from typing import Final

from app.db import changes, feed, online, resume
from app.db.engine import Database
from app.db.feed import FeedKind
from app.domain.changes import Change, ChangeKind, ChangeState
from app.domain.keys import Chance, draw_id

LOGGED_OUT: Final = "logged_out"


def log_out(database: Database, account_id: str, mac: str, *, now: datetime, chance: Chance) -> int:
    """End a device's resume grants and ask the routers to end its sessions; return how many are asked.

    Repeating it is harmless: a session that is asked already is not asked twice.
    """
    with database.write() as connection:
        resume.end_for_mac(connection, mac)
        feed.append(connection, now=now, items={FeedKind.RESUME: [mac]})
        own = [s.id for s in online.sessions_of(connection, account_id, since=now) if s.open and s.mac == mac]
        asked = changes.unanswered(connection, own, kind=ChangeKind.DISCONNECT)
        for session_id in own:
            if session_id not in asked:
                changes.add(connection, _disconnect(session_id, now, draw_id(chance)))
    return len(own)


def _disconnect(session_id: str, now: datetime, change_id: str) -> Change:
    return Change(
        id=change_id,
        session_id=session_id,
        kind=ChangeKind.DISCONNECT,
        reason=LOGGED_OUT,
        state=ChangeState.PENDING,
        due_at=now,
        created_at=now,
    )
