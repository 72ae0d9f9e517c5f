"""What a change of a plan would do, before it is done: whom it touches, and what each would get before and after."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, overlays, sessions, sites
from app.db.engine import Database
from app.db.rules import read_rules
from app.domain.overlays import FIELDS, SCHEDULE, value_of
from app.domain.plans import Plan
from app.domain.policies import Policy, Rules
from app.domain.quotas import Quota, in_order
from app.services.plans import PlanValues, check_together, checked_values, stored_plan

_NAMES: Final = 10


class Moved(NamedTuple):
    """One value before and after; a quota's `field` is "quotas"."""

    field: str
    before: Any  # the value's own type
    after: Any


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
    changed = Rules({**rules.plans, plan.id: after}, rules.sites, rules.calendars, zone)
    groups: dict[tuple[str | None, bool, tuple[Moved, ...]], Group] = {}
    for account_id, username in holders:
        places = online_at.get(account_id, ())
        for site_id in places or (None,):
            laid_over = own.get(account_id)
            moved = _moved(
                rules.policy(plan.id, laid_over, site_id, now), changed.policy(plan.id, laid_over, site_id, now)
            )
            site = None if site_id is None else site_names.get(site_id)
            key = (site, laid_over is not None, moved)
            group = groups.setdefault(key, Group(site, laid_over is not None, moved))
            group.accounts += 1
            group.online += bool(places)
            if username and len(group.names) < _NAMES:
                group.names.append(username)
    ordered = sorted(groups.values(), key=lambda group: (-group.accounts, group.site or "", group.own))
    return Preview(plan, after, len(holders), len(online_at), ordered)


def _moved(before: Policy, after: Policy) -> tuple[Moved, ...]:
    if before is after:
        return ()
    found = [
        Moved(field, getattr(before.plan, field), getattr(after.plan, field)) for field in FIELDS if field != SCHEDULE
    ]
    found.append(Moved("quotas", _quotas(before), _quotas(after)))
    return tuple(one for one in found if one.before != one.after)


def _quotas(policy: Policy) -> tuple[Quota, ...]:
    return tuple(effective.quota for effective in policy.quotas)
