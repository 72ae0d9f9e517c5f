"""The effective policy of an account: the plan, overlaid by the person's own overrides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.plans import Plan
from app.domain.quotas import Period, Quota, QuotaOverride


class Origin(StrEnum):
    """Where a value of an effective policy came from; a later one overrides an earlier."""

    PLAN = "plan"
    SITE = "site"
    USER = "user"


@dataclass(frozen=True, slots=True)
class EffectiveQuota:
    """One quota of an effective policy, and where it came from."""

    quota: Quota
    origin: Origin
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The effective policy of an account: plan, overlaid by the person's own overrides.

    `changes_at` is the next moment at which it must be computed anew, None if never.
    """

    plan: Plan
    quotas: tuple[EffectiveQuota, ...]
    changes_at: datetime | None = None


def effective_policy(plan: Plan, overrides: Iterable[QuotaOverride], *, now: datetime) -> Policy:
    """Overlay the plan with the overrides that hold at `now`; each value keeps its origin."""
    active = [override for override in overrides if override.active(now)]
    quotas: dict[Period, EffectiveQuota] = {q.period: EffectiveQuota(q, Origin.PLAN) for q in plan.quotas}
    for override in active:
        quotas[override.quota.period] = EffectiveQuota(override.quota, Origin.USER, override.reason)
    ordered = tuple(quotas[period] for period in Period if period in quotas)
    return Policy(plan, ordered, min((o.until for o in active if o.until is not None), default=None))
