"""Limits that reports have passed: who used up a quota is cut or held down, and gets the rest back in a new period."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, ceilings, changes, nases, overlays, sessions
from app.db.engine import Connection
from app.domain.access import DenialReason, End, Grant, reconsider
from app.domain.granted import Slice, slice_of
from app.domain.keys import Chance
from app.domain.local_time import local_day
from app.domain.quotas import CUT
from app.domain.sessions import Session
from app.domain.users import Account
from app.services.changes import end_for, tell
from app.services.held import held_limits
from app.services.slices import grant_anew, has_slices
from app.services.usage import usages_of

STEP: Final = "quota_step"
"""The reason of a change after which a session is slower, or in the garden, or not any more, for the sake of quotas."""


_EXHAUSTED: Final = End(DenialReason.QUOTA_EXHAUSTED)

_VAIN: Final = timedelta(hours=1)
"""How long a session is not told again of what it could not be told."""


def heed_usage(
    connection: Connection,
    used_more: Sequence[Account],
    reported: Iterable[Session],
    *,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> None:
    """Queue what has become of accounts that have used more, or have come: a Disconnect for each session of who is cut.

    Where it is free of charge at this hour a session goes on. Where a quota does something but cut, their sessions are
    compared with what routers hold them to, those that were `reported` and all others: so they are told of each step,
    and of its end by the first report in a new period. Who goes on and runs short of a slice is granted another.
    """
    reported = list(reported)
    if overlays.any_quota_at_a_site(connection):
        suspects = [account.id for account in used_more]
        most: dict[str, Slice | None] = dict.fromkeys(suspects)
    else:
        decided = _decided(connection, used_more, zone=zone, now=now)
        suspects = [account.id for account, decision in decided if decision == _EXHAUSTED]
        most = {
            account.id: slice_of(decision, others=0)
            for account, decision in decided
            if isinstance(decision, Grant) and has_slices(account)
        }
    if suspects:
        places = sessions.open_places(connection, suspects)
        there = accounts.by_places(connection, places, zone=zone, now=now)
        again = _decided(connection, there.values(), zone=zone, now=now)
        ended = {id(account) for account, decision in again if decision == _EXHAUSTED}
        open_ids = sorted(id_ for place, account in there.items() if id(account) in ended for id_ in places[place])
        end_for(connection, open_ids, DenialReason.QUOTA_EXHAUSTED, now=now, chance=chance)
    stepped = {account.id for account in used_more if _has_steps(account)}
    if stepped:
        _tell(connection, _open_of(connection, stepped, reported), zone=zone, now=now, chance=chance)
    if most:
        grant_anew(connection, most, reported, zone=zone, now=now, chance=chance)


def _open_of(connection: Connection, account_ids: Collection[str], reported: Iterable[Session]) -> list[Session]:
    """Return the open sessions of accounts; those that were reported are not read again."""
    known = {session.id: session for session in reported}
    there = {id_ for ids in sessions.open_places(connection, account_ids).values() for id_ in ids}
    others = sessions.by_ids(connection, there - known.keys())
    return [session for session in (*known.values(), *others) if session.id in there]


def _has_steps(account: Account) -> bool:
    return any(effective.quota.then not in (None, CUT) for effective in account.policy.quotas)


def _decided(
    connection: Connection, accounts_there: Iterable[Account], *, zone: ZoneInfo, now: datetime
) -> list[tuple[Account, Grant | End]]:
    """Decide anew about those who have quotas."""
    limited = [account for account in accounts_there if account.policy.quotas]
    spent = usages_of(connection, limited, local_day(now, zone))
    return [
        (account, reconsider(account, spent[account.id], device="", online_devices=(), now=now, zone=zone))
        for account in limited
    ]


def _tell(
    connection: Connection, open_now: Collection[Session], *, zone: ZoneInfo, now: datetime, chance: Chance
) -> None:
    """Queue a change for sessions whose rates or filter are not those that hold now; end those of nobody's garden."""
    where = {(s.account_id, s.site_id) for s in open_now if s.account_id is not None}
    places = accounts.by_places(connection, where, zone=zone, now=now)
    spent = usages_of(connection, places.values(), local_day(now, zone))
    over = ceilings.of_accounts(connection, spent, now=now)
    known = {nas.id: nas for nas in nases.read_all(connection)}
    held = held_limits(connection, open_now)
    other: list[str] = []
    over_here: list[str] = []  # the router has no garden
    for session in open_now:
        nas, limits = known.get(session.nas_id), held.get(session.id)
        account = None if session.account_id is None else places.get((session.account_id, session.site_id))
        if nas is None or account is None or limits is None:
            continue
        decision = reconsider(
            account,
            spent[account.id],
            device=session.mac,
            online_devices=(),
            now=now,
            zone=zone,
            ceilings=over.get(account.id, ()),
            garden=nas.can_garden,
        )
        if decision == _EXHAUSTED:
            over_here.append(session.id)
        elif isinstance(decision, Grant) and _differs(decision, limits.down_bps, limits.up_bps, limits.filter_id):
            other.append(session.id)
    end_for(connection, over_here, DenialReason.QUOTA_EXHAUSTED, now=now, chance=chance)
    vain = changes.failed(connection, other, reason=STEP, since=now - _VAIN)
    tell(connection, [one for one in other if one not in vain], reason=STEP, now=now, chance=chance)


def _differs(grant: Grant, down_bps: int | None, up_bps: int | None, filter_id: str | None) -> bool:
    return (grant.down_bps, grant.up_bps, grant.filter_id) != (down_bps, up_bps, filter_id)
