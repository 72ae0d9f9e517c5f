"""What a change would do, before it is done: whom it touches, and what each would get before and after.

The change itself is made, in a transaction that is undone. What hours or a value with an end hide today is looked for
at their ends, and what hours bring, at the next time that they open.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, online, overlays, sessions, sites
from app.db.engine import Connection, Database
from app.db.rules import read_rules
from app.domain.overlays import FIELDS, NOTHING, SCHEDULE, Overlay
from app.domain.plans import Plan
from app.domain.policies import CLOSED, FREE, Origin, Policy, Rules
from app.domain.quotas import Quota
from app.domain.schedules import Calendars, Window, phase_of
from app.services.overrides import place_of
from app.services.plans import stored_plan
from app.services.users import stored_user

_NAMES: Final = 10
_QUOTAS: Final = "quotas"
_USED_UP: Final = "used_up"
_HOURS: Final = (CLOSED, FREE)
_CHANGEABLE: Final = (*(field for field in FIELDS if field != SCHEDULE), _QUOTAS, *_HOURS)
_HIDINGS: Final = 50  # one after the other, such as windows that follow each other
_OPENINGS: Final = 8  # of hours at which nothing was seen, until what hides them has ended

_Sides = Callable[[datetime], tuple[Policy, Policy]]
"""What somebody gets at a moment, before and after."""


class Of(StrEnum):
    """For whom a change is made: those with a plan, those at a site, or one person."""

    PLAN = "plan"
    SITE = "site"
    USER = "user"


class Moved(NamedTuple):
    """One value before and after; a quota's `field` is "quotas", and hours are "closed" and "free", which are or not.

    `begins_at` is when it is first seen, None for at once: until then hours or a value with an end hide it, or its own
    hours have not begun. `ends_at` is until when what is new holds, None: for good.
    """

    field: str
    before: Any  # the value's own type
    after: Any
    begins_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(slots=True)
class Group:
    """Accounts that would see the same: at a site (None: elsewhere, offline), with or without values of their own.

    `plan` is theirs where the change is a site's; then there is also a group of those who may yet come.
    """

    site: str | None
    own: bool
    moved: Sequence[Moved]
    plan: str | None = None
    accounts: int = 0
    online: int = 0
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change for whom: the groups, the largest first. `names` are some of them all."""

    of: Of
    name: str
    accounts: int
    online: int
    groups: Sequence[Group]


class _Known(NamedTuple):
    """What decides what people get."""

    rules: Rules
    own: Mapping[str, Overlay]


class _Somebody(NamedTuple):
    """An account at a place where it is online, or would be; without an id, whoever comes there with the plan.

    `earlier_plan_id` is the plan that it had before, where the change is another one.
    """

    account_id: str
    plan_id: str
    site_id: str | None
    username: str | None
    online: bool
    earlier_plan_id: str | None = None

    def plan_in(self, known: _Known, before: _Known) -> str:
        """Return the plan that it has by what is known."""
        return self.earlier_plan_id or self.plan_id if known is before else self.plan_id


def preview(
    database: Database, change: Callable[[Database], object], of: Of, name: str, *, zone: ZoneInfo, now: datetime
) -> Preview:
    """Return what a change of a plan, at a site or of a person would do; it does nothing. Raise what it raises.

    `change` is given a database of which nothing will be left, and does to it what it would do.
    """
    with database.rehearse() as rehearsed:
        with rehearsed.read() as connection:
            before = _known(connection, zone)
            earlier = stored_user(connection, name, now).account.policy.plan.id if of is Of.USER else None
        change(rehearsed)
        with rehearsed.read() as connection:
            after = _known(connection, zone)
            people = [one._replace(earlier_plan_id=earlier) for one in _people(connection, of, name, after.rules, now)]
            site_names = {site.id: site.name for site in sites.read_all(connection)}
    seen = _Seen(before, after, zone, now)
    shared: dict[tuple[str, str | None], tuple[Moved, ...]] = {}
    groups: dict[tuple[str | None, str, bool, tuple[Moved, ...]], Group] = {}
    for one in people:
        own, alone = one.account_id in before.own, one.account_id in after.own
        place = one.plan_id, one.site_id
        moved = seen.moved(one) if own or alone or place not in shared else shared[place]
        if not own and not alone:
            shared[place] = moved
        site = None if one.site_id is None else site_names.get(one.site_id)
        plan = after.rules.plans[one.plan_id].name if of is Of.SITE else None
        group = groups.setdefault((site, plan or "", own, moved), Group(site, own, moved, plan))
        group.accounts += bool(one.account_id)
        group.online += one.online
        if one.username and len(group.names) < _NAMES:
            group.names.append(one.username)
    touched = {one.account_id for one in people} - {""}
    return Preview(
        of,
        name,
        len(touched),
        len({one.account_id for one in people if one.online}),
        sorted(
            (group for group in groups.values() if group.moved or group.accounts),
            key=lambda group: (-group.accounts, group.site or "", group.plan or "", group.own),
        ),
    )


def _known(connection: Connection, zone: ZoneInfo) -> _Known:
    return _Known(read_rules(connection, zone), overlays.read_own(connection))


def _people(connection: Connection, of: Of, name: str, rules: Rules, now: datetime) -> Iterator[_Somebody]:
    match of:
        case Of.PLAN:
            plan_id = stored_plan(connection, name).id
            online_at = sessions.sites_of_accounts(connection, plan_id)
            for account_id, username in accounts.holders(connection, plan_id):
                places = online_at.get(account_id, ())
                for site_id in places or (None,):
                    yield _Somebody(account_id, plan_id, site_id, username, bool(places))
        case Of.SITE:
            site_id = place_of(connection, name, None).site_id
            for account_id, plan_id, username in sessions.people_at(connection, site_id):
                yield _Somebody(account_id, plan_id, site_id, username, True)
            for plan_id in rules.plans:
                yield _Somebody("", plan_id, site_id, None, False)
        case Of.USER:
            user = stored_user(connection, name, now)
            account, every = user.account, online.sessions_of(connection, user.account.id, since=now)
            there = {one.site_id for one in every if one.open}
            for place in there or {account.site_id}:
                yield _Somebody(account.id, account.policy.plan.id, place, user.username, bool(there))


class _Seen:
    """What people see of the difference between what was known before and after."""

    def __init__(self, before: _Known, after: _Known, zone: ZoneInfo, now: datetime) -> None:
        self._before, self._after, self._zone, self._now = before, after, zone, now
        # Each keeps what it has worked out for its moment: those at which many are looked at have their own.
        self._pairs = {now: self._pair()}
        self._ahead = self._pair()
        self._openings: dict[tuple[frozenset[Window], datetime], datetime | None] = {}

    def moved(self, one: _Somebody) -> tuple[Moved, ...]:
        """Return what would be otherwise for somebody at a place."""
        both = self._before, self._after
        touched, windows = _touched(*(self._layers(known, one) for known in both))
        touched |= _rewritten(*(known.rules.plans[one.plan_in(known, self._before)] for known in both))

        def sides(moment: datetime) -> tuple[Policy, Policy]:
            before, after = self._pairs.get(moment, self._ahead)
            owns = self._before.own.get(one.account_id), self._after.own.get(one.account_id)
            return (
                before.policy(one.plan_in(self._before, self._before), owns[0], one.site_id, moment),
                after.policy(one.plan_id, owns[1], one.site_id, moment),
            )

        return self._moved(sides, touched, windows)

    def _layers(self, known: _Known, one: _Somebody) -> list[Overlay]:
        """Return what lies over each other for somebody, the plan's windows as the first."""
        plan = known.rules.plans[one.plan_in(known, self._before)]
        site = known.rules.overlays(plan.id, one.site_id)
        values = Overlay(windows=plan.windows)
        return [values, *(site or (NOTHING, NOTHING)), known.own.get(one.account_id, NOTHING)]

    def _moved(self, sides: _Sides, touched: Collection[str], windows: frozenset[Window]) -> tuple[Moved, ...]:
        before, after = sides(self._now)
        found = {each: _compared(each, before, after, None) for each in _CHANGEABLE}
        hidden = [each for each in touched if found[each].before == found[each].after]
        at, openings = self._now, _OPENINGS
        for _ in range(_HIDINGS):
            ends = [end for each in hidden if (end := _hidden_until(after, each)) is not None and end > at]
            opening = self._opening(windows, at) if hidden and openings else None
            moments = ends if opening is None else [*ends, opening]
            if not moments:
                break
            at = min(moments)
            openings = openings - 1 if at == opening else _OPENINGS
            before, after = sides(at)
            found |= {each: _compared(each, before, after, at) for each in hidden}
            hidden = [each for each in hidden if found[each].before == found[each].after]
        return tuple(one for one in found.values() if one.before != one.after)

    def _opening(self, windows: frozenset[Window], after: datetime) -> datetime | None:
        """Return when one of these windows next opens."""
        if (windows, after) not in self._openings:
            found = [_opens(window, self._after.rules.calendars, after, self._zone) for window in windows]
            opening = self._openings[windows, after] = _first(found)
            if opening is not None and opening not in self._pairs:
                self._pairs[opening] = self._pair()
        return self._openings[windows, after]

    def _pair(self) -> tuple[Rules, Rules]:
        before, after = (
            Rules(known.rules.plans, known.rules.sites, known.rules.calendars, self._zone)
            for known in (self._before, self._after)
        )
        return before, after


def _touched(before: Sequence[Overlay], after: Sequence[Overlay]) -> tuple[set[str], frozenset[Window]]:
    """Return which values may be otherwise, and the windows whose hours make them so."""
    touched: set[str] = set()
    windows: set[Window] = set()
    for one, other in zip(before, after, strict=True):
        fields = {override.field for override in {*one.overrides} ^ {*other.overrides}}
        changed = {*one.windows} ^ {*other.windows}
        if SCHEDULE in fields:
            changed |= {window for overlay in (*before, *after) for window in overlay.windows}
        if one.quotas != other.quotas or _USED_UP in fields:
            fields.add(_QUOTAS)
        if changed:
            fields |= {*_HOURS, *(field for window in changed for field, _ in window.rates)}
        touched |= fields - {SCHEDULE}
        windows |= changed
    return touched, frozenset(windows)


def _rewritten(before: Plan, after: Plan) -> set[str]:
    touched = {field for field in FIELDS if field != SCHEDULE and getattr(before, field) != getattr(after, field)}
    return touched | {_QUOTAS} if before.quotas != after.quotas or _USED_UP in touched else touched


def _opens(window: Window, calendars: Calendars, after: datetime, zone: ZoneInfo) -> datetime | None:
    phase = phase_of((window,), calendars, after, zone)
    if phase.running and phase.until is not None:
        phase = phase_of((window,), calendars, phase.until, zone)
    return phase.until


def _compared(field: str, before: Policy, after: Policy, begins_at: datetime | None) -> Moved:
    one, other = _value(before, field), _value(after, field)
    return Moved(field, one, other, begins_at, _holds_until(after, field, before))


def _hidden_until(policy: Policy, field: str) -> datetime | None:
    """Return when what lies below may be seen, if something with an end is laid over it."""
    if field != _QUOTAS:
        return policy.source(field).until
    return _first(one.until for one in policy.quotas if one.origin is not Origin.PLAN)


def _holds_until(after: Policy, field: str, before: Policy) -> datetime | None:
    """Return until when a value holds that was not there before."""
    if field != _QUOTAS:
        return after.source(field).until
    was = {one.quota for one in before.quotas}
    return _first(one.until for one in after.quotas if one.quota not in was)


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _value(policy: Policy, field: str) -> Any:  # Any: of the field's own type
    if field == _QUOTAS:
        return _quotas(policy)
    if field in _HOURS:
        return getattr(policy.phase, field) is not None
    return getattr(policy.plan, field)


def _quotas(policy: Policy) -> tuple[Quota, ...]:
    return tuple(effective.quota for effective in policy.quotas)
