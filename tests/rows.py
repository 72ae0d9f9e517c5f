"""Rows of the database, valid by default, for tests of what reads them; a test overrides what it is about."""

from sqlalchemy import insert

from app.db.engine import Connection
from app.db.tables.nases import nases
from app.db.tables.sessions import sessions
from tests.factories import MAC, NOON

NAS = "nasanasanasanasa"


def add_session(connection: Connection, session_id: str, **values: object) -> None:
    """Store a session that began at noon and is open."""
    row = {
        "id": session_id,
        "nas_id": NAS,
        "nas_scope": "gusung",
        "acct_session_id": session_id,
        "mac": MAC,
        "started_at": NOON,
        "last_report_at": NOON,
        "marks": "[]",
        "state": "open",
    }
    connection.execute(insert(sessions).values(row | values))


def add_nas(connection: Connection, **values: object) -> None:
    """Store a NAS of the site `site`; its secrets open nothing."""
    row = {
        "id": NAS,
        "name": "gusung-1",
        "site_id": "site",
        "family": "mikrotik",
        "address": "127.0.0.1/32",
        "secret_sealed": b"",
        "portal_secret_sealed": b"",
        "mac_secret_sealed": b"",
        "created_at": NOON,
    }
    connection.execute(insert(nases).values(row | values))
