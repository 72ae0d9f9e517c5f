"""People who log in by name and password all the while, each from a phone of its own: how long it takes them."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Final

from sqlalchemy import select

from app.db.engine import Database
from app.db.tables.journals import access_log
from app.domain.nases import Family
from app.domain.users import CredentialKind
from app.services import nases, plans, sites, users
from app.services.keyring import Keyring
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Timing
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange

SECRET: Final = "shared-secret-of-the-office"
ROUTER_TIMING: Final = Timing(first_seconds=1.1, longest_seconds=1.1, attempts=9, give_up_seconds=10.0)
"""RouterOS resends after 1.1 s and gives up after 10 s, as our configuration for it has it."""
PROMPT_SECONDS: Final = 0.1  # a verdict that left later may have left without the disk, and is counted so
_PAUSE_SECONDS: Final = 0.03


@dataclass(frozen=True, slots=True)
class Login:
    """One login: from when on it was tried, and how long it took; None: nobody answered in time."""

    mac: str
    seconds: float | None
    attempts: int


class Logins:
    """The office's router, and one person after another at it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        now, chance = datetime.now(UTC), os.urandom
        plans.add_plan(database, "Kantor", now=now, chance=chance)
        sites.add_site(database, "Kantor", now=now, chance=chance)
        nases.add_nas(
            database,
            keyring,
            "kantor",
            address="127.0.0.1",
            family=Family.MIKROTIK,
            site="Kantor",
            identifier="kantor",
            secret=SECRET,
            now=now,
            chance=chance,
        )
        users.add_user(
            database,
            keyring,
            "budi",
            password="rahasia-123",
            kind=CredentialKind.ENCRYPTED,
            plan="Kantor",
            now=now,
            chance=chance,
        )
        self.database = database
        self.done: list[Login] = []

    def log_in_until(self, stop: Event, auth_port: int) -> None:
        while not stop.is_set():
            self.done.append(self._log_in(len(self.done), auth_port))
            stop.wait(_PAUSE_SECONDS)

    def wait(self) -> float:
        """Return how long the one who waited longest waited; every one was answered, and let in."""
        assert self.done
        assert all(one.seconds is not None for one in self.done)
        return max(one.seconds for one in self.done if one.seconds is not None)

    def kept(self) -> None:
        """Every Accept is in the access log once; it may be there twice where the router had to ask again."""
        with self.database.read() as connection:
            log = access_log.c
            rows = connection.execute(select(log.mac).where(log.mac.startswith("02:cc"), log.outcome == "accept"))
            logged = [row.mac for row in rows]
        sure = {one.mac for one in self.done if one.seconds is not None and one.seconds < PROMPT_SECONDS}
        assert sure <= set(logged)
        once = {one.mac for one in self.done if one.attempts == 1}
        assert len([mac for mac in logged if mac in once]) == len(once & set(logged))

    def _log_in(self, number: int, auth_port: int) -> Login:
        mac = f"02:cc:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        said = Attributes([("User-Name", "budi"), ("NAS-Identifier", "kantor"), ("Calling-Station-Id", mac)])
        query = AccessQuery(said.add("Acct-Session-Id", f"8{number:07x}"), PapPassword(b"rahasia-123"))
        answered = exchange(("127.0.0.1", auth_port), SECRET.encode(), query, timing=ROUTER_TIMING)
        if not isinstance(answered, Answered):
            return Login(mac, None, answered.attempts)
        assert answered.reply.code is Code.ACCESS_ACCEPT
        return Login(mac, answered.seconds, answered.attempts)
