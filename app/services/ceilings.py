"""Rate ceilings of devices: set, lifted, ended by time; open sessions are told, and nodes hear for the next ones."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from app.db import ceilings, feed, sessions
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.keys import Chance
from app.services import fields
from app.services.changes import CEILING, tell
from app.services.errors import Invalid

LOWEST_BPS: Final = 1_000
HIGHEST_BPS: Final = 2**32 - 1  # WISPr-Bandwidth-Max is 32 bits
_REASON_LENGTH: Final = 200


def set_ceilings(database: Database, new: Sequence[Ceiling], *, now: datetime, chance: Chance) -> int:
    """Hold devices down, in one transaction; return how many open sessions are to be told. Raise Invalid.

    Each replaces what its source has set for its device before; where only its end is new, nobody is told.
    """
    checked = [checked_ceiling(one, now) for one in new]
    with database.write() as connection:
        return store_ceilings(connection, checked, now=now, chance=chance)


def store_ceilings(connection: Connection, new: Sequence[Ceiling], *, now: datetime, chance: Chance) -> int:
    """Do as `set_ceilings` within a transaction, with ceilings that were checked."""
    before = ceilings.of_accounts(connection, {one.account_id for one in new}, now=now)
    held = {one[:5] for some in before.values() for one in some}  # device, source and rates
    ceilings.put(connection, new, now=now)
    moved = [(one.account_id, one.mac) for one in new if one[:5] not in held]
    return _announce(connection, [one.account_id for one in new], moved, now=now, chance=chance, why=new)


def lift_ceilings(
    database: Database, devices: Collection[tuple[str, str]], *, source: CeilingSource, now: datetime, chance: Chance
) -> int:
    """Take back what a source has set for (account id, MAC) pairs; return how many open sessions are to be told."""
    with database.write() as connection:
        return release_devices(connection, devices, source=source, now=now, chance=chance)


def release_devices(
    connection: Connection,
    devices: Collection[tuple[str, str]],
    *,
    source: CeilingSource,
    now: datetime,
    chance: Chance,
) -> int:
    """Do as `lift_ceilings` within a transaction."""
    removed = ceilings.remove(connection, devices, source=source)
    return _announce(connection, [account_id for account_id, _ in removed], removed, now=now, chance=chance)


def end_ceilings(database: Database, *, now: datetime, chance: Chance) -> int:
    """Remove what has ended; return how many open sessions are to be told."""
    with database.read() as connection:
        if not ceilings.any_ended(connection, now=now):
            return 0
    with database.write() as connection:
        removed = ceilings.remove_ended(connection, now=now)
        return _announce(connection, [account_id for account_id, _ in removed], removed, now=now, chance=chance)


def _announce(
    connection: Connection,
    account_ids: Collection[str],
    moved: Collection[tuple[str, str]],
    *,
    now: datetime,
    chance: Chance,
    why: Sequence[Ceiling] = (),
) -> int:
    """Tell nodes of accounts, and the open sessions of devices; the author and reason of all of them go with it."""
    if account_ids:
        feed.append(connection, now=now, items={FeedKind.CEILING: account_ids})
    concerned = sessions.open_of_devices(connection, moved) if moved else []
    reasons = {(one.author, one.reason) for one in why}
    author, note = reasons.pop() if len(reasons) == 1 else ("", "")
    return tell(connection, concerned, reason=CEILING, now=now, chance=chance, author=author, note=note)


def checked_ceiling(one: Ceiling, now: datetime) -> Ceiling:
    """Return a ceiling that may be stored; raise Invalid."""
    for field in ("down_bps", "up_bps"):
        fields.amount(field, getattr(one, field), least=LOWEST_BPS, greatest=HIGHEST_BPS)
    if one.down_bps is None and one.up_bps is None:
        raise Invalid("down_bps", "neither direction has a ceiling")
    if one.until <= now:
        raise Invalid("until", "has passed already")
    return one._replace(
        reason=fields.reason("reason", one.reason, limit=_REASON_LENGTH),
        author=fields.author(one.author),
    )
