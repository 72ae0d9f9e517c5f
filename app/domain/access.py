"""Who may go online, and within which limits: one pure function, used by the portal and by RADIUS."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.ceilings import Ceiling, rates_under
from app.domain.clock import believable
from app.domain.local_time import local_day, period_ends_at
from app.domain.policies import Policy
from app.domain.quotas import Action, Measure, Quota
from app.domain.service_classes import ServiceClass
from app.domain.spending import Usage
from app.domain.top_ups import left_in
from app.domain.users import Account

LEAST_SECONDS: Final = 60
"""So much of a quota of time is granted whole: an idle phone uses none, and would log in every few seconds."""

_UNDATED_SECONDS: Final = 3600
"""How long a session may last that begins while nobody knows the time; then the account's end is looked at again."""


class DenialReason(StrEnum):
    """Why not. Each has a message for people in the catalogue, and a word in the access log."""

    WRONG_CREDENTIALS = "wrong_credentials"  # unknown name or wrong password: deliberately one
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    CLOSED = "closed"  # a window of the schedule in which nobody is online
    QUOTA_EXHAUSTED = "quota_exhausted"
    DEVICE_LIMIT = "device_limit"
    NO_FREE_PLAN = "no_free_plan"  # the site gives nothing without an account or a voucher
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    VOUCHER_UNKNOWN = "voucher_unknown"
    VOUCHER_USED = "voucher_used"  # by another device than may use it
    VOUCHER_REVOKED = "voucher_revoked"
    TOP_UP_OF_NOBODY = "top_up_of_nobody"  # a code that adds to an account, and the phone has none
    TOP_UP_ADDS_NOTHING = "top_up_adds_nothing"  # days, and the account has no end
    TOO_MANY_TRIES = "too_many_tries"
    TICKET_INVALID = "ticket_invalid"
    TICKET_EXPIRED = "ticket_expired"
    TICKET_USED = "ticket_used"
    RESUME_UNKNOWN = "resume_unknown"  # a MAC that no grant covers
    METHOD_NOT_ALLOWED = "method_not_allowed"  # a credential that this NAS or account may not use


class Grant(NamedTuple):
    """Online, within these limits; None means "no such limit", amounts and times are what remains from `now` on.

    `octets_left` are those of both directions together. What is left until something but a cut happens are the steps:
    nobody may lose the connection by them. `renewed_seconds` is when who is held down, or in the garden, is so no more;
    `counts_seconds` when quotas count again, while it is free of charge.
    """

    down_bps: int | None
    up_bps: int | None
    octets_left: int | None
    session_seconds: int | None
    idle_seconds: int | None
    interim_seconds: int | None
    service_class: ServiceClass = ServiceClass.RESIDENT
    down_burst_bps: int | None = None
    up_burst_bps: int | None = None
    burst_seconds: int | None = None
    vlan: int | None = None
    filter_id: str | None = None
    address_list: str | None = None
    down_octets_left: int | None = None
    up_octets_left: int | None = None
    step_octets: int | None = None
    step_down_octets: int | None = None
    step_up_octets: int | None = None
    step_seconds: int | None = None
    renewed_seconds: int | None = None
    counts_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """Not online, why, and from when on it is worth trying again (None: not by waiting).

    `quota` is the one that is used up, where that is the reason. `proven` is the account whose password was right.
    """

    reason: DenialReason
    retry_at: datetime | None = None
    quota: Quota | None = None
    proven: str | None = field(default=None, compare=False)


def decide_access(
    account: Account,
    usage: Usage,
    *,
    device: str,
    online_devices: Collection[str],
    now: datetime,
    zone: ZoneInfo,
    ceilings: Collection[Ceiling] = (),
    elapsed_seconds: int = 0,
    garden: bool = True,
) -> Grant | Denial:
    """Decide whether `device` may go online with `account` at `now`, and within which limits.

    `online_devices` are the MACs that are online or about to be (an Accept whose Start has not come); the device
    itself never counts against its own limit, so a phone that comes back supersedes its dead session. `ceilings` are
    those of the account; `elapsed_seconds` is how long its session has lasted already. `garden` tells whether the
    router can leave somebody the public services only.
    """
    policy, plan = account.policy, account.policy.plan
    ends_at = account.ends_at(now)
    if account.removed:
        return Denial(DenialReason.WRONG_CREDENTIALS)
    if account.suspended:
        return Denial(DenialReason.SUSPENDED)
    if ends_at is not None and ends_at <= now:
        return Denial(DenialReason.EXPIRED)
    if policy.phase.closed is not None:
        return Denial(DenialReason.CLOSED, policy.opens_at)
    weighed = _NOTHING_WEIGHED
    if policy.quotas and policy.phase.free is None:
        found = _weigh(account, usage, now=now, zone=zone, garden=garden)
        if isinstance(found, Denial):
            return found
        weighed = found
    if plan.device_limit is not None and len(set(online_devices) - {device}) >= plan.device_limit:
        return Denial(DenialReason.DEVICE_LIMIT)
    down_bps, up_bps = plan.down_bps, plan.up_bps
    if ceilings:
        down_bps, up_bps = rates_under(down_bps, up_bps, ceilings, mac=device, now=now)
    left, steps, held = weighed.left, weighed.steps, weighed.held
    if held is not None:
        down_bps, up_bps = _lower(down_bps, held.down_bps), _lower(up_bps, held.up_bps)
    return Grant(
        down_bps=down_bps,
        up_bps=up_bps,
        octets_left=left.get(Measure.BOTH),
        session_seconds=_session_seconds(
            plan.session_seconds, elapsed_seconds, left.get(Measure.TIME), _soonest(ends_at, policy), now
        ),
        idle_seconds=plan.idle_seconds,
        interim_seconds=plan.interim_seconds,
        service_class=plan.service_class,
        down_burst_bps=plan.down_burst_bps if down_bps == plan.down_bps else None,  # who is held down has no burst
        up_burst_bps=plan.up_burst_bps if up_bps == plan.up_bps else None,
        burst_seconds=plan.burst_seconds,
        vlan=plan.vlan,
        filter_id=plan.garden if held is not None and held.in_garden else plan.filter_id,
        address_list=plan.address_list,
        down_octets_left=left.get(Measure.DOWN),
        up_octets_left=left.get(Measure.UP),
        step_octets=steps.get(Measure.BOTH),
        step_down_octets=steps.get(Measure.DOWN),
        step_up_octets=steps.get(Measure.UP),
        step_seconds=steps.get(Measure.TIME),
        renewed_seconds=None if held is None else _seconds_until(held.until, now),
        counts_seconds=_seconds_until(policy.counts_at, now) if policy.quotas else None,
    )


class Held(NamedTuple):
    """What quotas that are used up do to somebody who stays online, and until when (None: for good).

    `quota` is the one of them that lasts longest.
    """

    quota: Quota
    until: datetime | None
    down_bps: int | None
    up_bps: int | None
    in_garden: bool


class _Weighed(NamedTuple):
    """What is left until a cut, and until something else happens, by measure; and what has happened already."""

    left: Mapping[Measure, int]
    steps: Mapping[Measure, int]
    held: Held | None


_NOTHING_WEIGHED: Final = _Weighed({}, {}, None)
_NEAR: Final = timedelta(minutes=10)
"""So long before a period ends the next one's octets are granted with what is left: nobody is cut soon after."""


def is_renewed_soon(account: Account, *, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the period of a quota of octets ends so soon that the next one's amount is granted with the rest."""
    ends = (
        period_ends_at(effective.quota.period, now, zone, account.billing_day)
        for effective in account.policy.quotas
        if effective.quota.measure is not Measure.TIME
    )
    return any(end is not None and end - now <= _NEAR for end in ends)


def held_by(account: Account, usage: Usage, *, now: datetime, zone: ZoneInfo) -> Held | None:
    """Return what quotas that are used up do to an account that may stay online; None if nothing."""
    if not account.policy.quotas or account.policy.phase.free is not None:
        return None
    weighed = _weigh(account, usage, now=now, zone=zone, garden=True)
    return None if isinstance(weighed, Denial) else weighed.held


def _weigh(account: Account, usage: Usage, *, now: datetime, zone: ZoneInfo, garden: bool) -> _Weighed | Denial:
    """Hold what was used against every quota; `garden` tells whether the router can leave the public services only."""
    current = usage.as_of(local_day(now, zone), account.billing_day)
    extra = left_in(account.top_ups, now) if account.top_ups else 0
    left: dict[Measure, int] = {}
    steps: dict[Measure, int] = {}
    empty: list[Quota] = []
    for effective in account.policy.quotas:
        quota = effective.quota
        used = current.used(quota.tally)
        rest = quota.left(used if quota.measure is Measure.TIME else used - extra)
        if rest == 0:
            empty.append(quota)
            continue
        rest = _to_grant(quota, rest, account, now, zone)
        least = left if quota.then is None or quota.then.action is Action.CUT else steps
        if rest < least.get(quota.measure, rest + 1):
            least[quota.measure] = rest
    if not empty:
        return _Weighed(left, steps, None)
    ends = [(quota, period_ends_at(quota.period, now, zone, account.billing_day)) for quota in empty]
    in_garden = any(quota.then is not None and quota.then.action is Action.GARDEN for quota in empty)
    if in_garden and not (garden and account.policy.plan.garden):
        ends = [one for one in ends if one[0].then is None or one[0].then.action is not Action.THROTTLE]
        return _exhausted(ends, now)
    cut = [one for one in ends if one[0].then is None or one[0].then.action is Action.CUT]
    return _exhausted(cut, now) if cut else _Weighed(left, steps, _held(ends, in_garden, now))


def _to_grant(quota: Quota, rest: int, account: Account, now: datetime, zone: ZoneInfo) -> int:
    """Add the next period's amount to what is left of one that ends before it can be used, or soon.

    Of time at least `LEAST_SECONDS` are left.
    """
    ends_at = period_ends_at(quota.period, now, zone, account.billing_day)
    if quota.measure is Measure.TIME:
        seconds = None if ends_at is None else int((ends_at - now).total_seconds())
        return max(LEAST_SECONDS, rest if seconds is None or rest < seconds else seconds + quota.amount)
    if ends_at is None:
        return rest
    return rest + quota.amount if ends_at - now <= _NEAR else rest


def _exhausted(ends: Sequence[tuple[Quota, datetime | None]], now: datetime) -> Denial:
    quota, ends_at = _last(ends, now)
    return Denial(DenialReason.QUOTA_EXHAUSTED, ends_at, quota)


def _held(ends: Sequence[tuple[Quota, datetime | None]], in_garden: bool, now: datetime) -> Held:
    thens = [quota.then for quota, _ in ends if quota.then is not None]
    down = [then.down_bps for then in thens if then.down_bps is not None]
    up = [then.up_bps for then in thens if then.up_bps is not None]
    quota, until = _last(ends, now)
    return Held(quota, until, min(down, default=None), min(up, default=None), in_garden)


def _last(ends: Sequence[tuple[Quota, datetime | None]], now: datetime) -> tuple[Quota, datetime | None]:
    """Return the quota that lasts longest, and its end: waiting for a shorter one would disappoint."""
    return max(ends, key=lambda end: (end[1] is None, end[1] or now, end[0].amount))


def _lower(bps: int | None, other: int | None) -> int | None:
    return other if bps is None else bps if other is None else min(bps, other)


def _seconds_until(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else max(1, int((moment - now).total_seconds()))


def _soonest(ends_at: datetime | None, policy: Policy) -> datetime | None:
    """Return when a session must end at the latest: with the account, or when it closes."""
    closes_at = policy.phase.closes_at
    return ends_at if closes_at is None or (ends_at is not None and ends_at < closes_at) else closes_at


def _session_seconds(
    limit: int | None, elapsed: int, quota: int | None, ends_at: datetime | None, now: datetime
) -> int | None:
    """Return the shortest of what is left of the plan's session time, of its quotas of time, and of the account.

    That is at least one second.
    """
    if limit is not None:
        limit = max(1, limit - elapsed)
    if ends_at is not None:
        left = max(1, int((ends_at - now).total_seconds()))
        if not believable(now):
            left = min(left, _UNDATED_SECONDS)
        limit = left if limit is None else min(limit, left)
    if quota is not None:
        limit = quota if limit is None else min(limit, quota)
    return limit


@dataclass(frozen=True, slots=True)
class End:
    """An open session must end."""

    reason: DenialReason


def reconsider(
    account: Account,
    usage: Usage,
    *,
    device: str,
    online_devices: Collection[str],
    now: datetime,
    zone: ZoneInfo,
    ceilings: Collection[Ceiling] = (),
    elapsed_seconds: int = 0,
    garden: bool = True,
) -> Grant | End:
    """Decide about a session that is already open: it goes on within new limits, or it ends."""
    decision = decide_access(
        account,
        usage,
        device=device,
        online_devices=online_devices,
        now=now,
        zone=zone,
        ceilings=ceilings,
        elapsed_seconds=elapsed_seconds,
        garden=garden,
    )
    return End(decision.reason) if isinstance(decision, Denial) else decision
