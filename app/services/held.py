"""What routers hold open sessions to: by the last change that one took, else by the Accept with which it began."""

import json
from collections.abc import Collection

from app.db import access_log, changes
from app.db.engine import Connection
from app.domain.granted import Limits
from app.domain.sessions import Session


def held_limits(connection: Connection, some: Collection[Session]) -> dict[str, Limits]:
    """Return by session id what sessions are held to, counted from their start; where nobody knows it is left out."""
    told = changes.told_limits(connection, [session.id for session in some])
    first = access_log.first_granted(
        connection, [one.acceptance_id for one in some if one.id not in told and one.acceptance_id is not None]
    )
    found = {
        session.id: read_limits(text)
        for session in some
        if (text := told.get(session.id) or first.get(session.acceptance_id or ""))
    }
    return {session_id: limits for session_id, limits in found.items() if limits is not None}


def read_limits(text: str | None) -> Limits | None:
    """Read stored limits; what another release has written beside ours is not for us."""
    if not text:
        return None
    return Limits(**{name: value for name, value in json.loads(text).items() if name in Limits._fields})
