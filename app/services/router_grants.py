"""Grants for routers without RADIUS: kept at the log-in, handed over when the router asks, ended by its report.

The session of such a router is made of two reports: a Start when it has taken the grant, a Stop when it says that the
phone has left. Both are harmless when repeated. Beside the Start stands the Accept, as a RADIUS router would have got
it, if it is proven that the router let this very phone in.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.db import router_grants as table
from app.db.engine import Database
from app.db.router_grants import GrantState, RouterGrant
from app.domain.access import Grant
from app.domain.keys import new_id
from app.domain.nases import Nas
from app.domain.reports import Decided, Method, ReportKind, SessionReport

WAIT: Final = timedelta(minutes=5)
"""How long a grant waits for its router: longer than the slowest poll (60 s) and a retry, shorter than a stay."""

YOUNG: Final = timedelta(seconds=60)
"""A router that starts clears the list five seconds after it began to accept phones; grants of that time survive."""

_ID_OCTETS: Final = 10


_RESTORED: Final = timedelta(days=1)  # how long a router may bring back a phone that we let in


@dataclass(frozen=True, slots=True)
class PhoneReport:
    """What a router says of one phone: counters by the user's view, moments in seconds of the router's own clock.

    `at` is when it was said; `cause` is why the phone has left, None while it is online.
    """

    mac: str
    up_octets: int
    down_octets: int
    started: int
    at: int
    token: str
    cause: str | None = None


def keep(
    database: Database,
    nas: Nas,
    *,
    token: str,
    mac: str,
    ip: str | None,
    gateway: str,
    account_id: str,
    acceptance_id: str,
    grant: Grant,
    proven: bool,
    now: datetime,
    chance: Callable[[int], bytes],
) -> RouterGrant:
    """Keep what the router will ask for, under `token`; `proven` tells whether the router itself named the MAC."""
    kept = RouterGrant(
        id=new_id(chance(_ID_OCTETS)),
        nas_id=nas.id,
        token=token,
        mac=mac,
        ip=ip,
        gateway=gateway,
        account_id=account_id,
        acceptance_id=acceptance_id,
        grant=grant,
        state=GrantState.WAITING,
        created_at=now,
        proven=proven,
    )
    with database.write() as connection:
        table.put(connection, kept)
    return kept


def waiting(database: Database, nas: Nas, gateway: str, *, now: datetime) -> Sequence[RouterGrant]:
    """Return what waits for one router, the oldest first, with what is left of its times at `now`."""
    with database.read() as connection:
        found = table.waiting(connection, nas.id, since=now - WAIT)
    return [_as_of(grant, now) for grant in found if grant.gateway in ("", gateway)]


def acknowledge(
    database: Database, nas: Nas, tokens: Collection[str], *, now: datetime
) -> Sequence[Decided | SessionReport]:
    """Mark what the router has taken; return the Accept and the Start of each session that has begun just now.

    Anybody who knows the tokens can say so: of a MAC that nothing proves there is no Accept.
    """
    begun: list[Decided | SessionReport] = []
    with database.write() as connection:
        for token in tokens:
            grant = table.find(connection, nas.id, token)
            if grant is not None and table.deliver(connection, grant, now=now):
                begun += [_accept(nas, grant, now)] if grant.proven else []
                begun.append(_start(nas, grant, now))
    return begun


def clear(database: Database, nas: Nas, gateway: str, *, now: datetime) -> int:
    """Drop what waits for a router that has just started, save young grants; return how many were dropped."""
    with database.write() as connection:
        found = table.waiting(connection, nas.id, since=now - 2 * WAIT)
        old = [g.id for g in found if g.gateway in ("", gateway) and g.created_at <= now - YOUNG]
        return table.abandon(connection, old)


def admit(
    database: Database, nas: Nas, mac: str, token: str, *, now: datetime
) -> tuple[RouterGrant, Sequence[Decided | SessionReport]] | None:
    """Answer a router that asks about a phone at its door: the grant, and the Accept and Start it makes; or None.

    The MAC comes from the router itself, so a grant that was talked out of us for another MAC opens nothing. A
    repeated question gets the same grant again for as long as a grant waits.
    """
    with database.write() as connection:
        grant = table.find(connection, nas.id, token)
        if grant is None or grant.mac != mac or grant.state is GrantState.GONE or grant.created_at < now - WAIT:
            return None
        begun = table.deliver(connection, grant, now=now)
    return _as_of(grant, now), [_accept(nas, grant, now), _start(nas, grant, now)] if begun else []


def is_delivered(database: Database, nas: Nas, token: str) -> bool:
    """Tell whether the router has let the phone in."""
    with database.read() as connection:
        grant = table.find(connection, nas.id, token)
    return grant is not None and grant.state is GrantState.DELIVERED


def delivered_to(database: Database, nas: Nas, mac: str, token: str) -> RouterGrant | None:
    """Return the grant with which a device was let in; None if there is none."""
    with database.read() as connection:
        grant = table.find(connection, nas.id, token)
    return grant if grant is not None and grant.mac == mac and grant.state is GrantState.DELIVERED else None


def restored_to(database: Database, nas: Nas, mac: str, *, now: datetime) -> RouterGrant | None:
    """Return the grant with which a device was last let in at this NAS: a router that restarts may bring it back."""
    with database.read() as connection:
        return table.last_delivered(connection, nas.id, mac, since=now - _RESTORED)


def session_report(nas: Nas, said: PhoneReport, grant: RouterGrant | None, *, now: datetime) -> SessionReport:
    """Turn what a router says into a report of the session that `grant` opened; without one it is charged to nobody.

    A session that the router itself has brought back bears another token: it is a session of its own.
    """
    seconds = said.at - said.started
    return SessionReport(
        kind=ReportKind.INTERIM if said.cause is None else ReportKind.STOP,
        nas_id=nas.id,
        nas_scope=_scope(nas),
        acct_session_id=f"{said.token}-{said.started}" if grant is None else grant.id,
        mac=said.mac,
        user_name="" if grant is None else grant.account_id,
        event_at=_plausible(said.at, now),
        up_octets=said.up_octets,
        down_octets=said.down_octets,
        session_seconds=seconds if said.started > 0 and seconds >= 0 else None,
        acceptance_id=None if grant is None else grant.acceptance_id,
        account_id=None if grant is None else grant.account_id,
        ip=None if grant is None else grant.ip,
        terminate_cause=said.cause,
    )


def _accept(nas: Nas, grant: RouterGrant, now: datetime) -> Decided:
    return Decided(
        at=now,
        nas_id=nas.id,
        mac=grant.mac,
        account_id=grant.account_id,
        user_name=grant.account_id,
        method=Method.TICKET,
        accepted=True,
        acceptance_id=grant.acceptance_id,
        limits=json.dumps(grant.grant._asdict()),
    )


def _start(nas: Nas, grant: RouterGrant, now: datetime) -> SessionReport:
    return SessionReport(
        kind=ReportKind.START,
        nas_id=nas.id,
        nas_scope=_scope(nas),
        acct_session_id=grant.id,
        mac=grant.mac,
        user_name=grant.account_id,
        event_at=now,
        up_octets=0,
        down_octets=0,
        session_seconds=0,
        acceptance_id=grant.acceptance_id,
        account_id=grant.account_id,
        ip=grant.ip,
    )


def _as_of(grant: RouterGrant, now: datetime) -> RouterGrant:
    """Take from the session time what the grant has waited."""
    seconds = grant.grant.session_seconds
    if seconds is None:
        return grant
    waited = max(0, int((now - grant.created_at).total_seconds()))
    return replace(grant, grant=grant.grant._replace(session_seconds=max(1, seconds - waited)))


def _plausible(moment: int, now: datetime) -> datetime:
    """Return the router's moment if its clock can be right, else now (the window of Event-Timestamp)."""
    age = now.timestamp() - moment
    return now - timedelta(seconds=age) if -300 <= age <= 86_400 else now


def _scope(nas: Nas) -> str:
    return nas.identifier or nas.name
