"""What one person gets at one place at one moment, and why: each value with its origin, what is left, what comes next.

Nothing is decided here that `decide_access` does not decide: its answer is put beside what led to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, ceilings, hints, nases, online, plans, sites, users
from app.db.engine import Connection, Database
from app.db.online import OnlineSession
from app.domain.access import Denial, Grant, Held, decide_access, held_by
from app.domain.ceilings import Ceiling
from app.domain.granted import Limits, limits_of, slice_of
from app.domain.local_time import local_day, period_ends_at
from app.domain.nases import Nas, Site
from app.domain.overlays import FIELDS, SCHEDULE, Value
from app.domain.policies import Policy, Source, Where
from app.domain.quotas import Action
from app.domain.schedules import Window
from app.domain.spending import Usage
from app.domain.text import spelled
from app.domain.top_ups import draw, left_in
from app.domain.users import Account, Suspension
from app.services.errors import Invalid, NotFound
from app.services.standing import QuotaStanding
from app.services.usage import account_id_of, usages_of

_NO_JITTER: Final = "8000"  # the middle of what an acceptance can draw: the interim as it is meant


class ExplainedValue(NamedTuple):
    """One value of a plan as it holds, where it came from, and what the plan alone would say."""

    field: str
    value: Value
    source: Source
    of_plan: Value


@dataclass(frozen=True, slots=True)
class Explanation:
    """What somebody gets, and why. `name` is the login name, else the account's id.

    `topped_up_octets` are used after the quotas; what is beyond a quota already is taken from them. `held` is what
    quotas that are used up do to somebody who stays online. `suspension` says who suspended them. `granted` is what the
    NAS would be told now, if one is named and the decision is a Grant; `certain` tells whether its interim is known to
    the second (it is drawn with the login), and `anew` whether slices of octets are granted anew while devices are
    online there. `changes_at` is when any of this is next otherwise by the clock alone.
    """

    name: str
    account: Account
    site: Site | None
    nas: Nas | None
    at: datetime
    decision: Grant | Denial
    suspension: Suspension | None
    held: Held | None
    values: Sequence[ExplainedValue]
    quotas: Sequence[QuotaStanding]
    topped_up_octets: int
    ceilings: Sequence[Ceiling]
    devices_online: int
    session: OnlineSession | None
    granted: Limits | None
    certain: bool
    anew: bool
    ends_at: datetime | None
    changes_at: datetime | None

    @property
    def parts(self) -> int:
        """Return among how many devices the octets that are left are divided, with the one that would be told."""
        devices = self.devices_online + (self.session is None)
        if isinstance(self.decision, Denial):
            return 1
        whole = slice_of(self.decision, others=0)
        return 1 if slice_of(self.decision, others=devices - 1) == whole else devices

    @property
    def no_garden(self) -> Literal["nas", "plan"] | None:
        """Return for want of what a quota cuts that was to leave the public services; None: that is not so."""
        quota = self.decision.quota if isinstance(self.decision, Denial) else None
        if quota is None or quota.then is None or quota.then.action is not Action.GARDEN:
            return None
        return "nas" if self.policy.plan.garden else "plan"

    @property
    def policy(self) -> Policy:
        """Return the policy at that place and moment."""
        return self.account.policy

    @property
    def windows(self) -> Sequence[tuple[Window, bool]]:
        """Return the windows that may open, and whether each is open."""
        running = {stretch.window for stretch in self.policy.phase.running}
        return [(window, window in running) for window in self.policy.windows]


def explain(
    database: Database,
    name: str,
    *,
    site: str | None = None,
    nas: str | None = None,
    at: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> Explanation:
    """Explain what a user (or an account, by its id) gets; raise NotFound (user, site, NAS), Invalid.

    Without a site it is the NAS's, else where the person is online, else where the account is good. `at` may lie ahead:
    nothing more is used until then.
    """
    with database.read() as connection:
        account_id = account_id_of(connection, name)
        if account_id is None:
            raise NotFound("user", name)
        every = online.sessions_of(connection, account_id, since=now)
        place, router = _place(connection, every, site, nas)
        where = Where(None if place is None else place.id, zone)
        account = accounts.by_id(connection, account_id, now=at, where=where)
        assert account is not None, "it was found just now"
        if place is None and account.site_id is not None:
            place = sites.by_id(connection, account.site_id)
            account = accounts.by_id(connection, account_id, now=at, where=Where(account.site_id, zone)) or account
        today = local_day(now, zone)
        usage = usages_of(connection, [account], today)[account_id].as_of(local_day(at, zone), account.billing_day)
        held = ceilings.of_accounts(connection, [account_id], now=at).get(account_id, ())
        silent, deaf = hints.unaccounted(connection), hints.deaf(connection)
        plan = plans.by_id(connection)[account.policy.plan.id]
        known = users.usernames_of(connection, [account_id])
        suspension = accounts.suspension_of(connection, account_id) if account.suspended else None
    session = next((one for one in every if one.open and _is_there(one, place, router)), None)
    macs = {one.mac for one in every if one.open}
    device = "" if session is None else session.mac
    decision = decide_access(
        account,
        usage,
        device=device,
        online_devices=macs,
        now=at,
        zone=zone,
        ceilings=held,
        garden=router is None or router.can_garden,
    )
    granted = None
    if router is not None and place is not None and isinstance(decision, Grant):
        granted = limits_of(
            decision,
            others=len(macs - {device}),
            acceptance_id=_acceptance(session),
            interim_seconds=place.interim_seconds,
            accounts=router.id not in silent,
            steps=router.cuts_at_steps(deaf=router.id in deaf),
            unreached=router.is_unreached(deaf=router.id in deaf),
        )
    standings = [
        QuotaStanding(
            each, usage.used(each.quota.tally), period_ends_at(each.quota.period, at, zone, account.billing_day)
        )
        for each in account.policy.quotas
    ]
    ends_at = account.ends_at(at)
    policy = account.policy
    return Explanation(
        name=known.get(account_id, account_id),
        account=account,
        site=place,
        nas=router,
        at=at,
        decision=decision,
        suspension=suspension,
        held=held_by(account, usage, now=at, zone=zone) if isinstance(decision, Grant) else None,
        values=[
            ExplainedValue(field, getattr(policy.plan, field), policy.source(field), getattr(plan, field))
            for field in FIELDS
            if field != SCHEDULE
        ],
        quotas=standings,
        topped_up_octets=_topped_up(account, usage, at),
        ceilings=held,
        devices_online=len(macs),
        session=session,
        granted=granted,
        certain=session is not None and session.acceptance_id is not None,
        anew=router is not None and router.takes_octets(deaf=router.id in deaf),
        ends_at=ends_at,
        changes_at=_soonest(at, policy, standings, held, ends_at),
    )


def _place(
    connection: Connection, every: Sequence[OnlineSession], site: str | None, nas: str | None
) -> tuple[Site | None, Nas | None]:
    router = None if nas is None else nases.by_name(connection, spelled(nas))
    if nas is not None and router is None:
        raise NotFound("nas", nas)
    if site is not None:
        place = sites.by_name(connection, spelled(site))
        if place is None:
            raise NotFound("site", site)
        if router is not None and router.site_id != place.id:
            raise Invalid("nas", f"stands at another site than {site}")
        return place, router
    there = next((one.site_id for one in every if one.open and one.site_id is not None), None)
    site_id = there if router is None else router.site_id
    return None if site_id is None else sites.by_id(connection, site_id), router


def _is_there(session: OnlineSession, place: Site | None, router: Nas | None) -> bool:
    return session.nas_id == router.id if router is not None else place is not None and session.site_id == place.id


def _topped_up(account: Account, usage: Usage, at: datetime) -> int:
    """Return what is left of top-ups once they have paid for what is beyond a quota, as the next report makes them."""
    left = left_in(account.top_ups, at)
    return left - draw([effective.quota for effective in account.policy.quotas], usage, left).octets


def _acceptance(session: OnlineSession | None) -> str:
    return _NO_JITTER if session is None or session.acceptance_id is None else session.acceptance_id


def _soonest(
    at: datetime,
    policy: Policy,
    quotas: Sequence[QuotaStanding],
    held: Sequence[Ceiling],
    ends_at: datetime | None,
) -> datetime | None:
    moments = [policy.changes_at, ends_at, *(one.renewed_at for one in quotas), *(one.until for one in held)]
    return min((moment for moment in moments if moment is not None and moment > at), default=None)
