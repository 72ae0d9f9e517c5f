"""What a change of a plan would do, before it is done: whom it touches, and what each would get before and after.

What hours or a value with an end hide today is looked for at their ends.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, overlays, sessions, sites
from app.db.engine import Database
from app.db.rules import read_rules
from app.domain.overlays import FIELDS, SCHEDULE, Overlay, value_of
from app.domain.plans import Plan
from app.domain.policies import Origin, Policy, Rules
from app.domain.quotas import in_order
from app.services.plans import PlanValues, check_together, checked_values, stored_plan

_NAMES: Final = 10
_QUOTAS: Final = "quotas"
_CHANGEABLE: Final = (*(field for field in FIELDS if field != SCHEDULE), _QUOTAS)
_HIDINGS: Final = 50  # one after the other, such as windows that follow each other

_Sides = Callable[[datetime], tuple[Policy, Policy]]
"""What somebody gets at a moment, before and after."""


class Moved(NamedTuple):
    """One value before and after; a quota's `field` is "quotas".

    `begins_at` is when it is first seen, None for at once: until then hours or a value with an end hide it.
    """

    field: str
    before: Any  # the value's own type
    after: Any
    begins_at: datetime | None = None


@dataclass(slots=True)
class Group:
    """Accounts that would see the same: at a site (None: elsewhere, offline), with or without values of their own."""

    site: str | None
    own: bool
    moved: Sequence[Moved]
    accounts: int = 0
    online: int = 0
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change: the plan before and after, and the groups, the largest first. `names` are some of them all."""

    before: Plan
    after: Plan
    accounts: int
    online: int
    groups: Sequence[Group]


def preview_plan(database: Database, name: str, values: PlanValues, *, zone: ZoneInfo, now: datetime) -> Preview:
    """Return what `set_plan` with the same would do; it does nothing. Raise NotFound, Invalid."""
    columns, quotas = checked_values(values)
    with database.read() as connection:
        plan = stored_plan(connection, name)
        kept = [quota for quota in plan.quotas if quota.tally not in quotas]
        new = [quota for some in quotas.values() for quota in some]
        replaced: dict[str, Any] = {name: value_of(name, value) for name, value in columns.items()}
        after = replace(plan, quotas=in_order([*kept, *new]), **replaced)
        check_together(after)
        rules = read_rules(connection, zone)
        own = overlays.read_own(connection)
        online_at = sessions.sites_of_accounts(connection, plan.id)
        site_names = {site.id: site.name for site in sites.read_all(connection)}
        holders = accounts.holders(connection, plan.id)
    touched = [field for field in FIELDS if getattr(plan, field, None) != getattr(after, field, None)]
    if plan.quotas != after.quotas or plan.used_up != after.used_up:
        touched.append(_QUOTAS)
    plans_after = {**rules.plans, plan.id: after}
    pairs = [  # the second is asked about what lies ahead, so that each keeps what it has worked out for its moment
        (Rules(rules.plans, rules.sites, rules.calendars, zone), Rules(plans_after, rules.sites, rules.calendars, zone))
        for _ in range(2)
    ]

    def sides(laid_over: Overlay | None, site_id: str | None) -> _Sides:
        def at(moment: datetime) -> tuple[Policy, Policy]:
            before, changed = pairs[moment > now]
            where = plan.id, laid_over, site_id, moment
            return before.policy(*where), changed.policy(*where)

        return at

    shared: dict[str | None, tuple[Moved, ...]] = {}
    groups: dict[tuple[str | None, bool, tuple[Moved, ...]], Group] = {}
    for account_id, username in holders:
        places = online_at.get(account_id, ())
        for site_id in places or (None,):
            laid_over = own.get(account_id)
            if laid_over is not None:
                moved = _moved(sides(laid_over, site_id), touched, now)
            elif site_id in shared:
                moved = shared[site_id]
            else:
                moved = shared[site_id] = _moved(sides(None, site_id), touched, now)
            site = None if site_id is None else site_names.get(site_id)
            key = (site, laid_over is not None, moved)
            group = groups.setdefault(key, Group(site, laid_over is not None, moved))
            group.accounts += 1
            group.online += bool(places)
            if username and len(group.names) < _NAMES:
                group.names.append(username)
    ordered = sorted(groups.values(), key=lambda group: (-group.accounts, group.site or "", group.own))
    return Preview(plan, after, len(holders), len(online_at), ordered)


def _moved(sides: _Sides, touched: Collection[str], now: datetime) -> tuple[Moved, ...]:
    before, after = sides(now)
    found = {each: Moved(each, _value(before, each), _value(after, each)) for each in _CHANGEABLE}
    hidden = [each for each in touched if found[each].before == found[each].after]
    for _ in range(_HIDINGS):
        ends = [end for each in hidden if (end := _hidden_until(after, each)) is not None]
        if not ends:
            break
        at = min(ends)
        before, after = sides(at)
        found |= {each: Moved(each, _value(before, each), _value(after, each), at) for each in hidden}
        hidden = [each for each in hidden if found[each].before == found[each].after]
    return tuple(one for one in found.values() if one.before != one.after)


def _hidden_until(policy: Policy, field: str) -> datetime | None:
    """Return when the plan's own value may be seen, if something with an end is laid over it."""
    if field != _QUOTAS:
        return policy.source(field).until
    ends = [one.until for one in policy.quotas if one.origin is not Origin.PLAN and one.until is not None]
    return min(ends, default=None)


def _value(policy: Policy, field: str) -> Any:  # Any: of the field's own type
    return tuple(effective.quota for effective in policy.quotas) if field == _QUOTAS else getattr(policy.plan, field)
