"""Plans: what an admin gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.domain.quotas import CUT, Period, Quota, Tally, Then, in_order
from app.domain.schedules import Window
from app.domain.service_classes import ServiceClass


@dataclass(frozen=True, slots=True)
class Plan:
    """What an admin gives: rates, quotas, timers, devices, validity. None means "no such limit".

    `validity_seconds` runs from the first use. `interim_seconds` None takes the default of the site. A burst lets a
    page open at once: for up to `burst_seconds` more than the rate. `vlan`, `filter_id` and `address_list` are names
    of things that the router must know already; a family that has no such thing is not told. `used_up` is what happens
    when a quota is used up that does not say so itself; `garden` names the filter that leaves the public services only.
    """

    id: str
    name: str
    down_bps: int | None = None
    up_bps: int | None = None
    quotas: tuple[Quota, ...] = ()
    device_limit: int | None = None
    session_seconds: int | None = None
    idle_seconds: int | None = None
    interim_seconds: int | None = None
    validity_seconds: int | None = None
    service_class: ServiceClass = ServiceClass.RESIDENT
    down_burst_bps: int | None = None
    up_burst_bps: int | None = None
    burst_seconds: int | None = None
    vlan: int | None = None
    filter_id: str | None = None
    address_list: str | None = None
    windows: tuple[Window, ...] = ()
    used_up: Then = CUT
    garden: str | None = None


PERIOD_FIELDS: Final = {
    Period.DAY: "daily_octets",
    Period.WEEK: "weekly_octets",
    Period.MONTH: "monthly_octets",
    Period.BILLING: "billing_octets",
    Period.TOTAL: "total_octets",
}
"""The plain quotas: of both directions together, by their period."""


def unsaid(plan: Plan, tallies: Iterable[Tally]) -> dict[Tally, Then]:
    """Return what happens when a quota laid over a plan's is used up and does not say so: what was to happen first."""
    first = {quota.tally: quota.then for quota in reversed(in_order(plan.quotas))}
    return {tally: first.get(tally) or plan.used_up for tally in tallies}


class Idle(NamedTuple):
    """A throttle that leaves one direction as it is: `rate_bps` is the plan's own rate there."""

    then: Then
    way: str
    rate_bps: int


def idle_throttles(plan: Plan) -> list[Idle]:
    """Return where a plan's throttles are not below its rates; hours and overrides with other rates are not asked."""
    found: dict[Idle, None] = {}
    for then in (*(quota.then for quota in plan.quotas), plan.used_up):
        if then is not None:
            for way, held, rate in (("down", then.down_bps, plan.down_bps), ("up", then.up_bps, plan.up_bps)):
                if held is not None and rate is not None and held >= rate:
                    found[Idle(then, way, rate)] = None
    return list(found)
