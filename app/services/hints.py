"""What is probably wrong with NASes: what was seen of them, and what is unwise in how they are registered."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.db import access_log, feed, hints, nases
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.hints import Notice
from app.domain.hints import ACCOUNTING_WINDOW, Hint, HintKind, accounts, is_current
from app.domain.nases import LEARNT, Protections
from app.services.keyring import Keyring
from app.services.nases import SHORT_SECRET_OCTETS, open_secrets

_GRACE: Final = timedelta(seconds=90)  # within which a Start follows its Accept


def hints_of_nases(
    database: Database, keyring: Keyring, *, now: datetime, protections: Protections = LEARNT
) -> dict[str, tuple[Hint, ...]]:
    """Return what is to be said of each NAS, by its name; what was seen comes first.

    `protections` are what is demanded of those that leave it at `auto`.
    """
    with database.read() as connection:
        seen = hints.read_all(connection)
        registered = _registered(connection, keyring, protections)
        return {
            nas.name: (*(hint for hint in seen.get(nas.id, ()) if is_current(hint, now)), *registered[nas.id])
            for nas in nases.read_all(connection)
        }


def judge_accounting(database: Database, *, now: datetime) -> dict[str, bool]:
    """Find NASes that let people in and do not account for them, and those that do so again; return them by id.

    A NAS is told to nodes when that changes: True if it accounts now. Everything must be merged up to `now`.
    """
    until = now - _GRACE
    with database.read() as connection:
        seen = access_log.unaccounted(connection, since=until - ACCOUNTING_WINDOW, until=until)
        silent = hints.unaccounted(connection)
    judged = {one: accounts(one.accepts, one.missing) for one in seen}
    notices = [
        Notice(one.nas_id, HintKind.NO_ACCOUNTING, f"{one.missing} {one.accepts}", 1)
        for one, verdict in judged.items()
        if verdict is False
    ]
    good = [one.nas_id for one, verdict in judged.items() if verdict and one.nas_id in silent]
    changed = {notice.nas_id: False for notice in notices if notice.nas_id not in silent} | dict.fromkeys(good, True)
    if notices or good:
        with database.write() as connection:
            hints.add(connection, notices, now=now)
            for nas_id in good:
                hints.forget(connection, nas_id, HintKind.NO_ACCOUNTING)
            if changed:
                feed.append(connection, now=now, items={FeedKind.NAS: changed})
    return changed


def _registered(connection: Connection, keyring: Keyring, protections: Protections) -> Mapping[str, list[Hint]]:
    """Return what is unwise in how each NAS is registered, by its id."""
    sealed = nases.secrets(connection)
    secrets = {nas_id: open_secrets(keyring, nas_id, one).radius for nas_id, one in sealed.items()}
    used = Counter(secrets.values())
    found: dict[str, list[Hint]] = {}
    for nas in nases.read_all(connection):
        kinds = []
        if protections.applied_to(nas).is_unprotected:
            kinds.append(HintKind.UNPROTECTED)
        if len(secrets[nas.id].encode()) <= SHORT_SECRET_OCTETS:
            kinds.append(HintKind.SHORT_SECRET)
        if used[secrets[nas.id]] > 1:
            kinds.append(HintKind.SHARED_SECRET)
        found[nas.id] = [Hint(kind) for kind in kinds]
    return found
