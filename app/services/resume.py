"""Coming back without a page, and ending that: log-out."""

from datetime import datetime

from app.db import changes, feed, online, resume
from app.db.engine import Database
from app.db.feed import FeedKind
from app.domain.changes import ChangeKind
from app.domain.keys import Chance
from app.services.changes import LOGGED_OUT, disconnect


def log_out(database: Database, account_id: str, mac: str, *, now: datetime, chance: Chance) -> int:
    """End a device's resume grants and ask the routers to end its sessions; return how many are asked.

    Repeating it is harmless: a session that is asked already is not asked twice.
    """
    with database.write() as connection:
        resume.end_for_mac(connection, mac)
        feed.append(connection, now=now, items={FeedKind.RESUME: [mac]})
        own = [s.id for s in online.sessions_of(connection, account_id, since=now) if s.open and s.mac == mac]
        asked = changes.unanswered(connection, own, kind=ChangeKind.DISCONNECT)
        new = [session_id for session_id in own if session_id not in asked]
        disconnect(connection, new, reason=LOGGED_OUT, now=now, chance=chance)
    return len(own)
