"""What a node knows: loaded whole in one consistent read, then kept fresh by the change feed.

The follower's thread calls `load` and `refresh`, the RADIUS loop reads. Accounts, grants and NASes change key by key
or by replacement and need no lock; usage and sessions change together under `lock`, which is never held while
anything waits. A start without the database begins with what `contents` gave an earlier run.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.db import ceilings, feed, hints, nases, overlays, sites
from app.db import usage as db_usage
from app.db.engine import Connection, Database
from app.db.feed import Cursor, FeedKind, News
from app.db.rules import read_rules
from app.db.snapshot import (
    PositionFacts,
    read_accounts,
    read_positions,
    read_resume_grants,
    read_sessions,
)
from app.domain.ceilings import Ceiling
from app.domain.local_time import local_day
from app.domain.policies import Rules
from app.domain.quotas import Quota, Tally, tallies_of
from app.domain.resume import KEPT_AFTER_END, ResumeGrant, grant_ends_at
from app.domain.schedules import free_stretches
from app.domain.spending import Usage, nothing_used
from app.domain.users import Account
from app.node.accounts import Accounts
from app.node.journal.segment import Position
from app.node.learned import Learned
from app.node.nases import NasTable, known_nas
from app.node.octets import NOWHERE, Place, always_charged
from app.node.sessions import Sessions
from app.node.stored.contents import Contents
from app.services.keyring import Keyring
from app.services.nases import open_secrets

_NOTHING: Final[frozenset[str]] = frozenset()
_GRANTS_EVERY: Final = timedelta(minutes=10)


class Source(StrEnum):
    """Where what a node knows comes from."""

    NOTHING = "nothing"  # it is not loaded yet
    FILE = "file"  # what an earlier run has written to the disk
    DATABASE = "database"


@dataclass(slots=True)
class Snapshot:
    """All that a node decides by.

    `tallies` are what is counted of every account: whatever the quota of a plan or a person is held against.
    `own_position` is how far its own journal is in the database; `seen` is how far what was loaded holds the journal.
    `changes` counts what the database has told.
    """

    keyring: Keyring
    zone: ZoneInfo
    node: str
    worker: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    accounts: Accounts = field(default_factory=lambda: Accounts(Rules({}), (), {}, now=datetime.now(UTC)))
    grants: dict[str, tuple[ResumeGrant, ...]] = field(default_factory=dict)
    nases: NasTable = field(default_factory=NasTable)
    ceilings: dict[str, tuple[Ceiling, ...]] = field(default_factory=dict)  # by account id
    usage: dict[str, Usage] = field(default_factory=dict)
    tallies: tuple[Tally, ...] = ()
    sessions: Sessions = field(init=False)
    learned: Learned = field(default_factory=Learned)
    source: Source = Source.NOTHING
    changes: int = 0
    own_position: Position | None = None
    seen: Place = NOWHERE
    cursor: Cursor | None = None
    _changing: threading.Lock = field(default_factory=threading.Lock)  # held while the feed's news are put in place
    _grants_at: datetime | None = None  # when grants that are over are next looked for

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.zone)

    @property
    def loaded(self) -> bool:
        """Tell whether there is anything to decide by."""
        return self.source is not Source.NOTHING

    def nas_name(self, nas_id: str) -> str:
        """Return the name of a NAS, for people; its id if it was removed."""
        known = self.nases.by_id.get(nas_id)
        return nas_id if known is None else known.nas.name

    def usage_of(self, account: Account, now: datetime) -> Usage:
        """Return what an account has used: what the database says, and own reports that it does not hold yet."""
        day = local_day(now, self.zone)
        usage = self.usage.get(account.id)
        if usage is None:
            usage = nothing_used(day, self.tallies)
        usage = usage.as_of(day, account.billing_day)
        for on, used in self.sessions.unmerged(account.id, usage.online_until, self._charged(account)):
            usage = usage.plus(on, used, account.billing_day)
        return usage

    def _charged(self, account: Account) -> Callable[[int, int], float]:
        """Return what tells which part of a time counts for an account's quotas: all but what is free of charge."""
        windows = [window for window in account.policy.windows if window.free]
        if not windows:
            return always_charged

        def charged(since: int, until: int) -> float:
            begin, end = datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
            if end <= begin:
                return 1.0
            spans = free_stretches(windows, self.accounts.rules.calendars, begin, end, self.zone)
            free = sum((span.ends_at - span.begins_at for span in spans), timedelta())
            return 1 - free / (end - begin)

        return charged

    def note_login(self, mac: str, account_id: str, now: datetime) -> None:
        """Let a device come back from its login on, until the database says for how long it may; see `resume.begin`."""
        grant = ResumeGrant(mac, account_id, None, grant_ends_at(now, self.zone, consented=False))
        before = [one for one in self.grants.get(mac, ()) if one.account_id == account_id and one.site_id is None]
        self.grants[mac] = (max([grant, *before], key=lambda one: one.expires_at),)

    def note_log_out(self, mac: str, account_id: str, site_id: str) -> None:
        """Let a device that has logged out at a site not come back there; see `resume.end_logged_out`."""
        kept = tuple(
            one
            for one in self.grants.get(mac, ())
            if one.account_id != account_id or one.site_id not in (None, site_id)
        )
        if kept:
            self.grants[mac] = kept
        else:
            self.grants.pop(mac, None)

    # The disk

    def contents(self, seen: Place) -> Contents:
        """Return everything as it stands, as references; own reports up to `seen` in our own journal are in it."""
        with self._changing:
            with self.lock:  # usage, sessions and position belong together
                devices, octets = self.sessions.copied()
                usage, merged = dict(self.usage), self.own_position
            grants, accounts, table = dict(self.grants), self.accounts.copied(), self.nases
            held, tallies = dict(self.ceilings), self.tallies
        return Contents(
            accounts, grants, table, held, tallies, usage, devices, octets, self.learned.lessons(), merged, seen
        )

    def begin(self, contents: Contents) -> None:
        """Take what an earlier run has written, before anything reads or follows."""
        self.accounts, self.grants, self.nases = contents.accounts, dict(contents.grants), contents.nases
        self.ceilings = dict(contents.ceilings)
        self.tallies, self.usage = contents.tallies, dict(contents.usage)
        self.own_position, self.seen = contents.merged, contents.seen
        self.sessions = Sessions.restored(self.zone, contents.devices, contents.octets, place_of(contents.merged))
        self.learned.take(contents.learned)
        self.source = Source.FILE

    # In the follower's thread

    def load(self, database: Database, now: datetime) -> None:
        """Read everything, in one transaction that also says from where to follow; then put it in place."""
        with database.read() as connection:
            cursor = feed.cursor_now(connection)
            accounts = Accounts(
                read_rules(connection, self.zone), read_accounts(connection), overlays.read_own(connection), now=now
            )
            grants = read_resume_grants(connection, now=now - KEPT_AFTER_END)
            table = self._nas_table(connection, now)
            held = ceilings.read_all(connection, now=now)
            tallies = accounts.tallies
            usage = db_usage.read(connection, tallies, today=local_day(now, self.zone))
            sessions = Sessions(self.zone, read_sessions(connection))
            position = self._own_position(connection)
        with self._changing, self.lock:
            sessions.carry_unmerged(self.sessions, place_of(position))
            self.learned.follow(self.nases, table)
            self.accounts, self.grants, self.nases, self.ceilings = accounts, grants, table, held
            self.tallies, self.usage, self.sessions = tallies, usage, sessions
            self.own_position, self.seen, self.cursor = position, place_of(position), cursor
            self.source = Source.DATABASE
            self.changes += 1

    def refresh(self, database: Database, now: datetime) -> bool:
        """Read what changed since the last time and put it in place; tell whether anything did.

        A gap in the feed means a fresh load, and so does a quota of a kind that was not counted before.
        """
        assert self.cursor is not None
        with database.read() as connection:
            news = feed.read(connection, self.cursor)
            if news is not None and self._counted(connection, news):
                with self._changing:
                    self._take(connection, news, now)
                    self.cursor = news.cursor
                    self.changes += bool(news.items)
                return bool(news.items)
        self.load(database, now)
        return True

    def tick(self, now: datetime) -> None:
        """Do what only time brings: an old secret of a NAS that ends, grants that are over."""
        changes_at = self.nases.changes_at
        if changes_at is not None and changes_at <= now:
            self.nases = self.nases.at(now)
        if self._grants_at is None or self._grants_at <= now:
            self._grants_at = now + _GRANTS_EVERY
            for mac, grants in list(self.grants.items()):
                if all(grant.expires_at <= now - KEPT_AFTER_END for grant in grants):
                    del self.grants[mac]
            for account_id, held in list(self.ceilings.items()):
                if all(one.until <= now for one in held):
                    del self.ceilings[account_id]

    def _take(self, connection: Connection, news: News, now: datetime) -> None:
        items = news.items
        if FeedKind.PLAN in items or FeedKind.SITE in items:
            rules = read_rules(connection, self.zone)
            outdated = self.accounts.of_plans_with_new_validity(rules.plans)
            self.accounts.replace_rules(rules, now)
            self._take_accounts(connection, outdated, now)
        if FeedKind.NAS in items or FeedKind.SITE in items:
            table = self._nas_table(connection, now)
            self.learned.follow(self.nases, table)
            self.nases = table
        changed = items.get(FeedKind.ACCOUNT, _NOTHING)
        self._take_accounts(connection, changed, now)
        if FeedKind.RESUME in items:
            macs = items[FeedKind.RESUME]
            self._take_grants(macs, read_resume_grants(connection, macs, now=now - KEPT_AFTER_END))
        if FeedKind.CEILING in items:
            held = ceilings.of_accounts(connection, items[FeedKind.CEILING], now=now)
            for account_id in items[FeedKind.CEILING]:
                if account_id in held:
                    self.ceilings[account_id] = held[account_id]
                else:
                    self.ceilings.pop(account_id, None)
        if items.keys() & {FeedKind.USAGE, FeedKind.SESSION, FeedKind.POSITION}:
            self._take_usage(connection, items, now)

    def _counted(self, connection: Connection, news: News) -> bool:
        """Tell whether all is counted that the quotas in the news are held against."""
        quotas: list[Quota] = []
        if FeedKind.PLAN in news.items or FeedKind.SITE in news.items:
            quotas += read_rules(connection, self.zone).quotas
        own = overlays.own_of(connection, news.items.get(FeedKind.ACCOUNT, _NOTHING))
        quotas += (override.quota for overlay in own.values() for override in overlay.quotas)
        return set(tallies_of(quotas)) <= set(self.tallies)

    def _take_accounts(self, connection: Connection, ids: Collection[str], now: datetime) -> None:
        if ids:
            self.accounts.put(ids, read_accounts(connection, ids), overlays.own_of(connection, ids), now=now)

    def _take_grants(self, macs: frozenset[str], grants: Mapping[str, tuple[ResumeGrant, ...]]) -> None:
        for mac in macs:
            if mac in grants:
                self.grants[mac] = grants[mac]
            else:
                self.grants.pop(mac, None)

    def _take_usage(self, connection: Connection, items: Mapping[FeedKind, frozenset[str]], now: datetime) -> None:
        """Move usage, the sessions it came from and our own position in one step: nothing counts twice."""
        used = items.get(FeedKind.USAGE, _NOTHING)
        usage = db_usage.read(connection, self.tallies, used, today=local_day(now, self.zone)) if used else {}
        stored = list(read_sessions(connection, items.get(FeedKind.SESSION, _NOTHING)))
        position = self._own_position(connection)
        with self.lock:
            for account_id in used:
                if account_id in usage:
                    self.usage[account_id] = usage[account_id]
                else:
                    self.usage.pop(account_id, None)
            for facts in stored:
                self.sessions.take_stored(facts)
            self.sessions.take_position(place_of(position))
            self.own_position = position

    def _nas_table(self, connection: Connection, now: datetime) -> NasTable:
        by_site = {site.id: site for site in sites.read_all(connection)}
        sealed = nases.secrets(connection)
        silent, deaf = hints.unaccounted(connection), hints.deaf(connection)
        return NasTable(
            known_nas(
                nas,
                by_site[nas.site_id],
                open_secrets(self.keyring, nas.id, sealed[nas.id]),
                now=now,
                accounts=nas.id not in silent,
                deaf=nas.id in deaf,
            )
            for nas in nases.read_all(connection)
        )

    def _own_position(self, connection: Connection) -> Position | None:
        return _position(read_positions(connection), self.node, self.worker)


def _position(positions: list[PositionFacts], node: str, worker: int) -> Position | None:
    for one in positions:
        if (one.node, one.worker) == (node, worker):
            return Position(one.segment, one.segment_id, one.offset)
    return None


def place_of(position: Position | None) -> Place:
    """Return where in the journal a position is; nowhere if there is none."""
    return NOWHERE if position is None else Place(position.segment, position.offset)
