"""What is in a stored snapshot, and how it is written: JSON rows, some hundred to a part, each part compressed.

Rows hold the fields of what they stand for, in their order. What cannot be read raises UnknownContentsError and
nothing is returned: a snapshot is complete or it is none. No I/O here.
"""

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from ipaddress import ip_network
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.db.snapshot import AccountFacts
from app.db.windows import hours_of, window_of
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.nases import Demand, Direction, Family, Nas, NasSecrets, Site
from app.domain.overlays import NOTHING, Overlay, Override, stored, value_of
from app.domain.plans import Plan
from app.domain.policies import Rules
from app.domain.quotas import Measure, Period, Quota, QuotaOverride, Tally, read_then
from app.domain.resume import ResumeGrant
from app.domain.schedules import Window
from app.domain.service_classes import ServiceClass
from app.domain.spending import Usage
from app.domain.top_ups import TopUp
from app.domain.users import AccountKind, Credential, CredentialKind
from app.node.accounts import Accounts
from app.node.journal.segment import Position
from app.node.learned import Lesson
from app.node.nases import KnownNas, NasTable, known_nas, secrets_of
from app.node.sessions import Key, Octets, Place, Presence
from radius.backend import Demand as WireDemand

ROWS: Final = 250  # about a millisecond of the interpreter
_FASTEST: Final = 1  # the best of zlib saves a twentieth more and takes twice as long

Row = list[Any]  # JSON: text, numbers, truth values and None


def _layout() -> int:
    """Return what changes when anything that is stored gets or loses a field: then older files are refused."""
    named = (AccountFacts, Credential, ResumeGrant, Ceiling, Tally, TopUp, Usage, Lesson, Position, Place)
    classes = (Plan, Window, Quota, QuotaOverride, Override, Site, Nas, NasSecrets, KnownNas, Presence, Octets)
    names = [[one.__name__, *one._fields] for one in named]
    names += [[one.__name__, *(field.name for field in fields(one))] for one in classes]
    return zlib.crc32(json.dumps(names).encode())


LAYOUT: Final = _layout()


class UnknownContentsError(Exception):
    """A part holds what this version cannot read."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a node decides by, as references to what does not change, or may have moved on with own reports.

    `merged` is how far its own journal is in the database, `seen` how far it is in here.
    """

    accounts: Accounts
    grants: Mapping[str, tuple[ResumeGrant, ...]]
    nases: NasTable
    ceilings: Mapping[str, tuple[Ceiling, ...]]
    tallies: tuple[Tally, ...]
    usage: Mapping[str, Usage]
    devices: Mapping[str, Presence]
    octets: Mapping[Key, Octets]
    learned: Sequence[Lesson]
    merged: Position | None
    seen: Place


def encode(contents: Contents) -> Iterator[bytes]:
    """Yield the parts; the first one tells of each kind, in order, how many rows there are."""
    kinds = _kinds(contents)
    yield _compressed({"layout": LAYOUT, "rows": {kind: len(things) for kind, (things, _) in kinds.items()}})
    for things, write in kinds.values():
        rest = iter(things)
        while some := [write(one) for one in islice(rest, ROWS)]:
            yield _compressed(some)


def read_counts(first: bytes) -> Mapping[str, int]:
    """Return how many rows of each kind there are, from the first part; raise UnknownContentsError."""
    try:
        said = json.loads(zlib.decompress(first))
        layout, counts = said["layout"], {str(kind): int(count) for kind, count in said["rows"].items()}
    except (zlib.error, ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnknownContentsError("its first part cannot be read") from error
    if layout != LAYOUT:
        raise UnknownContentsError("rows of another version")
    return counts


def decode(parts: Sequence[bytes], *, now: datetime) -> Contents:
    """Read all parts; old secrets that have ended by `now` are left out. Raise UnknownContentsError."""
    rest = iter(parts)
    counts = read_counts(next(rest))
    of_kind = {kind: list(islice(rest, -(-count // ROWS))) for kind, count in counts.items()}
    try:
        contents = _contents(lambda kind: _rows(of_kind[kind]), now)
    except (zlib.error, ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnknownContentsError(f"{type(error).__name__}: {error}") from error
    if next(rest, None) is not None or any(
        counts[kind] != len(things) for kind, (things, _) in _kinds(contents).items()
    ):
        raise UnknownContentsError("not as many rows as it says")
    return contents


def _compressed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), _FASTEST)


def _rows(parts: Iterable[bytes]) -> Iterator[Row]:
    for part in parts:
        yield from json.loads(zlib.decompress(part))


def _kinds(contents: Contents) -> Mapping[str, tuple[Collection[Any], Callable[[Any], Row]]]:
    """Return the things of each kind, and what writes one."""
    accounts = contents.accounts
    sites = {one.site.id: one.site for one in contents.nases.by_id.values()}
    grants = contents.grants.values()
    started = [item for item in contents.devices.items() if item[1].reserved_until is None]
    return {
        "plan": (accounts.rules.plans.values(), _plan_row),
        "at_site": (_at_sites(accounts.rules), lambda row: row),
        "own": (_of_accounts(accounts.own), lambda row: row),
        "zone": ([] if accounts.rules.zone is None else [accounts.rules.zone], lambda zone: [zone.key]),
        "calendar": (accounts.rules.calendars.items(), _calendar_row),
        "account": (accounts.ids, lambda account_id: _account_row(accounts.facts(account_id))),
        "site": (sites.values(), _site_row),
        "nas": (contents.nases.by_id.values(), _nas_row),
        "grant": ([grant for some in grants for grant in some], _grant_row),
        "ceiling": ([one for some in contents.ceilings.values() for one in some], _ceiling_row),
        "tally": (contents.tallies, list),
        "usage": (contents.usage.items(), _usage_row),
        "device": (started, _device_row),
        "octets": (contents.octets.items(), _octets_row),
        "lesson": (contents.learned, list),
        "place": ([contents.merged, contents.seen], _place_row),
    }


def _contents(rows: Callable[[str], Iterator[Row]], now: datetime) -> Contents:
    merged, seen = rows("place")
    sites = {row[0]: Site(*row) for row in rows("site")}
    over_plans: dict[str, dict[str, Overlay]] = {}
    for (site_id, plan_id), overlay in _overlays(rows("at_site"), keys=2).items():
        over_plans.setdefault(site_id, {})[plan_id] = overlay
    calendars = {name: frozenset(map(date.fromordinal, days)) for name, days in rows("calendar")}
    zone = next((ZoneInfo(key) for (key,) in rows("zone")), None)
    rules = Rules({row[0]: _plan(row) for row in rows("plan")}, over_plans, calendars, zone)
    own = {key[0]: overlay for key, overlay in _overlays(rows("own"), keys=1).items()}
    tallies = tuple(Tally(Period(period), Measure(measure)) for period, measure in rows("tally"))
    grants: dict[str, tuple[ResumeGrant, ...]] = {}
    for mac, account_id, site_id, expires_at in rows("grant"):
        grant = ResumeGrant(mac, account_id, site_id, datetime.fromisoformat(expires_at))
        grants[mac] = (*grants[mac], grant) if mac in grants else (grant,)
    ceilings: dict[str, tuple[Ceiling, ...]] = {}
    for row in rows("ceiling"):
        ceilings[row[0]] = (*ceilings.get(row[0], ()), _ceiling(row))
    return Contents(
        Accounts(rules, map(_account, rows("account")), own, now=now),
        grants,
        NasTable(_nas(row, sites, now) for row in rows("nas")),
        ceilings,
        tallies,
        {row[0]: Usage(date.fromisoformat(row[1]), tallies, tuple(row[3:]), row[2]) for row in rows("usage")},
        {row[0]: _presence(row) for row in rows("device")},
        {_key(row): _octets(row) for row in rows("octets")},
        [Lesson(nas_id, WireDemand(demand), kept) for nas_id, demand, kept in rows("lesson")],
        None if merged[0] is None else Position(*merged),
        Place(*seen),
    )


# Plans and accounts


def _plan_row(plan: Plan) -> Row:
    return [
        plan.id,
        plan.name,
        plan.down_bps,
        plan.up_bps,
        [_quota_row(quota) for quota in plan.quotas],
        plan.device_limit,
        plan.session_seconds,
        plan.idle_seconds,
        plan.interim_seconds,
        plan.validity_seconds,
        plan.service_class.value,
        plan.down_burst_bps,
        plan.up_burst_bps,
        plan.burst_seconds,
        plan.vlan,
        plan.filter_id,
        plan.address_list,
        [[window.name, hours_of(window)] for window in plan.windows],
        str(plan.used_up),
        plan.garden,
    ]


def _plan(row: Row) -> Plan:
    id_, name, down_bps, up_bps, quotas, devices, session, idle, interim, validity, service_class, *rest = row
    down_burst, up_burst, burst_seconds, vlan, filter_id, address_list, hours, used_up, garden = rest
    return Plan(
        id_,
        name,
        down_bps,
        up_bps,
        tuple(map(_quota, quotas)),
        devices,
        session,
        idle,
        interim,
        validity,
        ServiceClass(service_class),
        down_burst,
        up_burst,
        burst_seconds,
        vlan,
        filter_id,
        address_list,
        tuple(window_of(name, window) for name, window in hours),
        read_then(used_up),
        garden,
    )


def _quota_row(quota: Quota) -> Row:
    return [quota.period.value, quota.amount, quota.measure.value, None if quota.then is None else str(quota.then)]


def _quota(row: Row) -> Quota:
    period, amount, measure, then = row
    return Quota(Period(period), amount, Measure(measure), None if then is None else read_then(then))


def _calendar_row(pair: tuple[str, Collection[date]]) -> Row:
    name, days = pair
    return [name, sorted(day.toordinal() for day in days)]


def _at_sites(rules: Rules) -> list[Row]:
    return [
        [site_id, plan_id, *row]
        for site_id, over in rules.sites.items()
        for plan_id, overlay in over.items()
        for row in _overlay_rows(overlay)
    ]


def _of_accounts(own: Mapping[str, Overlay]) -> list[Row]:
    return [[account_id, *row] for account_id, overlay in own.items() for row in _overlay_rows(overlay)]


def _overlay_rows(overlay: Overlay) -> Iterator[Row]:
    for one in overlay.overrides:
        yield ["value", one.field, stored(one.value), one.reason, one.author, _text(one.until)]
    for window in overlay.windows:
        yield ["window", window.name, hours_of(window), "", "", None]
    for quota in overlay.quotas:
        yield ["quota", None, _quota_row(quota.quota), quota.reason, quota.author, _text(quota.until)]


def _overlays(rows: Iterable[Row], *, keys: int) -> dict[tuple[str, ...], Overlay]:
    """Join rows into overlays by their first columns."""
    found: dict[tuple[str, ...], Overlay] = {}
    for row in rows:
        key, (kind, field, what, reason, author, until) = tuple(row[:keys]), row[keys:]
        so_far = found.get(key, NOTHING)
        if kind == "value":
            override = Override(field, value_of(field, what), reason, author, _moment(until))
            found[key] = replace(so_far, overrides=(*so_far.overrides, override))
        elif kind == "window":
            found[key] = replace(so_far, windows=(*so_far.windows, window_of(field, what)))
        else:
            own = QuotaOverride(_quota(what), reason, author, _moment(until))
            found[key] = replace(so_far, quotas=(*so_far.quotas, own))
    return found


def _account_row(facts: AccountFacts) -> Row:
    credential = facts.credential
    return [
        facts.id,
        facts.kind.value,
        facts.plan_id,
        facts.version,
        facts.suspended,
        _text(facts.valid_until),
        _text(facts.first_used_at),
        facts.site_id,
        facts.username,
        None if credential is None else credential.kind.value,
        None if credential is None else credential.secret.decode("latin-1"),
        facts.billing_day,
        facts.extra_seconds,
        [[one.id, one.left_octets, _text(one.ends_at)] for one in facts.top_ups],
    ]


def _account(row: Row) -> AccountFacts:
    id_, kind, plan_id, version, suspended, valid_until, first_used_at, site_id, username, how, secret, *rest = row
    billing, longer, extra = rest
    return AccountFacts(
        id_,
        _KINDS[kind],
        plan_id,
        version,
        suspended,
        valid_until and datetime.fromisoformat(valid_until),
        first_used_at and datetime.fromisoformat(first_used_at),
        site_id,
        username,
        None if how is None else Credential(_CREDENTIALS[how], secret.encode("latin-1")),
        billing,
        longer,
        tuple(TopUp(id_, octets, _moment(ends_at)) for id_, octets, ends_at in extra),
    )


_KINDS: Final = {kind.value: kind for kind in AccountKind}
_CREDENTIALS: Final = {kind.value: kind for kind in CredentialKind}


# Routers


def _site_row(site: Site) -> Row:
    return [site.id, site.name, site.capacity_bps, site.guest_plan_id, site.interim_seconds]


def _nas_row(known: KnownNas) -> Row:
    nas, secrets = known.nas, secrets_of(known)
    return [
        nas.id,
        nas.name,
        nas.site_id,
        nas.family.value,
        str(nas.address),
        nas.identifier,
        nas.login_address,
        nas.require_message_authenticator.value,
        nas.limit_proxy_state.value,
        nas.learned_message_authenticator,
        nas.direction.value,
        nas.coa_port,
        nas.coa_address,
        nas.status_server,
        nas.strict_identity,
        nas.debug_answers,
        nas.mac_login,
        secrets.radius,
        secrets.mac,
        secrets.old_radius,
        _text(secrets.old_radius_until),
        known.accounts,
        known.deaf,
    ]


def _nas(row: Row, sites: Mapping[str, Site], now: datetime) -> KnownNas:
    *values, radius, mac, old_radius, old_until, accounts, deaf = row
    id_, name, site_id, family, address, identifier, login_address, sign, limit, learned, direction, *rest = values
    nas = Nas(
        id_,
        name,
        site_id,
        Family(family),
        ip_network(address),
        identifier,
        login_address,
        Demand(sign),
        Demand(limit),
        learned,
        Direction(direction),
        *rest,
    )
    secrets = NasSecrets(radius, "", mac, old_radius, _moment(old_until))
    return known_nas(nas, sites[site_id], secrets, now=now, accounts=accounts, deaf=deaf)


# What changes with the hours


def _grant_row(grant: ResumeGrant) -> Row:
    return [grant.mac, grant.account_id, grant.site_id, _text(grant.expires_at)]


def _ceiling_row(one: Ceiling) -> Row:
    return [*one[:5], _text(one.until), one.reason, one.author]


def _ceiling(row: Row) -> Ceiling:
    account_id, mac, source, down_bps, up_bps, until, reason, author = row
    end = datetime.fromisoformat(until)
    return Ceiling(account_id, mac, CeilingSource(source), down_bps, up_bps, end, reason, author)


def _usage_row(pair: tuple[str, Usage]) -> Row:
    account_id, usage = pair
    return [account_id, usage.day.isoformat(), usage.online_until, *usage.counts]


def _device_row(pair: tuple[str, Presence]) -> Row:
    name, here = pair
    return [
        name,
        here.account_id,
        here.acceptance_id,
        here.nas_id,
        here.nas_scope,
        here.acct_session_id,
        here.user_name,
        here.since,
    ]


def _presence(row: Row) -> Presence:
    _, account_id, acceptance_id, nas_id, nas_scope, acct_session_id, user_name, since = row
    return Presence(account_id, acceptance_id, nas_id, nas_scope, acct_session_id, user_name, since, None)


def _octets_row(pair: tuple[Key, Octets]) -> Row:
    key, octets = pair
    values = (getattr(octets, name) for name in _OCTETS)
    return [*key, *values, *octets.place]


def _octets(row: Row) -> Octets:
    return Octets(**dict(zip(_OCTETS, row[5:-2], strict=True)), place=Place(*row[-2:]))


_OCTETS: Final = tuple(field.name for field in fields(Octets) if field.name != "place")


def _key(row: Row) -> Key:
    nas_id, nas_scope, acct_session_id, mac, acceptance_id = row[:5]
    return nas_id, nas_scope, acct_session_id, mac, acceptance_id


def _place_row(place: Position | Place | None) -> Row:
    return [None] if place is None else list(place)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
