"""The slow loop of fair share: whose ceiling is lowered while others wait, and when it is given back. No I/O, no clock.

Fairness by the second belongs to the queues of the routers; this is fairness by the minute. All it knows comes from
accounting: a minute old, and censored by the very ceilings it has set, for nobody is seen to take more than they may.
So it never asks what somebody would want, and never sets a ceiling by it. It asks whether a line is full, and who has
long been taking far more than an equal share of it.

- While a line is *full*, those who have been heavy for minutes share less of it, all of them alike: the *level*. It
  falls in steps, each so small that the line stays in use, and never below an equal share or a usable minimum.
- When there is room the level rises by as much as there is room, and in the end is lifted.
- Who takes little by themselves get all of it back, whatever the line does.
- What a class of service takes within its floor was promised to it, and is nobody else's.

All this holds for an uplink and for the line of each site; a session has the lower ceiling of the two.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.domain.fairshare import Part, Terms, allocate, divide
from app.domain.governed import (
    RULE,
    Cause,
    CeilingChange,
    Decided,
    FloorChange,
    Held,
    Line,
    Place,
    Pressure,
    Reading,
    Rule,
    SiteChange,
    State,
    Watched,
)
from app.domain.service_classes import ServiceClass
from app.domain.sightings import Seen, Sums, is_heavy, is_known, places_of, see, sums_of, weigh

_MINUTE: Final = timedelta(minutes=1)
_FREE: Final = Held(None, None)


def decide(
    line: Line, state: State, readings: Iterable[Reading], *, now: datetime, rule: Rule = RULE
) -> tuple[State, Decided]:
    """Look at an uplink once more; return what to remember, and whom to tell what.

    What is decided is taken for done: to repeat what a router has not heard is for the outbox.
    """
    seen = [see(reading, state.watched.get(reading.session_id), rule) for reading in readings]
    live = [one for one in seen if now - one.watched.reported_at <= rule.stale]
    sums = sums_of(line, live, rule)
    weighed = [weigh(one, sums, rule) for one in live]
    all_heavy = [one for one in weighed if is_heavy(one, sums, rule)]
    heavy = [one for one in all_heavy if one.reading.steerable]
    places = places_of(sums, all_heavy)
    members = _by_place(heavy)
    before = {key: state.pressures.get(key, Pressure()) for key in places}
    known = is_known(seen, live, rule)
    if not known:
        pressures = {key: one._replace(full_since=None, room_since=None) for key, one in before.items()}
    else:
        told = not state.postponed
        pressures = {
            key: _press(place, before[key], members.get(key, []), told=told, now=now, rule=rule)
            for key, place in places.items()
        }
    wanted = _wanted(weighed, heavy, pressures, places, rule)
    ceilings, sent = _within_budget(wanted, state.sent, now, rule)
    watched = {one.reading.session_id: one.watched for one in seen}
    watched.update((one.reading.session_id, one.watched) for one in weighed)
    for change in ceilings:
        watched[change.session_id] = watched[change.session_id]._replace(
            ceiling_bps=change.down_bps, heavy_reports=0, light_reports=0
        )
    stubborn = frozenset(one.reading.site_id for one in all_heavy if not one.reading.steerable)
    slow = _Slow(line, sums, pressures[None], stubborn, now, rule)
    sites, held = _hold_sites(slow, state.held) if known else ([], state.held)
    floors, moved_at = _move_floors(slow, state) if known else (state.floors, state.floors_moved_at)
    postponed = len(wanted) - len(ceilings)
    after = State(watched, pressures, held, floors, moved_at, sent, postponed)
    moved = [FloorChange(name, bps) for name, bps in floors.items() if bps != state.floors.get(name)]
    return after, Decided(ceilings, sites, moved, places, postponed, known)


def resumed(
    readings: Iterable[Reading],
    ceilings: Mapping[str, int],
    sites: Mapping[str, int],
    floors: Mapping[ServiceClass, int],
) -> State:
    """Return what to remember where nothing but its own ceilings, holds and floors is known: after a restart."""
    watched = {
        one.session_id: Watched(one.down_octets, one.reported_at, ceiling_bps=ceilings.get(one.session_id))
        for one in readings
    }
    level = max(ceilings.values(), default=None)
    pressures: dict[str | None, Pressure] = {None: Pressure(level_bps=level)}
    return State(watched, pressures, {site: Held(bps, None) for site, bps in sites.items()}, floors)


# ---- the level of those heavy


def _by_place(heavy: Sequence[Seen]) -> dict[str | None, list[Seen]]:
    found: defaultdict[str | None, list[Seen]] = defaultdict(list)
    for one in heavy:
        found[None].append(one)
        found[one.reading.site_id].append(one)
    return found


def _press(place: Place, before: Pressure, heavy: Sequence[Seen], *, told: bool, now: datetime, rule: Rule) -> Pressure:
    """Move the level by one step, or leave it: down only once everybody has been told of the last step."""
    full_since = (before.full_since or now) if place.use >= rule.full else None
    room_since = (before.room_since or now) if place.use < rule.room else None
    level = before.level_bps
    if _passed(before.moved_at, rule.settling, now):
        if _lasts(full_since, rule.patience, now) and told and place.others and heavy:
            level = _lowered(place, level, heavy, rule)
        elif _lasts(room_since, rule.patience, now) and level is not None:
            level = _raised(place, level, heavy, rule)
    moved_at = before.moved_at if level == before.level_bps else now
    return Pressure(full_since, room_since, level, moved_at)


def _lasts(since: datetime | None, least: timedelta, now: datetime) -> bool:
    """Tell whether something has lasted so long by now."""
    return since is not None and now - since >= least


def _passed(since: datetime | None, least: timedelta, now: datetime) -> bool:
    """Tell whether so much time has passed since something, or it never was."""
    return since is None or now - since >= least


def _lowered(place: Place, level: int | None, heavy: Sequence[Seen], rule: Rule) -> int | None:
    """Return the level at which those heavy take as much less as the line is too full, but half at most."""
    rates = [one.watched.rate_bps or 0 for one in heavy]
    together = sum(rates)
    excess = min(place.load_bps - int(rule.aim * place.capacity_bps), together // 2)
    found = max(divide(together - excess, [Terms(1, 0, rate) for rate in rates]))
    if level is not None:
        found = min(found, int((1 - rule.least_step) * level))
    lowest = -(-max(rule.minimum_bps, place.equal_bps) // rule.grain_bps) * rule.grain_bps
    found = max(lowest, found // rule.grain_bps * rule.grain_bps)
    return found if level is None or found < level else level


def _raised(place: Place, level: int, heavy: Sequence[Seen], rule: Rule) -> int | None:
    """Return the level at which those with a ceiling would fill the room; None where that holds nobody back."""
    capped = [one for one in heavy if one.watched.ceiling_bps is not None]
    if not capped:
        return None
    room = int(rule.aim * place.capacity_bps) - place.load_bps
    step = max(room // len(capped), int(rule.least_step * level) + rule.grain_bps)
    found = (level + step) // rule.grain_bps * rule.grain_bps
    enough = max(_most(one, place) for one in capped)
    return None if found >= enough else found


def _most(one: Seen, place: Place) -> int:
    plan = one.reading.plan_bps
    return place.capacity_bps if plan is None else min(plan, place.capacity_bps)


# ---- who is told


def _wanted(
    weighed: Sequence[Seen],
    heavy: Sequence[Seen],
    pressures: Mapping[str | None, Pressure],
    places: Mapping[str | None, Place],
    rule: Rule,
) -> list[CeilingChange]:
    """Return the ceilings that should be others than they are."""
    wanted = []
    for one in heavy:
        level, at = _level_of(one, pressures)
        now_bps, rate = one.watched.ceiling_bps, one.watched.rate_bps or 0
        if level == now_bps or (now_bps is None and level is not None and rate < rule.near * level):
            continue
        lower = level is not None and (now_bps is None or level < now_bps)
        cause = Cause.WAITING if lower else Cause.ROOM
        wanted.append(_change(one, level, cause, at, places))
    ids = {one.reading.session_id for one in heavy}
    for one in weighed:
        known = one.watched.rate_bps is not None
        if known and one.watched.ceiling_bps is not None and one.reading.session_id not in ids:
            wanted.append(_change(one, None, Cause.LIGHT, None, places))
    return wanted


def _level_of(one: Seen, pressures: Mapping[str | None, Pressure]) -> tuple[int | None, str | None]:
    """Return the lower of the levels of its site and of the line, and whose it is; none that its plan is below."""
    site = one.reading.site_id
    levels = [(pressure.level_bps, key) for key in (None, site) if (pressure := pressures.get(key)) is not None]
    held = [(bps, key) for bps, key in levels if bps is not None]
    if not held:
        return None, None
    level, at = min(held, key=lambda pair: pair[0])
    plan = one.reading.plan_bps
    return (None, None) if plan is not None and plan <= level else (level, at)


def _change(
    one: Seen, level: int | None, cause: Cause, at: str | None, places: Mapping[str | None, Place]
) -> CeilingChange:
    reading = one.reading
    return CeilingChange(
        reading.session_id, reading.nas_id, level, cause, at, one.watched.rate_bps or 0, places[at].others
    )


def _within_budget(
    wanted: Sequence[CeilingChange], sent: Sequence[tuple[datetime, str]], now: datetime, rule: Rule
) -> tuple[list[CeilingChange], list[tuple[datetime, str]]]:
    """Return what each NAS can be told this minute: first what is given back, then whom it concerns most."""
    recent = [(at, nas) for at, nas in sent if now - at < _MINUTE]
    told = Counter(nas for _, nas in recent)
    chosen = []
    for change in sorted(wanted, key=lambda one: (one.cause is Cause.WAITING, -one.rate_bps, one.session_id)):
        if told[change.nas_id] < rule.changes_per_nas:
            told[change.nas_id] += 1
            recent.append((now, change.nas_id))
            chosen.append(change)
    return chosen, recent


# ---- sites and classes


class _Slow(NamedTuple):
    """What sites and classes are judged by; `stubborn` are the sites where somebody heavy cannot be told so."""

    line: Line
    sums: Sums
    pressure: Pressure
    stubborn: frozenset[str]
    now: datetime
    rule: Rule


def _hold_sites(slow: _Slow, held: Mapping[str, Held]) -> tuple[list[SiteChange], dict[str, Held]]:
    """Hold the stubborn sites while the line is full, and let go when there is room.

    It costs their neighbours there, so it is done nowhere else, and never below `site_slack` times their part.
    """
    full = _lasts(slow.pressure.full_since, slow.rule.patience, slow.now)
    room = _lasts(slow.pressure.room_since, slow.rule.patience, slow.now)
    parts = _parts_by_heads(slow) if full and slow.stubborn else {}
    changes, after = [], dict(held)
    for site in slow.line.sites:
        before = held.get(site, _FREE)
        if not _passed(before.moved_at, slow.rule.site_after, slow.now):
            continue
        found = before.down_bps
        if full and site in slow.stubborn and site in parts:
            bound = int(slow.rule.site_slack * parts[site]) // slow.rule.grain_bps * slow.rule.grain_bps
            found = bound if slow.sums.loads.get(site, 0) > bound and _far(bound, found, slow.rule) else found
        elif room or site not in slow.stubborn:
            found = None
        if found != before.down_bps:
            changes.append(SiteChange(site, found))
            after[site] = Held(found, slow.now)
    return changes, after


def _parts_by_heads(slow: _Slow) -> dict[str, int]:
    """Return what each site would get of the line if everybody there wanted an equal share."""
    sites = [(site, bps, slow.sums.heads.get(site, 0)) for site, bps in slow.line.sites.items()]
    parts = [Part(site, weight=heads, ceiling_bps=bps) for site, bps, heads in sites if heads]
    given = allocate(slow.line.capacity_bps, parts)
    return {site: given[site] for site, _, heads in sites if heads}


def _move_floors(slow: _Slow, state: State) -> tuple[Mapping[ServiceClass, int], datetime | None]:
    """Divide what is guaranteed of the line by who is there; all floors move together, so that they always fit.

    A class of which nobody is there keeps what was promised to it: it may be back within the second.
    """
    line, rule = slow.line, slow.rule
    if not _passed(state.floors_moved_at, rule.site_after, slow.now):
        return state.floors, state.floors_moved_at
    promised = sum(one.floor_bps for one in line.promises)
    heads = slow.sums.class_heads
    parts = [
        Part(
            one.service_class,
            weight=one.weight * max(1, heads.get(one.service_class, 0)),
            floor_bps=one.floor_bps,
            ceiling_bps=one.ceiling_bps,
            demand_bps=None if heads.get(one.service_class) else one.floor_bps,
        )
        for one in line.promises
    ]
    given = allocate(max(promised, int(rule.guaranteed * line.capacity_bps)), parts)
    floors = {one.service_class: given[one.service_class] for one in line.promises}
    if not any(_far(bps, state.floors.get(name), rule) for name, bps in floors.items()):
        return state.floors, state.floors_moved_at
    return floors, slow.now


def _far(value: int, before: int | None, rule: Rule) -> bool:
    return before is None or abs(value - before) >= rule.floor_step * before
