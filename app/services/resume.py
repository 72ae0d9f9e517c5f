"""Coming back without a page, knowing who has come back so, and ending that: log-out."""

from datetime import datetime
from typing import NamedTuple

from app.db import changes, feed, online, resume
from app.db.engine import Database
from app.db.feed import FeedKind
from app.db.online import OnlineSession
from app.domain.acceptances import read_class
from app.domain.changes import ChangeKind
from app.domain.keys import Chance
from app.services.changes import LOGGED_OUT, disconnect
from app.services.keyring import Keyring


class KnownDevice(NamedTuple):
    """A device of which its router has shown that it has an open session: whose, and since when."""

    account_id: str
    mac: str
    since: datetime


def device_of_class(database: Database, keyring: Keyring, nas_id: str, value: str) -> KnownDevice | None:
    """Return the device that a NAS let in with a Class of ours; None if it did not, or its session is over."""
    acceptance = read_class(value.encode(), key=keyring.class_key, nas_id=nas_id)
    if acceptance is None:
        return None
    with database.read() as connection:
        return _known(online.open_of_acceptance(connection, nas_id, acceptance.account_id, acceptance.id))


def device_of_session(database: Database, nas_id: str, mac: str, acct_session_id: str) -> KnownDevice | None:
    """Return the device that a NAS has vouched for by its MAC and Acct-Session-Id; None if its session is over."""
    with database.read() as connection:
        return _known(online.open_of_device(connection, nas_id, mac, acct_session_id))


def _known(session: OnlineSession | None) -> KnownDevice | None:
    if session is None or session.account_id is None:
        return None
    return KnownDevice(session.account_id, session.mac, session.started_at)


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
