"""An evening's accounting over real UDP, and exactly what the database must hold of it in the end."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

from sqlalchemy import func, insert, select

from app.db.engine import Database
from app.db.snapshot import read_positions
from app.db.tables.accounts import accounts as accounts_table
from app.db.tables.journals import accounting_events, set_aside
from app.db.tables.plans import plans as plans_table
from app.domain.acceptances import Acceptance, class_value
from app.domain.keys import new_id
from app.domain.nases import Family
from app.node.journal.segment import Position
from app.services import nases, plans, sites
from app.services.keyring import Keyring
from app.services.stale import close_superseded
from radius.attributes import Attributes
from tests.flows.serving import Router
from tests.histories import INTERIM, OFF, ON, ROUTERS, START, STOP, Packet, Settings, make_history
from tests.node.journals import until
from tests.services import test_ingest_history as oracle

AT_ONCE: Final = 16
STATUS = {START: 1, STOP: 2, INTERIM: 3, ON: 7, OFF: 8}


@dataclass
class Town:
    """The history's routers and accounts in a real database, behind one address and told apart by NAS-Identifier."""

    database: Database
    keyring: Keyring

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        plans.add_plan(self.database, "Warga", now=now, chance=os.urandom)
        sites.add_site(self.database, "Gusung", now=now, chance=os.urandom)
        self.nases = [self._add_nas(number, now) for number in range(len(ROUTERS))]
        self.accounts: dict[int, str] = {}

    def _add_nas(self, number: int, now: datetime) -> str:
        return nases.add_nas(
            self.database,
            self.keyring,
            f"router-{number}",
            address="127.0.0.1",
            family=Family.MIKROTIK,
            site="Gusung",
            identifier=f"router-{number}",
            secret=self.secret(number).decode(),
            now=now,
            chance=os.urandom,
        ).nas.id

    def secret(self, nas: int) -> bytes:
        return f"shared-secret-of-router-{nas}".encode()

    def add_accounts(self, history: Sequence[Packet]) -> None:
        numbers = sorted({packet.account for packet in history if packet.account is not None})
        self.accounts = {number: new_id(number.to_bytes(10, "big")) for number in numbers}
        now = datetime.now(UTC)
        with self.database.write() as connection:
            plan_id = connection.scalar(select(plans_table.c.id))
            rows = [
                {"id": id_, "kind": "user", "plan_id": plan_id, "created_at": now} for id_ in self.accounts.values()
            ]
            connection.execute(insert(accounts_table), rows)

    def body(self, packet: Packet) -> bytes:
        """Write a packet of the history as its router would."""
        said = Attributes([("Acct-Status-Type", STATUS[packet.kind]), ("NAS-Identifier", f"router-{packet.nas}")])
        said.add("Event-Timestamp", packet.event_at)
        said.add("Acct-Delay-Time", packet.delay_seconds)
        if packet.session is None:
            return said.to_bytes()
        said.add("Acct-Session-Id", packet.acct_session_id)
        said.add("User-Name", packet.user_name)
        for name, text in (("Calling-Station-Id", packet.mac), ("Framed-IP-Address", packet.ip)):
            if text:
                said.add(name, text)
        for name, octets in (("Input", packet.up_octets), ("Output", packet.down_octets)):
            said.add(f"Acct-{name}-Octets", octets % 2**32).add(f"Acct-{name}-Gigawords", octets >> 32)
        if packet.session_seconds is not None:
            said.add("Acct-Session-Time", packet.session_seconds)
        if packet.cause:
            said.add("Acct-Terminate-Cause", packet.cause)
        if packet.account is not None:
            acceptance = Acceptance(f"{packet.session:016x}", self.accounts[packet.account])
            said.add("Class", class_value(acceptance, key=self.keyring.class_key, nas_id=self.nases[packet.nas]))
        return said.to_bytes()

    def truth(self, history: Sequence[Packet]) -> tuple[list[oracle.Truth], oracle.Days]:
        """Return the oracle's answer with the real ids in it."""
        ids = {oracle.nas_id(number): id_ for number, id_ in enumerate(self.nases)}
        names = {oracle.account_id(number): id_ for number, id_ in self.accounts.items()}
        sessions, days = oracle.truth(history, superseded=True)
        renamed = [
            replace(one, nas=ids[one.nas], account=None if one.account is None else names[one.account])
            for one in sessions
        ]
        return renamed, {(names[account], day): octets for (account, day), octets in days.items()}

    def stored(self) -> tuple[list[oracle.Truth], oracle.Days]:
        """Return what the database holds of the history's routers and accounts, and of nobody else."""
        sessions, days = oracle.stored(self.database, superseded=True)
        accounts = set(self.accounts.values())
        return (
            [session for session in sessions if session.nas in self.nases],
            {(account, day): octets for (account, day), octets in days.items() if account in accounts},
        )


class Sender:
    """Sends the history, each packet until it is acknowledged; when all of it is sent and nobody ends it, again."""

    def __init__(self, town: Town, history: Sequence[Packet], acct_port: int) -> None:
        self._town, self._history, self._acct_port = town, history, acct_port
        self.sending = Event()
        self.batches = 0

    def wait_for(self, batches: int) -> None:
        until(lambda: self.batches >= batches, seconds=60)

    def send_until(self, stop: Event) -> None:
        router = Router(self._acct_port)
        try:
            while self.batches * AT_ONCE < len(self._history) or not stop.is_set():
                begin = self.batches * AT_ONCE % len(self._history)
                packets = self._history[begin : begin + AT_ONCE]
                self.sending.set()
                router.send([(self._town.secret(one.nas), self._town.body(one)) for one in packets])
                self.batches += 1
                if not stop.is_set():
                    stop.wait(0.05)  # what waits for the worker must not grow without end
        finally:
            router.close()


def evening(packets: int) -> list[Packet]:
    """One evening that is over by now, all of it within the day in which a router's time stamp is believed."""
    begins_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=13)
    settings = Settings(evenings=1, devices=max(40, packets // 50), accounts=max(20, packets // 600))
    return make_history(packets, begins_at=begins_at, settings=settings)


def compare(town: Town, history: Sequence[Packet]) -> None:
    """Hold what is stored against the oracle's answer, once the worker's next round has closed what is superseded."""
    database = town.database
    close_superseded(database, now=datetime.now(UTC))
    sessions, days = town.stored()
    true_sessions, true_days = town.truth(history)
    wrong, lacking = set(sessions) - set(true_sessions), set(true_sessions) - set(sessions)
    assert (wrong, lacking) == (set(), set()), _some(wrong, lacking)
    assert len(sessions) == len(true_sessions)
    assert days == true_days
    with database.read() as connection:
        events = connection.scalar(select(func.count()).select_from(accounting_events))
        assert connection.scalar(select(func.count()).select_from(set_aside)) == 0
    assert events is not None
    assert events >= len(history)


def _some(wrong: set[oracle.Truth], lacking: set[oracle.Truth]) -> str:
    """Say of a few sessions what is stored and what it should be."""
    return "\n".join(f"stored: {one}" for one in sorted(wrong, key=repr)[:5]) + "\n".join(
        f"\ntrue: {one}" for one in sorted(lacking, key=repr)[:5]
    )


def positions(database: Database) -> dict[tuple[str, int], Position]:
    with database.read() as connection:
        return {
            (one.node, one.worker): Position(one.segment, one.segment_id, one.offset)
            for one in read_positions(connection)
        }
