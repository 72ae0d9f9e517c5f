"""Who is online, what was used, and where that stands in the journal."""

from dataclasses import fields
from datetime import date
from typing import Final

from app.domain.quotas import Tally
from app.domain.spending import Usage
from app.node.journal.segment import Position
from app.node.octets import Key, Octets, Place
from app.node.sessions import Presence
from app.node.stored.rows.values import Row


def usage_row(pair: tuple[str, Usage]) -> Row:
    """Write what an account used, given with its id."""
    account_id, usage = pair
    return [account_id, usage.day.isoformat(), usage.online_until, *usage.counts]


def read_usage(row: Row, tallies: tuple[Tally, ...]) -> Usage:
    """Read what an account used, in the order of the tallies."""
    _, day, online_until, *counts = row
    return Usage(date.fromisoformat(day), tallies, tuple(counts), online_until)


def device_row(pair: tuple[str, Presence]) -> Row:
    """Write who is online with a device, given with its name."""
    name, here = pair
    return [
        name,
        here.account_id,
        here.acceptance_id,
        here.nas_id,
        here.nas_scope,
        here.acct_session_id,
        here.user_name,
        here.since,
    ]


def read_presence(row: Row) -> Presence:
    """Read who is online with a device."""
    _, account_id, acceptance_id, nas_id, nas_scope, acct_session_id, user_name, since = row
    return Presence(account_id, acceptance_id, nas_id, nas_scope, acct_session_id, user_name, since, None)


def octets_row(pair: tuple[Key, Octets]) -> Row:
    """Write the octets of a session, given with its key."""
    key, octets = pair
    values = (getattr(octets, name) for name in _OCTETS)
    return [*key, *values, *octets.place]


def read_octets(row: Row) -> Octets:
    """Read the octets of a session."""
    return Octets(**dict(zip(_OCTETS, row[5:-2], strict=True)), place=Place(*row[-2:]))


_OCTETS: Final = tuple(field.name for field in fields(Octets) if field.name != "place")


def read_key(row: Row) -> Key:
    """Read which session a row of octets is about."""
    nas_id, nas_scope, acct_session_id, mac, acceptance_id = row[:5]
    return nas_id, nas_scope, acct_session_id, mac, acceptance_id


def place_row(place: Position | Place | None) -> Row:
    """Write a place in a journal; None is nowhere yet."""
    return [None] if place is None else list(place)
