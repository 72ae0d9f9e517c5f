"""The dispatcher at work on simulated routers: somebody online at each, in the database and in the router."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

from sqlalchemy import select

from app.db.engine import Database
from app.db.tables.changes import changes
from app.db.tables.sessions import sessions
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.local_time import WITA
from app.domain.nases import Family
from app.domain.reports import Decided, Method, Reported, ReportKind
from app.domain.users import Account
from app.services import ingest, nases
from app.services.ceilings import set_ceilings
from app.services.changes import BY_HAND, disconnect
from app.services.keyring import Keyring
from app.simulator.coa import IncomingPort, listen
from app.simulator.router import Router, RouterSettings
from app.simulator.sessions import Limits, Session
from app.worker.dispatcher import Dispatcher
from radius.attributes import Attributes
from radius.client_engine import Timing
from radius.codes import Code
from radius.packet import header
from tests.factories import MAC, make_report
from tests.node.city import SECRET, City

QUICK = Timing(first_seconds=0.1, longest_seconds=0.1, attempts=3)  # who is silent is soon known
NAME = "userauserauserau"
IP = "10.5.50.2"
GRANTED = '{"down_bps": 4000000, "up_bps": 2000000, "octets": 1000000}'


class Ports(threading.Thread):
    """Simulated routers' ports, in a loop of their own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.loop = asyncio.new_event_loop()
        self._open: list[IncomingPort] = []
        self.start()

    def run(self) -> None:
        self.loop.run_forever()

    def open(self, router: Router) -> int:
        opened = asyncio.run_coroutine_threadsafe(listen(router, 0), self.loop).result(5)
        self._open.append(opened)
        return opened.port

    def close(self) -> None:
        for port in self._open:
            self.loop.call_soon_threadsafe(port.close)
        for _ in range(2):  # a transport is gone in the round after its end
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join()
        self.loop.close()


@dataclass
class Online:
    """Somebody online at a router: in the database, and in the simulated router."""

    router: Router
    account: Account
    session_id: str

    @property
    def limits(self) -> Limits | None:
        session = self.router.sessions.get(MAC)
        return None if session is None else session.limits


class Lab:
    def __init__(self, database: Database, keyring: Keyring, ports: Ports) -> None:
        self.city, self.keyring, self.ports = City(database, keyring), keyring, ports
        self.city.time.at = datetime.now(UTC)
        self.database = database
        self._numbers = count(1)

    def online(
        self,
        family: Family,
        *,
        manner: str | None = None,
        secret: str = SECRET,
        port: int | None = None,
        user_name: str = NAME,
    ) -> Online:
        """Let somebody be online at a new router of a family, which takes changes in its own manner, or another's."""
        name = f"{family.value}-{next(self._numbers)}"
        router = Router(_settings(name, manner or family.value, secret), clock=monotonic, chance=os.urandom)
        nas = self.city.add_nas(name, family=family, address="127.0.0.1", identifier=name)
        coa_port = self.ports.open(router) if port is None else port
        nases.set_nas(self.database, self.keyring, name, now=self.city.time.at, coa_port=coa_port)
        account = self.city.add_user(f"user-{name}")
        router.sessions[MAC] = _session()
        session_id = self._report(nas.id, name, account, user_name)
        return Online(router, account, session_id)

    def _report(self, nas_id: str, name: str, account: Account, user_name: str) -> str:
        now, acceptance = self.city.time.at, os.urandom(8).hex()
        report = make_report(
            ReportKind.INTERIM,
            minute=2,
            down=100_000,
            nas_id=nas_id,
            nas_scope=name,
            account_id=account.id,
            acceptance_id=acceptance,
            begins_at=now - timedelta(minutes=2),
        )
        accept = Decided(
            now - timedelta(minutes=2), nas_id, MAC, account.id, NAME, Method.PASSWORD, True, "", acceptance, GRANTED
        )
        body = _packet(name, user_name).to_bytes()
        packet = header(Code.ACCOUNTING_REQUEST, 1, len(body)) + bytes(16) + body
        said = Reported(report, packet, now, "127.0.0.1:50000", nas_id)
        ingest.merge(
            self.database, [accept, said], position=None, origin="", zone=WITA, now=now, chance=self.city.chance
        )
        with self.database.read() as connection:
            query = select(sessions.c.id).where(sessions.c.nas_id == nas_id)
            return str(connection.execute(query).scalar_one())

    def hold_down(self, who: Online) -> None:
        now = datetime.now(UTC)
        until_ = now + timedelta(hours=1)
        held = Ceiling(who.account.id, MAC, CeilingSource.PERSON, 512_000, 256_000, until_, "antre", "admin")
        set_ceilings(self.database, [held], now=now, chance=os.urandom)

    def end(self, who: Online) -> None:
        with self.database.write() as connection:
            disconnect(connection, [who.session_id], reason=BY_HAND, now=datetime.now(UTC), chance=os.urandom)

    def stored(self, who: Online) -> tuple[str, str, str | None]:
        with self.database.read() as connection:
            query = select(changes).where(changes.c.session_id == who.session_id)
            row = connection.execute(query.order_by(changes.c.created_at.desc()).limit(1)).one()
            return row.state, row.result, row.way

    @contextmanager
    def dispatching(self, timing: Timing | None = None) -> Iterator[Dispatcher]:
        dispatcher = Dispatcher(
            self.database, self.keyring, zone=WITA, now=lambda: datetime.now(UTC), timing=timing or Timing()
        )
        dispatcher.start()
        try:
            yield dispatcher
        finally:
            dispatcher.stop()


def _settings(name: str, family: str, secret: str) -> RouterSettings:
    return RouterSettings(
        name=name,
        address="127.0.0.1",
        radius_secret=secret.encode(),
        mac_secret="",
        auth=("127.0.0.1", 1),
        acct=("127.0.0.1", 1),
        pages={},
        garden=frozenset(),
        family=family,
    )


def _session() -> Session:
    limits = Limits(up_bps=2_000_000, down_bps=4_000_000, total_octets=1_000_000)
    return Session("80100001", MAC, IP, NAME, (), limits, monotonic() - 120)


def _packet(name: str, user_name: str) -> Attributes:
    return Attributes(
        [
            ("Acct-Status-Type", 3),
            ("User-Name", user_name),
            ("Acct-Session-Id", "80100001"),
            ("Calling-Station-Id", "02-AA-00-00-00-01"),
            ("Framed-IP-Address", IP),
            ("NAS-IP-Address", "127.0.0.1"),
            ("NAS-Identifier", name),
        ]
    )


def reaches(lab: Lab, who: Online, *expected: str | None) -> Callable[[], bool]:
    return lambda: lab.stored(who) == expected
