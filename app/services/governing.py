"""What the governor does to a city: it looks at its lines, and makes the ceilings be as it has decided.

Its ceilings end by themselves a while after it has last confirmed them, so nobody is held down by one that has died.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.db import accounts, feed, governing, governor_moves, leases, overlays, uplinks, windows
from app.db.chunks import chunks
from app.db.engine import Connection, Database
from app.db.feed import FeedKind
from app.db.governing import HeldDevice, OpenSession, Round
from app.db.governor_moves import GovernorMove
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.governed import Line, Promise, Reading
from app.domain.keys import Chance
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import GovernorMode, Shares, SiteLine, Uplink, Way, sites_of
from app.services.ceilings import checked_ceiling, release_devices, store_ceilings

AUTHOR: Final = "governor"
KEPT: Final = timedelta(minutes=15)
_JOB: Final = "governor"
_LEASE: Final = timedelta(seconds=90)  # three rounds
_AT_ONCE: Final = 100  # in one transaction
_ITEMS: Final = ("down_bps", "service_class")

Device = tuple[str, str]
"""Account id and MAC."""


@dataclass(frozen=True, slots=True)
class Governed:
    """An uplink on which the governor works or looks, with what accounting has said of it until now.

    `devices` has those of its sessions that can be told something; `held` is what they are held down to, by session.
    """

    uplink: Uplink
    line: Line
    site_names: Mapping[str, str]
    readings: Sequence[Reading]
    devices: Mapping[str, Device]
    held: Mapping[str, int]
    shares: Shares


class Wanted(NamedTuple):
    """A ceiling that should be, and why."""

    down_bps: int
    reason: str


class Done(NamedTuple):
    """What was done: ceilings set anew or moved, and taken back."""

    set: int
    lifted: int


def lead(database: Database, holder: str, *, now: datetime, heir_of: str = "") -> bool:
    """Tell whether this worker is the one that governs; there is only one, and another follows if it dies.

    At once where it is the heir of one that is known to be gone (by how its name began), else when its lease is over.
    """
    with database.write() as connection:
        return leases.take(connection, _JOB, holder, until=now + _LEASE, now=now, heir_of=heir_of)


def wanted_at_all(database: Database, *, now: datetime) -> bool:
    """Tell whether the governor has anything to do: a line to look at, or something of its own to take back."""
    with database.read() as connection:
        found = uplinks.read_all(connection)
        if any(one.governor is not GovernorMode.OFF for one in found) or governing.held(connection, now=now):
            return True
        return any(_moved(uplinks.read_shares(connection, one.id)) for one in found)


class _City(NamedTuple):
    """All that is known of everybody who is online: sessions by site, who is held down, and who can be told."""

    by_site: Mapping[str, Sequence[OpenSession]]
    held: Mapping[Device, int]
    steerable: Collection[str]


def look(database: Database, steerable: Collection[str], *, zone: ZoneInfo, now: datetime) -> list[Governed]:
    """Return every uplink that is not off; `steerable` are the NASes that take a new rate while people are online."""
    with database.read() as connection:
        found, lines = uplinks.read_all(connection), uplinks.read_lines(connection)
        chosen = [one for one in found if one.governor is not GovernorMode.OFF]
        if not chosen:
            return []
        held = {device: bps for device, (bps, _) in governing.held(connection, now=now).items()}
        city = _City(_by_site(connection, zone, now), held, steerable)
        return [_governed(connection, one, sites_of(one, lines, only=len(found) == 1), city) for one in chosen]


def _by_site(connection: Connection, zone: ZoneInfo, now: datetime) -> dict[str, list[OpenSession]]:
    """Return the open sessions of each site, with what really holds, at this hour, in place of their plans."""
    found = [one for one in governing.open_sessions(connection) if one.site_id is not None]
    own = governing.accounts_of_their_own(connection, _ITEMS)
    sites = {
        site_id
        for site_id, plans in overlays.of_sites(connection).items()
        if any(one.field in _ITEMS for overlay in plans.values() for one in overlay.overrides)
        or any(window.rates for overlay in plans.values() for window in overlay.windows)
    }
    by_the_hour = {plan_id for plan_id, some in windows.of_plans(connection).items() if any(one.rates for one in some)}
    special = {
        (one.account_id, one.site_id)
        for one in found
        if one.account_id and (one.account_id in own or one.site_id in sites or one.plan_id in by_the_hour)
    }
    real = accounts.by_places(connection, special, zone=zone, now=now) if special else {}
    by_site: defaultdict[str, list[OpenSession]] = defaultdict(list)
    for one in found:
        account = real.get((one.account_id or "", one.site_id))
        if account is None:
            by_site[one.site_id or ""].append(one)
        else:
            plan = account.policy.plan
            by_site[one.site_id or ""].append(one._replace(service_class=plan.service_class, plan_bps=plan.down_bps))
    return by_site


def _governed(connection: Connection, uplink: Uplink, sites: Sequence[SiteLine], city: _City) -> Governed:
    there = [one for site in sites for one in city.by_site.get(site.site_id, ())]
    devices = {
        one.id: (one.account_id, one.mac)
        for one in there
        if one.account_id and one.mac and one.nas_id in city.steerable
    }
    promises = tuple(
        Promise(one, uplink.floor_bps(one, Way.DOWN), uplink.terms_of(one).weight, uplink.ceiling_bps(one, Way.DOWN))
        for one in ServiceClass
    )
    return Governed(
        uplink=uplink,
        line=Line(uplink.down_bps, promises, {site.site_id: site.capacity_bps for site in sites}),
        site_names={site.site_id: site.name for site in sites},
        readings=[_reading(one, steerable=one.id in devices) for one in there],
        devices=devices,
        held={session: city.held[device] for session, device in devices.items() if device in city.held},
        shares=_own_shares(connection, uplink, sites),
    )


def _reading(one: OpenSession, *, steerable: bool) -> Reading:
    return Reading(
        one.id,
        one.nas_id,
        one.site_id or "",
        one.service_class,
        one.down_octets,
        one.last_report_at,
        one.plan_bps,
        steerable,
    )


def settle(database: Database, wanted: Mapping[Device, Wanted], *, now: datetime, chance: Chance) -> Done:
    """Make the governor's ceilings be those that are wanted, in short transactions: nobody is told what they know."""
    with database.read() as connection:
        held = governing.held(connection, now=now)
    moved = {device: one for device, one in wanted.items() if device not in held or held[device][0] != one.down_bps}
    gone = [device for device in held if device not in wanted]
    late = {device[0] for device in wanted.keys() & held.keys() if held[device][1] - now < KEPT / 2}
    if not (moved or gone or late):
        return Done(0, 0)
    until = now + KEPT
    new = [
        checked_ceiling(Ceiling(*device, CeilingSource.GOVERNOR, one.down_bps, None, until, one.reason, AUTHOR), now)
        for device, one in moved.items()
    ]
    if late:
        with database.write() as connection:
            governing.extend(connection, late, until=until)
            feed.append(connection, now=now, items={FeedKind.CEILING: sorted(late)})
    for devices in chunks(gone, _AT_ONCE):
        with database.write() as connection:
            release_devices(connection, devices, source=CeilingSource.GOVERNOR, now=now, chance=chance)
    for some in _alike(new):
        with database.write() as connection:
            store_ceilings(connection, some, now=now, chance=chance)
    return Done(len(new), len(gone))


def _alike(new: Sequence[Ceiling]) -> Iterator[Sequence[Ceiling]]:
    """Yield ceilings of one reason together, so that each open session is told its own."""
    by_reason: defaultdict[str, list[Ceiling]] = defaultdict(list)
    for one in new:
        by_reason[one.reason].append(one)
    for some in by_reason.values():
        yield from chunks(some, _AT_ONCE)


def keep_rounds(
    database: Database, rounds: Sequence[Round], unknown: Collection[str] = (), moves: Sequence[GovernorMove] = ()
) -> None:
    """Store what was seen of lines, and moved, for people to look at.

    `unknown` are the ids of the lines of which nothing is known.
    """
    with database.write() as connection:
        governor_moves.add(connection, moves)
        for one in rounds:
            governing.keep_round(connection, one)
        for uplink_id in unknown:
            governing.forget_round(connection, uplink_id)


def give_back_shares(database: Database) -> list[str]:
    """Put floors and sites' ceilings back to what is configured where the governor does not work (any more)."""
    with database.read() as connection:
        found = uplinks.read_all(connection)
        lines = uplinks.read_lines(connection)
        moved = {
            one.id: _own_shares(connection, one, sites_of(one, lines, only=len(found) == 1))
            for one in found
            if one.governor is not GovernorMode.ON
        }
    back = [one for one in found if one.id in moved and _moved(moved[one.id])]
    if back:
        with database.write() as connection:
            for one in back:
                shares = moved[one.id]
                uplinks.move(connection, one.id, dict.fromkeys(shares.floors), dict.fromkeys(shares.site_ceilings))
    return [one.name for one in back]


def _own_shares(connection: Connection, uplink: Uplink, sites: Sequence[SiteLine]) -> Shares:
    shares = uplinks.read_shares(connection, uplink.id)
    ours = {site.site_id for site in sites}
    return Shares(shares.floors, {site: bps for site, bps in shares.site_ceilings.items() if site in ours})


def _moved(shares: Shares) -> bool:
    return bool(shares.floors or shares.site_ceilings)


class View(NamedTuple):
    """An uplink, what the governor last saw of it, and whom it holds down there."""

    uplink: Uplink
    last: Round | None
    held: Sequence[HeldDevice]


def show(database: Database, *, now: datetime) -> list[View]:
    """Return every uplink, with what the governor last saw and whom it holds down."""
    with database.read() as connection:
        found, lines = uplinks.read_all(connection), uplinks.read_lines(connection)
        rounds, held = governing.rounds(connection), governing.held_devices(connection, now=now)
        views = []
        for one in found:
            ours = {site.site_id for site in sites_of(one, lines, only=len(found) == 1)}
            views.append(View(one, rounds.get(one.id), [device for device in held if device.site_id in ours]))
        return views
