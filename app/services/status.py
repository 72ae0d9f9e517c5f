"""What a person may know about an own connection: what is left, until when, with how many devices.

The portal believes the MAC that a browser names. So there is nothing to know before a router has used the ticket of
that very login for that MAC, or has shown by itself which session the browser's device has (services/resume).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.db import accounts, online
from app.db import ceilings as db_ceilings
from app.db import usage as db_usage
from app.db.engine import Connection, Database
from app.db.online import OnlineSession
from app.domain.access import Denial, Grant, Held, decide_access, held_by
from app.domain.ceilings import Ceiling, holding, rates_under
from app.domain.local_time import local_day
from app.domain.plans import Plan
from app.domain.policies import Where
from app.domain.quotas import CUT, Measure, Period, Quota, Tally
from app.domain.resume import login_behind
from app.domain.top_ups import left_in
from app.domain.users import Account
from app.services.usage import usages_of

SETTLING: Final = timedelta(minutes=5)
"""How long after a login no session at all is no news: the first accounting is on its way, or the router has none."""

_TODAY: Final = Tally(Period.DAY, Measure.BOTH)
_CLOCK_TOLERANCE: Final = timedelta(minutes=2)
_SECOND: Final = timedelta(seconds=1)  # a status link keeps the moment of its login in whole seconds


class ConnectionState(StrEnum):
    """Online (the router reports a session), expected (logged in a moment ago), or ended."""

    ONLINE = "online"
    EXPECTED = "expected"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """A quota and what remains of it."""

    quota: Quota
    left: int


@dataclass(frozen=True, slots=True)
class Status:
    """One device's connection. `quota` is the tightest one of octets, `time` that of seconds online.

    `held` is what quotas that are used up do to it meanwhile, `extra_octets` what top-ups give beyond them. `down_bps`
    is what it gets now, under `held` and under `ceiling`, the lowest of those that lower anything.

    `denial` says why it could not come back now; `stop_cause` what ended it.
    `carried_out`: a router has let the device in by this login; before that all figures are None.
    """

    state: ConnectionState
    plan: Plan
    quota: QuotaLeft | None
    time: QuotaLeft | None
    held: Held | None
    ceiling: Ceiling | None
    down_bps: int | None
    extra_octets: int
    used_today_octets: int | None
    ends_at: datetime | None
    devices_online: int | None
    reported_at: datetime | None
    stop_cause: str | None
    denial: Denial | None
    carried_out: bool = True


def read_status(
    database: Database,
    *,
    account_id: str,
    mac: str,
    login: str | None,
    logged_in_at: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> Status | None:
    """Return the status of a device that logged in then, by the ticket with the nonce `login`; None: no account.

    `login` None: a router has shown that the device is this account's.
    """
    with database.read() as connection:
        account = accounts.by_id(connection, account_id, now=now)
        if account is None or account.removed:
            return None
        if login is not None and not _carried_out(connection, account_id, mac, login, logged_in_at):
            return _not_yet(account, logged_in_at, now)
        today = local_day(now, zone)
        used_today = db_usage.read(connection, (_TODAY,), [account_id], today=today).get(account_id)
        every = online.sessions_of(connection, account_id, since=logged_in_at - _CLOCK_TOLERANCE)
        own = _own(every, mac, logged_in_at)
        latest = next((session for session in own if session.open), own[0] if own else None)
        where = Where(None if latest is None else latest.site_id, zone)
        account = accounts.by_id(connection, account_id, now=now, where=where) or account
        usage = usages_of(connection, [account], today)[account_id]
        ceilings = db_ceilings.of_accounts(connection, [account_id], now=now).get(account_id, ())
    devices = {session.mac for session in every if session.open}
    decision = decide_access(account, usage, device=mac, online_devices=devices, now=now, zone=zone)
    rates = account.policy.plan.down_bps, account.policy.plan.up_bps
    if isinstance(decision, Grant):
        rates = decision.down_bps, decision.up_bps
    state = _state(own, logged_in_at, now)
    every_left = [QuotaLeft(e.quota, e.quota.left(usage.used(e.quota.tally))) for e in account.policy.quotas]
    extra = left_in(account.top_ups, now)
    left = [
        one for one in every_left if one.left > 0 or extra or one.quota.then in (None, CUT)
    ]  # the others have had their effect
    return Status(
        state=state,
        plan=account.policy.plan,
        quota=_tightest(one for one in left if one.quota.measure is not Measure.TIME),
        time=_tightest(one for one in left if one.quota.measure is Measure.TIME),
        held=held_by(account, usage, now=now, zone=zone),
        ceiling=holding(*rates, ceilings, mac=mac, now=now),
        down_bps=rates_under(*rates, ceilings, mac=mac, now=now)[0],
        extra_octets=extra,
        used_today_octets=0 if used_today is None else used_today.used(_TODAY),
        ends_at=_ends_at(account, latest, now),
        devices_online=len(devices | {mac} if state is not ConnectionState.ENDED else devices),
        reported_at=None if latest is None else latest.last_report_at,
        stop_cause=latest.stop_cause if latest is not None and not latest.open else None,
        denial=decision if isinstance(decision, Denial) else None,
    )


def _tightest(left: Iterable[QuotaLeft]) -> QuotaLeft | None:
    return min(left, key=lambda one: one.left, default=None)


def _own(every: list[OnlineSession], mac: str, logged_in_at: datetime) -> list[OnlineSession]:
    """Return a device's sessions of now and since its login, the newest first."""
    return [s for s in every if s.mac == mac and (s.open or s.last_report_at >= logged_in_at + _SECOND)]


def _carried_out(connection: Connection, account_id: str, mac: str, login: str, logged_in_at: datetime) -> bool:
    """Tell whether a router has used the ticket of a login for the device that the login named."""
    since, until = logged_in_at - _CLOCK_TOLERANCE, logged_in_at + SETTLING + _CLOCK_TOLERANCE
    used = online.tickets_used(connection, account_id, mac, since=since, until=until)
    return any(login_behind(name, acceptance_id) == login for name, acceptance_id in used)


def _not_yet(account: Account, logged_in_at: datetime, now: datetime) -> Status:
    return Status(
        state=_state([], logged_in_at, now),
        plan=account.policy.plan,
        quota=None,
        time=None,
        held=None,
        ceiling=None,
        down_bps=account.policy.plan.down_bps,
        extra_octets=0,
        used_today_octets=None,
        ends_at=None,
        devices_online=None,
        reported_at=None,
        stop_cause=None,
        denial=None,
        carried_out=False,
    )


def _state(own: list[OnlineSession], logged_in_at: datetime, now: datetime) -> ConnectionState:
    if any(session.open for session in own):
        return ConnectionState.ONLINE
    return ConnectionState.ENDED if own or now - logged_in_at > SETTLING else ConnectionState.EXPECTED


def _ends_at(account: Account, session: OnlineSession | None, now: datetime) -> datetime | None:
    """Return when the connection must end: the account's own end, the session's time or closing time, the soonest."""
    ends = [account.ends_at(now), account.policy.phase.closes_at]
    seconds = account.policy.plan.session_seconds
    if seconds is not None:
        begun = session.started_at if session is not None and session.open else now
        ends.append(begun + timedelta(seconds=seconds))
    return min((end for end in ends if end is not None), default=None)
