"""The effective policy: the plan, overlaid by the site, overlaid by the person's own; each value knows its origin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from app.domain.overlays import NOTHING, Overlay
from app.domain.plans import Plan
from app.domain.quotas import Quota, Tally, in_order, tallies_of


class Origin(StrEnum):
    """Where a value of an effective policy came from; a later one overrides an earlier."""

    PLAN = "plan"
    SITE = "site"
    USER = "user"


class Source(NamedTuple):
    """Where one value came from, why, and until when it stands there (None: for good)."""

    origin: Origin = Origin.PLAN
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EffectiveQuota:
    """One quota of an effective policy, and where it came from."""

    quota: Quota
    origin: Origin
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What an account gets at one place.

    `plan` is its plan with the values that hold: those of the site and the person's own are in it. `sources` says of
    each value that is not the plan's own where it came from. `changes_at` is the next moment at which the policy must
    be worked out anew, None if never.
    """

    plan: Plan
    quotas: tuple[EffectiveQuota, ...]
    changes_at: datetime | None = None
    sources: tuple[tuple[str, Source], ...] = ()

    def holds(self, now: datetime) -> bool:
        """Tell whether nothing has changed by `now`."""
        return self.changes_at is None or now < self.changes_at

    def source(self, field: str) -> Source:
        """Return where a value came from."""
        return next((source for name, source in self.sources if name == field), _PLAN)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """Return what must be counted to decide by it."""
        return tallies_of(effective.quota for effective in self.quotas)


_PLAN: Final = Source()
_BURSTS: Final = {"down_bps": "down_burst_bps", "up_bps": "up_burst_bps"}


def effective_policy(plan: Plan, own: Overlay = NOTHING, *, site: Iterable[Overlay] = (), now: datetime) -> Policy:
    """Lay over the plan what holds at `now`: what the site says, the more particular last, then the person's own."""
    values: dict[str, Any] = {}  # each of its field's type
    sources: dict[str, Source] = {}
    quotas = {quota: EffectiveQuota(quota, Origin.PLAN) for quota in plan.quotas}
    ends: list[datetime | None] = []
    for origin, overlay in [*((Origin.SITE, one) for one in site), (Origin.USER, own)]:
        active = [override for override in overlay.overrides if override.active(now)]
        given = {override.field for override in active}
        for override in active:
            source = Source(origin, override.reason, override.until)
            values[override.field], sources[override.field] = override.value, source
            burst = _BURSTS.get(override.field)
            if burst is not None and burst not in given:  # a burst belongs to the rate that it was given with
                values[burst], sources[burst] = None, source
        own_quotas = [override for override in overlay.quotas if override.active(now)]
        replaced = {one.quota.tally for one in own_quotas}
        quotas = {quota: one for quota, one in quotas.items() if quota.tally not in replaced}
        quotas |= {one.quota: EffectiveQuota(one.quota, origin, one.reason, one.until) for one in own_quotas}
        ends += [*(one.until for one in active), *(one.until for one in own_quotas)]
    return Policy(
        _within_reach(replace(plan, **values)) if values else plan,
        tuple(quotas[quota] for quota in in_order(quotas)),
        min((end for end in ends if end is not None), default=None),
        tuple(sorted(sources.items())),
    )


def _within_reach(plan: Plan) -> Plan:
    """Return the plan without a burst that is none: not above its rate, or of a rate without a limit."""
    return replace(
        plan,
        down_burst_bps=_burst(plan.down_bps, plan.down_burst_bps),
        up_burst_bps=_burst(plan.up_bps, plan.up_burst_bps),
    )


def _burst(bps: int | None, burst_bps: int | None) -> int | None:
    return None if bps is None or burst_bps is None or burst_bps <= bps else burst_bps


class Rules:
    """The plans, and what each site lays over them: over every plan ("") or over one, by its id.

    A policy that is nobody's own is worked out once for each plan and site, until it changes.
    """

    def __init__(self, plans: Mapping[str, Plan], sites: Mapping[str, Mapping[str, Overlay]] | None = None) -> None:
        self.plans = dict(plans)
        self.sites = {} if sites is None else dict(sites)
        self._shared: dict[tuple[str, str | None], Policy] = {}

    def policy(self, plan_id: str, own: Overlay | None, site_id: str | None, now: datetime) -> Policy:
        """Return what an account of a plan gets at a site; one that has nothing of its own shares its policy."""
        if site_id not in self.sites:
            site_id = None
        if own is not None:
            return effective_policy(self.plans[plan_id], own, site=self._overlays(plan_id, site_id), now=now)
        shared = self._shared.get((plan_id, site_id))
        if shared is None or not shared.holds(now):
            shared = effective_policy(self.plans[plan_id], site=self._overlays(plan_id, site_id), now=now)
            self._shared[plan_id, site_id] = shared
        return shared

    @property
    def quotas(self) -> list[Quota]:
        """Return every quota of a plan or a site."""
        laid_over = [overlay for over in self.sites.values() for overlay in over.values()]
        return [
            *(quota for plan in self.plans.values() for quota in plan.quotas),
            *(override.quota for overlay in laid_over for override in overlay.quotas),
        ]

    def _overlays(self, plan_id: str, site_id: str | None) -> tuple[Overlay, ...]:
        if site_id is None:
            return ()
        over = self.sites[site_id]
        return over.get("", NOTHING), over.get(plan_id, NOTHING)
