"""Values in place of a plan's: for one person, or for those at a site; set with reason, author and end; taken back."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, feed, overlays, plans, sessions, sites
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.domain.keys import Chance
from app.domain.overlays import FIELDS, NOTHING, Overlay, Override, value_of
from app.domain.plans import unsaid
from app.domain.quotas import Quota, QuotaOverride, Tally
from app.domain.text import spelled
from app.services import fields
from app.services.changes import reconsider_sessions
from app.services.errors import Invalid, NotFound
from app.services.plans import PlanValues, checked, stored_plan
from app.services.users import stored_user

_REASON_LENGTH = 200


class OverrideValues(PlanValues, total=False):
    """Values in place of a plan's; a schedule can only be taken away."""

    schedule: None


class Why(NamedTuple):
    """What is kept beside every value: why, who said so, and until when it holds (None: for good)."""

    reason: str
    author: str
    until: datetime | None = None


class Place(NamedTuple):
    """A site, and the one plan that is meant there (EVERY_PLAN: all)."""

    site_id: str
    plan_id: str


def set_own(
    database: Database,
    username: str,
    values: OverrideValues,
    why: Why,
    *,
    clear: Collection[str] = (),
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Overlay:
    """Give a person values of their own, and take back those to `clear`; return all that they have.

    Raise NotFound, Invalid.
    """
    given = _overrides(values, why, now)
    with database.write() as connection:
        account_id = stored_user(connection, username, now).account.id
        if clear:
            _take_back_own(connection, account_id, username, clear)
        for override in given:
            overlays.replace_own(connection, account_id, override, now=now)
        return _announce_own(connection, account_id, zone=zone, now=now, chance=chance)


def clear_own(
    database: Database, username: str, items: Collection[str], *, zone: ZoneInfo, now: datetime, chance: Chance
) -> Overlay:
    """Take values of a person back, so that the plan's hold again; raise NotFound."""
    with database.write() as connection:
        account_id = stored_user(connection, username, now).account.id
        _take_back_own(connection, account_id, username, items)
        return _announce_own(connection, account_id, zone=zone, now=now, chance=chance)


def own_values(database: Database, username: str, *, now: datetime) -> Overlay:
    """Return what a person has in place of the plan's; raise NotFound."""
    with database.read() as connection:
        account_id = stored_user(connection, username, now).account.id
        return overlays.own_of(connection, [account_id]).get(account_id, NOTHING)


def set_at_site(
    database: Database,
    site: str,
    values: OverrideValues,
    why: Why,
    *,
    plan: str | None,
    clear: Collection[str] = (),
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Overlay:
    """Lay values over every plan, or over one, for those at a site, and take back those to `clear`.

    Return all that lies there over it; raise NotFound (site, plan, nothing to take back), Invalid.
    """
    given = _overrides(values, why, now)
    with database.write() as connection:
        place = place_of(connection, site, plan)
        if clear:
            _take_back_at_site(connection, place, site, clear)
        for override in given:
            overlays.replace_at_site(connection, *place, override, now=now)
        return _announce_at_site(connection, place, zone=zone, now=now, chance=chance)


def set_quotas_at_site(
    database: Database,
    site: str,
    quotas: Mapping[Tally, Iterable[Quota]],
    why: Why,
    *,
    plan: str | None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Overlay:
    """Give those at a site quotas in place of their plans' of the same tallies; one without any is taken back.

    What was used elsewhere counts: a quota belongs to the person. Raise NotFound (site, plan, nothing to take back),
    Invalid.
    """
    given = {
        tally: [QuotaOverride(quota, *_checked_why(why, now)) for quota in fields.quotas(some)]
        for tally, some in quotas.items()
    }
    with database.write() as connection:
        place = place_of(connection, site, plan)
        if plan is not None:
            every = [quota for some in quotas.values() for quota in some]
            fields.steps(every, unsaid(stored_plan(connection, plan), quotas))
        before = overlays.replace_quotas_at_site(connection, *place, given, now=now)
        if not before and not any(given.values()):
            raise NotFound("value at site", f"{site}: {', '.join(tally.period.value for tally in given)}")
        return _announce_at_site(connection, place, zone=zone, now=now, chance=chance)


def clear_at_site(
    database: Database,
    site: str,
    items: Collection[str],
    *,
    plan: str | None,
    zone: ZoneInfo,
    now: datetime,
    chance: Chance,
) -> Overlay:
    """Take values at a site back; raise NotFound (site, plan, or nothing of the kind lies there)."""
    with database.write() as connection:
        place = place_of(connection, site, plan)
        _take_back_at_site(connection, place, site, items)
        return _announce_at_site(connection, place, zone=zone, now=now, chance=chance)


def values_at_site(database: Database, site: str) -> dict[str | None, Overlay]:
    """Return what a site lays over plans, by the plan's name, None for every plan; raise NotFound."""
    with database.read() as connection:
        site_id = place_of(connection, site, None).site_id
        names = {plan.id: plan.name for plan in plans.read_all(connection)}
        over = overlays.of_sites(connection).get(site_id, {})
    return {names.get(plan_id): overlay for plan_id, overlay in sorted(over.items())}


def _take_back_own(connection: Connection, account_id: str, username: str, items: Collection[str]) -> None:
    if not overlays.remove_own(connection, account_id, items):
        raise NotFound("own value", f"{username}: {', '.join(items)}")


def _take_back_at_site(connection: Connection, place: Place, site: str, items: Collection[str]) -> None:
    if not overlays.remove_at_site(connection, *place, items):
        raise NotFound("value at site", f"{site}: {', '.join(items)}")


def _overrides(values: OverrideValues, why: Why, now: datetime) -> list[Override]:
    if not values:
        raise Invalid("values", "none is named")
    reason, author, until = _checked_why(why, now)
    found = []
    for field, value in checked(values).items():
        if field not in FIELDS:
            raise Invalid(field, "is a quota: it is set as one")
        found.append(Override(field, value_of(field, value), reason, author, until))
    return found


def _checked_why(why: Why, now: datetime) -> Why:
    if why.until is not None and why.until <= now:
        raise Invalid("until", "has passed already")
    return Why(
        fields.reason("reason", why.reason, limit=_REASON_LENGTH),
        fields.author(why.author),
        why.until,
    )


def place_of(connection: Connection, site: str, plan: str | None) -> Place:
    """Return a site, and a plan there; raise NotFound for either."""
    found = sites.by_name(connection, spelled(site))
    if found is None:
        raise NotFound("site", site)
    if plan is None:
        return Place(found.id, overlays.EVERY_PLAN)
    return Place(found.id, stored_plan(connection, plan).id)


def _announce_own(connection: Connection, account_id: str, *, zone: ZoneInfo, now: datetime, chance: Chance) -> Overlay:
    accounts.raise_versions(connection, [account_id])
    reconsider_sessions(connection, [account_id], zone=zone, now=now, chance=chance)
    feed.append(connection, now=now, items={FeedKind.ACCOUNT: [account_id]})
    return overlays.own_of(connection, [account_id]).get(account_id, NOTHING)


def _announce_at_site(
    connection: Connection, place: Place, *, zone: ZoneInfo, now: datetime, chance: Chance
) -> Overlay:
    there = sessions.accounts_at(connection, place.site_id, place.plan_id)
    reconsider_sessions(connection, there, zone=zone, now=now, chance=chance)
    feed.append(connection, now=now, items={FeedKind.SITE: [place.site_id]})
    return overlays.of_sites(connection).get(place.site_id, {}).get(place.plan_id, NOTHING)
