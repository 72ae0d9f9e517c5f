"""The effective policy: the plan, overlaid by the site, overlaid by the person's own; each value knows its origin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.overlays import NOTHING, SCHEDULE, Overlay
from app.domain.plans import Plan
from app.domain.quotas import CUT, Quota, Tally, Then, in_order, tallies_of
from app.domain.schedules import NEVER, Calendars, Phase, Span, Window, phase_of


class Origin(StrEnum):
    """Where a value of an effective policy came from; a later one overrides an earlier."""

    PLAN = "plan"
    SITE = "site"
    USER = "user"


class Source(NamedTuple):
    """Where one value came from, why, and until when it stands there (None: for good).

    `window` is the name of the schedule's window that says so, "" if it holds at any hour.
    """

    origin: Origin = Origin.PLAN
    reason: str = ""
    until: datetime | None = None
    window: str = ""


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

    `plan` is its plan with the values that hold: those of the site, the person's own and those of the hour are in it.
    `sources` says of each value that is not the plan's own where it came from. `windows` are those that may open, and
    `phase` says what they do now. `changes_at` is the next moment at which the policy must be worked out anew, None if
    never.
    """

    plan: Plan
    quotas: tuple[EffectiveQuota, ...]
    changes_at: datetime | None = None
    sources: tuple[tuple[str, Source], ...] = ()
    windows: tuple[Window, ...] = ()
    phase: Phase = Phase()  # noqa: RUF009 a frozen value

    @property
    def opens_at(self) -> datetime | None:
        """Return when it is open again, if it is closed now; None: not within a year."""
        return None if self.phase.closed is None else _end(self.phase.closed)

    @property
    def counts_at(self) -> datetime | None:
        """Return when quotas count again, if it is free of charge now; None: not within a year."""
        return None if self.phase.free is None else _end(self.phase.free)

    def holds(self, now: datetime) -> bool:
        """Tell whether nothing has changed by `now`."""
        return (self.changes_at is None or now < self.changes_at) and self.phase.holds(now)

    def source(self, field: str) -> Source:
        """Return where a value came from."""
        return next((source for name, source in self.sources if name == field), _PLAN)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """Return what must be counted to decide by it."""
        return tallies_of(effective.quota for effective in self.quotas)


class Where(NamedTuple):
    """The place that a policy is for: a site (None: none in particular), and the city's zone, which says the hour."""

    site_id: str | None
    zone: ZoneInfo


CLOSED: Final = "closed"
FREE: Final = "free"
"""Beside the fields of a plan, what `sources` says of the hour."""

_PLAN: Final = Source()
_ALWAYS: Final = Phase()
_BURSTS: Final = {"down_bps": "down_burst_bps", "up_bps": "up_burst_bps"}


def effective_policy(
    plan: Plan, own: Overlay = NOTHING, *, site: Iterable[Overlay] = (), phase: Phase = _ALWAYS, now: datetime
) -> Policy:
    """Lay over the plan what holds at `now`: what the site says, the more particular last, then the person's own.

    `phase` is what the windows that `windows_of` returns for the same do now; they hold against what lies below them.
    """
    layers = _layers(plan, site, own)
    windows = _windows(layers, now)
    values: dict[str, Any] = {}  # each of its field's type
    sources: dict[str, Source] = {}
    quotas = {quota: EffectiveQuota(quota, Origin.PLAN) for quota in plan.quotas}
    ends: list[datetime | None] = [phase.until]

    def put(given: Mapping[str, Any], source: Mapping[str, Source]) -> None:
        for field, value in given.items():
            values[field], sources[field] = value, source[field]
            burst = _BURSTS.get(field)
            if burst is not None and burst not in given:  # a burst belongs to the rate that it was given with
                values[burst], sources[burst] = None, source[field]

    for origin, overlay in layers:
        active = [override for override in overlay.overrides if override.active(now)]
        put(
            {one.field: one.value for one in active if one.field != SCHEDULE},
            {one.field: Source(origin, one.reason, one.until) for one in active},
        )
        for span, window in phase.running:
            if window in overlay.windows:
                source = Source(origin, until=_end(span), window=window.name)
                put(dict(window.rates), dict.fromkeys((field for field, _ in window.rates), source))
                sources |= {CLOSED: source} if window.closed else {}
                sources |= {FREE: source} if window.free else {}
        own_quotas = [override for override in overlay.quotas if override.active(now)]
        replaced = {one.quota.tally for one in own_quotas}
        first = {quota.tally: quota.then for quota in reversed(in_order(quotas))}  # what was to happen first
        own_quotas = [replace(one, quota=_said(one.quota, first.get(one.quota.tally))) for one in own_quotas]
        quotas = {quota: one for quota, one in quotas.items() if quota.tally not in replaced}
        quotas |= {one.quota: EffectiveQuota(one.quota, origin, one.reason, one.until) for one in own_quotas}
        ends += [*(one.until for one in active), *(one.until for one in own_quotas)]
    held = _within_reach(replace(plan, **values)) if values else plan
    return Policy(
        held,
        tuple(replace(quotas[quota], quota=_said(quota, held.used_up)) for quota in in_order(quotas)),
        min((end for end in ends if end is not None), default=None),
        tuple(sorted(sources.items())),
        windows,
        phase,
    )


def _said(quota: Quota, then: Then | None) -> Quota:
    """Return a quota that says what happens when it is used up; one that says nothing is cut."""
    return quota if quota.then is not None or then in (None, CUT) else replace(quota, then=then)


def windows_of(
    plan: Plan, own: Overlay = NOTHING, *, site: Iterable[Overlay] = (), now: datetime
) -> tuple[Window, ...]:
    """Return the windows that may open: the plan's and the site's, unless something above takes them away."""
    return _windows(_layers(plan, site, own), now)


def _layers(plan: Plan, site: Iterable[Overlay], own: Overlay) -> Sequence[tuple[Origin, Overlay]]:
    return [
        (Origin.PLAN, Overlay(windows=plan.windows)),
        *((Origin.SITE, overlay) for overlay in site),
        (Origin.USER, own),
    ]


def _end(span: Span) -> datetime | None:
    return None if span.ends_at >= NEVER else span.ends_at


def _windows(layers: Sequence[tuple[Origin, Overlay]], now: datetime) -> tuple[Window, ...]:
    windows: tuple[Window, ...] = ()
    for _, overlay in layers:
        if any(override.field == SCHEDULE and override.active(now) for override in overlay.overrides):
            windows = ()
        windows += overlay.windows
    return windows


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
    """The plans, what each site lays over them (over every plan, "", or over one, by its id), and calendars.

    A policy that is nobody's own is worked out once for each plan and site, until it changes; what the windows do is
    worked out once for all that have the same. Without a zone no window opens: then policies are for no hour.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        sites: Mapping[str, Mapping[str, Overlay]] | None = None,
        calendars: Calendars | None = None,
        zone: ZoneInfo | None = None,
    ) -> None:
        self.plans = dict(plans)
        self.sites = {} if sites is None else dict(sites)
        self.calendars = {} if calendars is None else dict(calendars)
        self.zone = zone
        self._shared: dict[tuple[str, str | None], Policy] = {}
        self._phases: dict[tuple[Window, ...], Phase] = {}

    def policy(self, plan_id: str, own: Overlay | None, site_id: str | None, now: datetime) -> Policy:
        """Return what an account of a plan gets at a site; one that has nothing of its own shares its policy."""
        if site_id not in self.sites:
            site_id = None
        if own is not None:
            return self._policy(plan_id, own, site_id, now)
        shared = self._shared.get((plan_id, site_id))
        if shared is None or not shared.holds(now):
            shared = self._shared[plan_id, site_id] = self._policy(plan_id, NOTHING, site_id, now)
        return shared

    @property
    def quotas(self) -> list[Quota]:
        """Return every quota of a plan or a site."""
        laid_over = [overlay for over in self.sites.values() for overlay in over.values()]
        return [
            *(quota for plan in self.plans.values() for quota in plan.quotas),
            *(override.quota for overlay in laid_over for override in overlay.quotas),
        ]

    @property
    def free_windows(self) -> list[Window]:
        """Return every window of a plan or a site in which it is free of charge."""
        laid_over = [overlay for over in self.sites.values() for overlay in over.values()]
        every = [*(plan.windows for plan in self.plans.values()), *(overlay.windows for overlay in laid_over)]
        return [window for windows in every for window in windows if window.free]

    def _policy(self, plan_id: str, own: Overlay, site_id: str | None, now: datetime) -> Policy:
        plan, site = self.plans[plan_id], self.overlays(plan_id, site_id)
        phase = self._phase(windows_of(plan, own, site=site, now=now), now)
        return effective_policy(plan, own, site=site, phase=phase, now=now)

    def _phase(self, windows: tuple[Window, ...], now: datetime) -> Phase:
        if self.zone is None or not windows:
            return _ALWAYS
        phase = self._phases.get(windows)
        if phase is None or not phase.holds(now):
            phase = self._phases[windows] = phase_of(windows, self.calendars, now, self.zone)
        return phase

    def overlays(self, plan_id: str, site_id: str | None) -> tuple[Overlay, ...]:
        """Return what a site lays over a plan, the more particular last."""
        if site_id not in self.sites or site_id is None:
            return ()
        over = self.sites[site_id]
        return over.get("", NOTHING), over.get(plan_id, NOTHING)
