"""Slices granted anew: a device that runs short of its part of what a person has left is told a new one in time.

That is done where a CoA carries octets. Elsewhere the router cuts at the slice, and the device comes back with another.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, changes, hints, nases, sessions
from app.db.engine import Connection
from app.domain.access import Grant, is_renewed_soon, reconsider
from app.domain.changes import ChangeState
from app.domain.granted import Limits, Slice, exceeds, rest_of, runs_short, slice_of
from app.domain.keys import Chance
from app.domain.local_time import local_day
from app.domain.nases import TAKES_OCTETS, Nas
from app.domain.quotas import CUT, Measure
from app.domain.sessions import Session
from app.domain.users import Account
from app.services.changes import tell
from app.services.held import held_limits
from app.services.usage import usages_of

SLICE: Final = "slice"
"""The reason of a change by which what is left is divided anew among the devices of a person."""

_INTERIM: Final = 60  # seconds, where nobody knows what the router was told
_MERGED_WITHIN: Final = timedelta(seconds=5)
"""Two reports may be merged by so much less than their interval apart."""

_VAIN: Final = timedelta(hours=1)
"""How long a session is not told again whose router has refused."""


class _Part(NamedTuple):
    """What remains of what one session is held to, and what it would be granted now."""

    session: Session
    held: Limits
    rest: Slice
    anew: Slice


def has_slices(account: Account) -> bool:
    """Tell whether the octets of an account end by a cut, so that its devices are granted slices of them."""
    quotas = (effective.quota for effective in account.policy.quotas)
    return any(quota.measure is not Measure.TIME and quota.then in (None, CUT) for quota in quotas)


def grant_anew(
    connection: Connection,
    most: Mapping[str, Slice | None],
    reported: Iterable[Session],
    *,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> None:
    """Queue a change for each of the `reported` sessions that runs short of its slice while its person has more left.

    `most` is what the accounts may have left altogether, by id; None: that depends on where they are. With such a
    change go the person's other sessions that hold more than their part, so that all slices are what is left; no
    session twice within an interim interval. Near the end of a period, when the next one's amount would be granted too,
    nothing is: only the new period does that.
    """
    moved = [one for one in reported if one.stop is None and one.account_id in most]
    there = _that_take_octets(connection, moved)
    if not there:
        return
    suspects = _suspects(connection, moved, there, most)
    parts = _parts(connection, suspects, there, zone=zone, now=now) if suspects else []
    short = _due(connection, [part for part in parts if runs_short(part.rest, part.anew)], now=now)
    if not short:
        return
    told = {part.session.id for part in short}
    others = _others(connection, {part.session.account_id or "" for part in short}, told)
    there = _that_take_octets(connection, others)
    parts = _parts(connection, _held(connection, others, there), there, zone=zone, now=now)
    above = _due(connection, [part for part in parts if exceeds(part.rest, part.anew)], now=now)
    ids = [part.session.id for part in (*short, *above)]
    tell(connection, ids, reason=SLICE, now=now, chance=chance)


def _that_take_octets(connection: Connection, some: Iterable[Session]) -> dict[str, Nas]:
    """Return the NASes of sessions that an amount can be told while somebody is online, and that answer."""
    found = nases.of_families(connection, {session.nas_id for session in some}, TAKES_OCTETS)
    deaf = hints.deaf(connection) if found else frozenset()
    return {nas.id: nas for nas in found if nas.takes_octets(deaf=nas.id in deaf)}


def _suspects(
    connection: Connection, moved: Iterable[Session], there: Collection[str], most: Mapping[str, Slice | None]
) -> list[tuple[Session, Limits]]:
    """Return the sessions at such NASes that may run short, and what they are held to: of one device alone, none."""
    found: list[tuple[Session, Limits]] = []
    for session, held in _held(connection, moved, there):
        anew = most[session.account_id or ""]
        if anew is None or runs_short(_rest(session, held), anew):
            found.append((session, held))
    return found


def _held(connection: Connection, some: Iterable[Session], there: Collection[str]) -> list[tuple[Session, Limits]]:
    """Return sessions of accounts at such NASes, where it is known to what they are held."""
    there_now = [one for one in some if one.nas_id in there and one.account_id is not None]
    held = held_limits(connection, there_now)
    return [(session, held[session.id]) for session in there_now if session.id in held]


def _rest(session: Session, held: Limits) -> Slice:
    return rest_of(held, down_octets=session.down_octets, up_octets=session.up_octets)


def _others(connection: Connection, account_ids: Collection[str], told: Collection[str]) -> list[Session]:
    ids = {session_id for session_id, _ in sessions.open_of_accounts(connection, account_ids)}
    return sessions.by_ids(connection, ids - set(told))


def _parts(
    connection: Connection,
    some: Sequence[tuple[Session, Limits]],
    there: Mapping[str, Nas],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> list[_Part]:
    """Weigh what sessions are held to against what they would be granted now."""
    where = {(session.account_id or "", session.site_id) for session, _ in some}
    places = accounts.by_places(connection, where, zone=zone, now=now)
    spent = usages_of(connection, places.values(), local_day(now, zone))
    online: dict[str, set[str]] = {}
    for account_id, mac in sessions.devices_of_accounts(connection, spent):
        online.setdefault(account_id, set()).add(mac)
    parts: list[_Part] = []
    for session, held in some:
        account = places.get((session.account_id or "", session.site_id))
        if account is None or is_renewed_soon(account, now=now, zone=zone):
            continue
        grant = reconsider(
            account,
            spent[account.id],
            device=session.mac,
            online_devices=(),
            now=now,
            zone=zone,
            garden=there[session.nas_id].can_garden,
        )
        if isinstance(grant, Grant):
            anew = slice_of(grant, others=len(online.get(account.id, set()) - {session.mac}))
            parts.append(_Part(session, held, _rest(session, held), anew))
    return parts


def _due(connection: Connection, parts: Iterable[_Part], *, now: datetime) -> list[_Part]:
    """Return those that were not told within their interim interval, nor lately in vain."""
    wanted = list(parts)
    asked = changes.last_asked(connection, [part.session.id for part in wanted], reason=SLICE)
    return [part for part in wanted if part.session.id not in asked or _is_over(asked[part.session.id], part.held, now)]


def _is_over(asked: changes.Asked, held: Limits, now: datetime) -> bool:
    interval = timedelta(seconds=held.interim_seconds or _INTERIM) - _MERGED_WITHIN
    in_vain = asked.state in {ChangeState.FAILED, ChangeState.WAITING}
    return now - asked.at >= (_VAIN if in_vain else interval)
