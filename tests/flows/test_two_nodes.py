"""D06: two RADIUS servers for the same routers, each with its own disk, over one database: what each heard adds up."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from app.db.engine import Database
from app.domain.local_time import WITA
from app.domain.quotas import Measure, Period
from app.domain.users import CredentialKind
from app.node.journal.status import journal_status
from app.services import plans, users
from app.services.keyring import Keyring
from app.services.usage import usage_of
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Reply
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange
from tests.flows.evenings import Town, compare, evening, positions
from tests.flows.serving import Installation, Router
from tests.histories import Packet
from tests.node.city import SECRET, City
from tests.node.journals import until

pytestmark = pytest.mark.long

AT_ONCE: Final = 32
MAC: Final = "02-AA-00-00-00-01"
OCTETS_PER_SECOND: Final = 500_000  # 4 Mbit/s
QUOTA: Final = 4_000_000
INTERIM_SECONDS: Final = 0.25
FEED_SECONDS: Final = 1.0  # what a node promises: what is committed anywhere it knows within a second
BUSY_SECONDS: Final = 1.0  # what the packets in between may take


@dataclass
class Pair:
    """Two nodes of one database, each with its worker. `a` can be taken away and given back."""

    a: Installation
    b: Installation

    @property
    def both(self) -> tuple[Installation, Installation]:
        return self.a, self.b


@pytest.fixture
def pair(postgresql_database: Database, tmp_path: Path) -> Iterator[Pair]:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    made = Pair(*(Installation(postgresql_database, folder / "var") for folder in folders))
    with ExitStack() as running:
        for one in made.both:
            running.enter_context(one.running("worker", "--status"))
        yield made
    assert "Traceback" not in made.a.talk() + made.b.talk()


def merged(pair: Pair, database: Database) -> bool:
    return all(journal_status(one.data_dir, positions(database)).pending == 0 for one in pair.both)


class TwoServers:
    """The routers' side: each packet goes to one server or the other, some to both, as when an answer is lost."""

    def __init__(self, town: Town, pair: Pair) -> None:
        self._town = town
        self._routers = [Router(one.acct_port) for one in pair.both]
        self._chance = random.Random(5)

    def send(self, packets: Sequence[Packet], *, only: int | None = None) -> None:
        """Send packets until each is acknowledged by whom it was sent to; `only`: the other server is away."""
        shares: tuple[list[Packet], list[Packet]] = ([], [])
        for packet in packets:
            first = self._chance.randrange(2) if only is None else only
            shares[first].append(packet)
            if only is None and self._chance.random() < 0.1:
                shares[1 - first].append(packet)
        for router, share in zip(self._routers, shares, strict=True):
            router.send([(self._town.secret(one.nas), self._town.body(one)) for one in share])

    def close(self) -> None:
        for router in self._routers:
            router.close()


def test_sessions_that_alternate_between_two_servers_are_counted_once(
    pair: Pair, postgresql_database: Database, keyring: Keyring
) -> None:
    town = Town(postgresql_database, keyring)
    history = evening(3_000)
    town.add_accounts(history)
    servers = TwoServers(town, pair)
    batches = [history[begin : begin + AT_ONCE] for begin in range(0, len(history), AT_ONCE)]
    third = len(batches) // 3
    with pair.b.running("radius", "0"):
        process = pair.a.start("radius", "0")
        pair.a.wait_ready(process, "radius-0")
        for batch in batches[:third]:
            servers.send(batch)
        process.kill()
        process.wait()
        for batch in batches[third : 2 * third]:
            servers.send(batch, only=1)
        with pair.a.running("radius", "0"):
            for batch in batches[2 * third :]:
                servers.send(batch)
            until(lambda: merged(pair, postgresql_database), seconds=120)
    servers.close()
    compare(town, history)


@dataclass
class Phone:
    """A phone that uses all it is let, and its router, which cuts at the exact octet and reports to either server."""

    pair: Pair
    used: int = 0
    overruns: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(6)
        self._routers = {one.acct_port: Router(one.acct_port) for one in self.pair.both}
        self._sessions = 0

    def close(self) -> None:
        for router in self._routers.values():
            router.close()

    def ask(self, server: Installation, session: str) -> Reply:
        said = Attributes([("User-Name", "siti"), *self._place(session)])
        query = AccessQuery(said, PapPassword(b"rahasia-123"))
        answered = exchange(("127.0.0.1", server.auth_port), SECRET.encode(), query)
        assert isinstance(answered, Answered)
        return answered.reply

    def use_until_refused(self) -> None:
        """Log in at the server that did not hear the last report, use data for a while, log out; again and again."""
        last_told = self.pair.a
        while True:
            server = self.pair.b if last_told is self.pair.a else self.pair.a
            self._sessions += 1
            session = f"8{self._sessions:07x}"
            accept = self.ask(server, session)
            if accept.code is not Code.ACCESS_ACCEPT:
                return
            limit = accept.attributes.integer("Mikrotik-Total-Limit")
            assert limit is not None
            self.overruns.append(self.used + limit - QUOTA)
            last_told = self._surf(session, accept, limit)

    def _surf(self, session: str, accept: Reply, limit: int) -> Installation:
        """Use data at full speed for some intervals, or up to the limit; return the server that heard of the end."""
        class_value = accept.attributes.octets("Class") or b""
        octets, status = 0, "Start"
        for _ in range(self._chance.randrange(2, 5)):
            began = time.monotonic()
            self._tell(self._chance.choice(self.pair.both), status, session, class_value, octets)
            Event().wait(INTERIM_SECONDS)
            octets = min(limit, octets + int(OCTETS_PER_SECOND * (time.monotonic() - began)))
            status = "Interim-Update"
            if octets == limit:
                break
        told = self._chance.choice(self.pair.both)
        self._tell(told, "Stop", session, class_value, octets)
        self.used += octets
        return told

    def _tell(self, server: Installation, status: str, session: str, class_value: bytes, octets: int) -> None:
        said = Attributes([("Acct-Status-Type", status), ("User-Name", "siti"), *self._place(session)])
        said.add("Acct-Output-Octets", octets).add("Class", class_value)
        self._routers[server.acct_port].send([(SECRET.encode(), said.to_bytes())])

    def _place(self, session: str) -> list[tuple[str, str]]:
        return [("Calling-Station-Id", MAC), ("Acct-Session-Id", session), ("NAS-Identifier", "gusung-1")]


@pytest.mark.lab
@pytest.mark.alone
def test_overrun_of_a_quota_is_one_feed_delay_and_one_interim_interval_at_the_granted_rate(
    pair: Pair, postgresql_database: Database, keyring: Keyring
) -> None:
    city = City(postgresql_database, keyring)
    city.time.at = datetime.now(UTC)
    now, chance = city.time.at, city.chance
    plans.add_plan(
        postgresql_database, "Cepat", down_bps=8 * OCTETS_PER_SECOND, daily_octets=QUOTA, now=now, chance=chance
    )
    users.add_user(
        postgresql_database,
        keyring,
        "siti",
        password="rahasia-123",
        kind=CredentialKind.ENCRYPTED,
        plan="Cepat",
        now=now,
        chance=chance,
    )
    with pair.a.running("radius", "0"), pair.b.running("radius", "0"):
        phone = Phone(pair)
        phone.use_until_refused()
        until(lambda: merged(pair, postgresql_database), seconds=30)
        until(lambda: all(phone.ask(one, "after").code is Code.ACCESS_REJECT for one in pair.both))
        phone.close()
    print(f"overrun: {max(phone.overruns)} octets in {len(phone.overruns)} sessions")
    assert len(phone.overruns) > 3
    assert max(phone.overruns) <= OCTETS_PER_SECOND * (FEED_SECONDS + INTERIM_SECONDS + BUSY_SECONDS)
    used = usage_of(postgresql_database, "siti", now=datetime.now(UTC), zone=WITA)
    assert used is not None
    assert used.periods[Period.DAY].of(Measure.BOTH) == phone.used  # each report was heard by one of the two


def test_a_ticket_opens_one_session_whichever_server_is_asked(
    pair: Pair, postgresql_database: Database, keyring: Keyring
) -> None:
    city = City(postgresql_database, keyring)
    city.time.at = datetime.now(UTC)
    ticket = city.ticket(city.add_user("siti"))
    said = Attributes([("User-Name", ticket.name), ("Calling-Station-Id", MAC), ("Acct-Session-Id", "80000001")])
    query = AccessQuery(said.add("NAS-Identifier", "gusung-1"), PapPassword(ticket.password.encode()))
    with pair.a.running("radius", "0"), pair.b.running("radius", "0"):
        answers = [exchange(("127.0.0.1", one.auth_port), SECRET.encode(), query) for one in pair.both]
    classes = {one.reply.attributes.octets("Class") for one in answers if isinstance(one, Answered)}
    assert len(classes) == 1
    assert None not in classes
