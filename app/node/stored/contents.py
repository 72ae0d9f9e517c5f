"""What is in a stored snapshot, and how it is written: JSON rows, some hundred to a part, each part compressed.

Rows (`rows`) hold the fields of what they stand for, in order. What cannot be read raises UnknownContentsError, and
nothing is returned: a snapshot is complete or it is none. No I/O here.
"""

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.db.snapshot import AccountFacts
from app.domain.ceilings import Ceiling
from app.domain.nases import Nas, NasSecrets, Site
from app.domain.overlays import Overlay, Override
from app.domain.plans import Plan
from app.domain.policies import Rules
from app.domain.quotas import Measure, Period, Quota, QuotaOverride, Tally
from app.domain.resume import ResumeGrant
from app.domain.schedules import Window
from app.domain.spending import Usage
from app.domain.top_ups import TopUp
from app.domain.users import Credential
from app.node.accounts import Accounts
from app.node.journal.segment import Position
from app.node.learned import Lesson
from app.node.nases import KnownNas, NasTable
from app.node.octets import Key, Octets, Place
from app.node.sessions import Presence
from app.node.stored.rows.accounts import account_row, ceiling_row, grant_row, read_account, read_ceiling, read_grant
from app.node.stored.rows.nases import nas_row, read_nas, site_row
from app.node.stored.rows.plans import (
    calendar_row,
    plan_row,
    read_calendar,
    read_overlays,
    read_plan,
    rows_of_accounts,
    rows_of_sites,
)
from app.node.stored.rows.sessions import (
    device_row,
    octets_row,
    place_row,
    read_key,
    read_octets,
    read_presence,
    read_usage,
    usage_row,
)
from app.node.stored.rows.values import Row
from radius.backend import Demand as WireDemand

ROWS: Final = 250  # about a millisecond of the interpreter
_FASTEST: Final = 1  # the best of zlib saves a twentieth more and takes twice as long


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
        "plan": (accounts.rules.plans.values(), plan_row),
        "at_site": (rows_of_sites(accounts.rules), lambda row: row),
        "own": (rows_of_accounts(accounts.own), lambda row: row),
        "zone": ([] if accounts.rules.zone is None else [accounts.rules.zone], lambda zone: [zone.key]),
        "calendar": (accounts.rules.calendars.items(), calendar_row),
        "account": (accounts.ids, lambda account_id: account_row(accounts.facts(account_id))),
        "site": (sites.values(), site_row),
        "nas": (contents.nases.by_id.values(), nas_row),
        "grant": ([grant for some in grants for grant in some], grant_row),
        "ceiling": ([one for some in contents.ceilings.values() for one in some], ceiling_row),
        "tally": (contents.tallies, list),
        "usage": (contents.usage.items(), usage_row),
        "device": (started, device_row),
        "octets": (contents.octets.items(), octets_row),
        "lesson": (contents.learned, list),
        "place": ([contents.merged, contents.seen], place_row),
    }


def _contents(rows: Callable[[str], Iterator[Row]], now: datetime) -> Contents:
    merged, seen = rows("place")
    sites = {row[0]: Site(*row) for row in rows("site")}
    over_plans: dict[str, dict[str, Overlay]] = {}
    for (site_id, plan_id), overlay in read_overlays(rows("at_site"), keys=2).items():
        over_plans.setdefault(site_id, {})[plan_id] = overlay
    calendars = dict(map(read_calendar, rows("calendar")))
    zone = next((ZoneInfo(key) for (key,) in rows("zone")), None)
    rules = Rules({row[0]: read_plan(row) for row in rows("plan")}, over_plans, calendars, zone)
    own = {key[0]: overlay for key, overlay in read_overlays(rows("own"), keys=1).items()}
    tallies = tuple(Tally(Period(period), Measure(measure)) for period, measure in rows("tally"))
    grants: dict[str, tuple[ResumeGrant, ...]] = {}
    for grant in map(read_grant, rows("grant")):
        grants[grant.mac] = (*grants.get(grant.mac, ()), grant)
    ceilings: dict[str, tuple[Ceiling, ...]] = {}
    for one in map(read_ceiling, rows("ceiling")):
        ceilings[one.account_id] = (*ceilings.get(one.account_id, ()), one)
    return Contents(
        Accounts(rules, map(read_account, rows("account")), own, now=now),
        grants,
        NasTable(read_nas(row, sites, now) for row in rows("nas")),
        ceilings,
        tallies,
        {row[0]: read_usage(row, tallies) for row in rows("usage")},
        {row[0]: read_presence(row) for row in rows("device")},
        {read_key(row): read_octets(row) for row in rows("octets")},
        [Lesson(nas_id, WireDemand(demand), kept) for nas_id, demand, kept in rows("lesson")],
        None if merged[0] is None else Position(*merged),
        Place(*seen),
    )
