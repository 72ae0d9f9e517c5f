"""A small city in a real database, and one node in it whose clocks stand still until they are moved."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict
from zoneinfo import ZoneInfo

from app.db import feed, resume
from app.db.engine import Database
from app.db.feed import FeedKind
from app.domain.keys import new_id
from app.domain.local_time import WITA
from app.domain.nases import Family, Nas
from app.domain.quotas import Measure, Period, Tally
from app.domain.resume import ResumeGrant
from app.domain.tickets import NONCE_OCTETS, Ticket, TicketKind, TicketName, issue, new_nonce
from app.domain.users import Account, CredentialKind
from app.node.authorization import Authorizer
from app.node.backend import NodeBackend
from app.node.follower import Clock, Follower
from app.node.journal.reader import JournalReader
from app.node.journal.records import RecordType, Verdict, decode_verdict
from app.node.journal.writer import Journal
from app.node.nases import KnownNas
from app.node.passwords import PasswordChecker
from app.node.replay import replay
from app.node.sessions import Sessions
from app.node.snapshot import Snapshot
from app.node.stored.keeper import Keeper
from app.node.stored.loading import load_stored, stored_path
from app.services import nases, plans, sites, users
from app.services.keyring import Keyring
from app.worker.loop import Worker
from radius.attributes import Attributes
from radius.codes import StatusType
from radius.credentials import ChapResponse, Credential, MsChapV2Response, PapPassword
from radius.messages import AccessRequest, AccountingRecord, Answer
from radius.values import Value
from tests.factories import MAC, NOON
from tests.node.journals import NODE, Disk

SECRET = "a-shared-secret-of-gusung"
MAC_SECRET = "a-mac-secret-of-gusung"
Said = dict[str, Value]
SOURCE = ("127.0.0.1", 40_000)


@dataclass
class Time:
    """A wall clock and a monotonic one that move together."""

    at: datetime = NOON
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


class Circumstances(TypedDict):
    """What a service that may end sessions asks for."""

    now: datetime
    zone: ZoneInfo
    chance: Callable[[int], bytes]


@dataclass
class City:
    """Site Gusung with a MikroTik at 127.0.0.1, the plan Warga, and the users that a test adds."""

    database: Database
    keyring: Keyring
    time: Time = field(default_factory=Time)
    chance: Callable[[int], bytes] = os.urandom

    def __post_init__(self) -> None:
        now, chance = self.time.at, self.chance
        plans.add_plan(
            self.database, "Warga", down_bps=4_000_000, up_bps=2_000_000, daily_octets=1_000_000, now=now, chance=chance
        )
        self.site = sites.add_site(self.database, "Gusung", guest_plan="Warga", now=now, chance=chance)
        self.nas = self.add_nas("gusung-1")

    @property
    def clock(self) -> Clock:
        return Clock(self.time.now, self.time.monotonic)

    @property
    def circumstances(self) -> Circumstances:
        return {"now": self.time.at, "zone": WITA, "chance": self.chance}

    def add_nas(
        self,
        name: str,
        *,
        family: Family = Family.MIKROTIK,
        address: str = "127.0.0.1",
        site: str = "Gusung",
        identifier: str | None = None,
    ) -> Nas:
        return nases.add_nas(
            self.database,
            self.keyring,
            name,
            address=address,
            family=family,
            site=site,
            identifier=identifier,
            now=self.time.at,
            chance=self.chance,
            secret=SECRET,
            mac_secret=MAC_SECRET,
        ).nas

    def add_user(
        self, name: str, password: str | None = "rahasia-123", kind: CredentialKind = CredentialKind.ENCRYPTED
    ) -> Account:
        return users.add_user(
            self.database,
            self.keyring,
            name,
            password=password,
            kind=kind,
            plan="Warga",
            now=self.time.at,
            chance=self.chance,
        ).account

    def add_grant(self, mac: str, account: Account, *, days: int = 1) -> None:
        grant = ResumeGrant(mac, account.id, self.site.id, self.time.at + timedelta(days=days))
        with self.database.write() as connection:
            resume.keep(connection, new_id(self.chance(10)), grant, now=self.time.at)
            feed.append(connection, now=self.time.at, items={FeedKind.RESUME: [mac]})

    def ticket(
        self,
        account: Account,
        *,
        mac: str = MAC,
        nas_id: str | None = None,
        life: int = 120,
        version: int | None = None,
    ) -> Ticket:
        name = TicketName(
            account.id,
            TicketKind.FREE,
            self.time.at + timedelta(seconds=life),
            new_nonce(self.chance(NONCE_OCTETS)),
            account.version if version is None else version,
        )
        return issue(name, key=self.keyring.ticket_key(nas_id or self.nas.id), binding=mac)


class Node:
    """One node of a city. `learn` is one read of the feed; nothing happens by itself but the journal's writing.

    `stored`: it begins with what is in that file, and the database is away.
    """

    def __init__(
        self, city: City, folder: Path, *, disk: Disk | None = None, worker: int = 0, stored: Path | None = None
    ) -> None:
        self.city, self.folder = city, folder
        found = None
        if stored is not None:
            found = load_stored(stored, city.keyring, node=NODE, worker=worker, now=city.time.at)
        self.disk = disk or Disk()
        self.snapshot = Snapshot(city.keyring, WITA, NODE, worker)
        if found is not None:
            self.snapshot.begin(found.contents)
        self.follower = Follower(
            lambda: city.database,
            self.snapshot,
            city.clock,
            on_news=lambda: None,
            stored=None if found is None else found.dated,
        )
        self.checker = PasswordChecker(city.keyring, monotonic=city.time.monotonic, on_done=lambda: None)
        self.authorizer = Authorizer(
            self.snapshot,
            self.follower,
            self.checker,
            monotonic=city.time.monotonic,
            chance=city.chance,
            max_age_seconds=7 * 86_400,
        )
        self.journal = Journal(
            folder, node=NODE, worker=worker, monotonic=city.time.monotonic, chance=city.chance, sync=self.disk.sync
        )
        self.backend = NodeBackend(
            self.snapshot, self.follower, self.journal, self.authorizer, monotonic=city.time.monotonic
        )
        self.keeper = Keeper(
            stored_path(folder.parents[2], worker),
            self.snapshot,
            self.follower,
            self.journal,
            city.clock,
            chance=city.chance,
        )
        if found is None:
            self.load()

    def close(self) -> None:
        self.disk.moving.set()
        self.checker.stop()
        self.journal.close()

    def load(self) -> None:
        """Read everything from the database."""
        self.snapshot.load(self.city.database, self.city.time.at)
        self.follower.note_read(self.city.time.seconds, self.city.time.at)

    def read_again(self) -> int:
        """Take in what earlier runs wrote to the journal; return how many records."""
        return replay(
            self.folder,
            self.snapshot,
            self.authorizer,
            self.backend.accountant,
            before=self.journal.first_segment,
            now=self.city.time.at.timestamp(),
        )

    def learn(self) -> None:
        self.city.time.pass_by(0.01)
        began, at = self.city.time.seconds, self.city.time.at
        self.snapshot.refresh(self.city.database, at)
        self.follower.note_read(began, at)
        self.city.time.pass_by(0.01)

    @property
    def known(self) -> KnownNas:
        return self.snapshot.nases.by_id[self.city.nas.id]

    def request(
        self,
        name: str | None,
        credential: Credential | str | None,
        *,
        mac: str = MAC,
        session: str = "81a00001",
        nas_id: str | None = None,
        **more: Value,
    ) -> AccessRequest:
        attributes = Attributes([(attribute.replace("_", "-"), value) for attribute, value in more.items()])
        if mac:
            attributes.add("Calling-Station-Id", mac.upper().replace(":", "-"))
        if session:
            attributes.add("Acct-Session-Id", session)
        return AccessRequest(
            nas_id or self.city.nas.id,
            name,
            PapPassword(credential.encode()) if isinstance(credential, str) else credential,
            attributes,
            SOURCE,
            self.city.time.at.timestamp(),
            self.city.time.seconds,
        )

    def ask(self, request: AccessRequest) -> Answer:
        return self.backend.authorize([request])[0]

    def report(self, status: StatusType, nas_id: str | None = None, /, **attributes: Value) -> AccountingRecord:
        """Make an Accounting-Request; its raw octets are what the journal keeps."""
        said = Attributes([("Acct-Status-Type", int(status))])
        for name, value in attributes.items():
            said.add(name.replace("_", "-"), value)
        body = said.to_bytes()
        raw = bytes([4, 1]) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
        return AccountingRecord(
            nas_id or self.city.nas.id,
            status,
            said,
            raw,
            SOURCE,
            self.city.time.at.timestamp(),
            self.city.time.seconds,
        )

    def verdicts(self) -> list[Verdict]:
        return [decode_verdict(payload) for payload in self._payloads(RecordType.VERDICT)]

    def _payloads(self, kind: RecordType) -> list[bytes]:
        reader = JournalReader(self.folder, None)
        found: list[bytes] = []
        while (stretch := reader.read(100)) is not None:
            found += [entry.payload for entry in stretch.entries if entry.type == kind]
            reader.advance(stretch)
        return found


def chap(password: str) -> ChapResponse:
    return ChapResponse.answering(b"challenge-of-16-", 7, password)


def ms_chap(user_name: str, password: str) -> MsChapV2Response:
    return MsChapV2Response.answering(
        b"challenge-of-16-", 7, user_name.encode(), password, peer_challenge=b"the other's one."
    )


def worker_of(city: City, folder: Path) -> Worker:
    """Make the worker that merges the journal in `folder`."""
    return Worker(
        city.database,
        city.keyring,
        data_dir=folder.parent.parent.parent,
        node="node",
        zone=WITA,
        journal_keep_seconds=3600,
        now=city.time.now,
        monotonic=city.time.monotonic,
        chance=os.urandom,
    )


def used_by(node: Node, account: Account, period: Period = Period.DAY) -> int:
    """Return the octets that a node knows to be used in a period."""
    return node.snapshot.usage_of(account, node.city.time.at).used(Tally(period, Measure.BOTH))


def unmerged_by(sessions: Sessions, account_id: str) -> int:
    """Return the octets that only the node knows of."""
    return sum(used.of(Measure.BOTH) for _day, used in sessions.unmerged(account_id, 0))
