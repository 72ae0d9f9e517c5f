"""A public spot whose phones tap, come online and use data while everything breaks; each knows what it was promised.

A promise is an answer that reached the phone or its router: the redirect with a ticket, an Access-Accept, an
Accounting-Response. `kept` holds every one of them against the database.
"""

import http.client
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from threading import Event
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from sqlalchemy import func, select

from app.db.engine import Database
from app.db.tables.accounts import accounts
from app.db.tables.journals import access_log
from app.db.tables.sessions import sessions as sessions_table
from app.db.tables.sessions import usage
from app.domain.nases import Family
from app.services import nases, plans, sites
from app.services.keyring import Keyring
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Timing
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange
from tests.flows.serving import Router

SECRET: Final = "shared-secret-of-the-beach"
ROUTER_TIMING: Final = Timing(first_seconds=1.1, longest_seconds=1.1, attempts=9, give_up_seconds=10.0)
PROMPT_SECONDS: Final = 0.1  # a verdict that left later may have left without the disk, and is counted so
_HTTP_SECONDS: Final = 5.0


@dataclass
class Promise:
    """What one phone was told. `sure`: every answer came at once, so that nothing left unrecorded."""

    mac: str
    session: str
    account_id: str = ""
    sure: bool = False
    octets: int = 0


@dataclass
class Beach:
    """The spot, in a database that has no such site yet; its NAS is told from others here by NAS-Identifier."""

    database: Database
    keyring: Keyring
    promises: list[Promise] = field(default_factory=list)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        plans.add_plan(self.database, "Pantai", now=now, chance=os.urandom)
        sites.add_site(self.database, "Pantai", now=now, chance=os.urandom, guest_plan="Pantai")
        self.nas_id = nases.add_nas(
            self.database,
            self.keyring,
            "pantai",
            address="127.0.0.1",
            family=Family.MIKROTIK,
            site="Pantai",
            identifier="pantai",
            login_address="10.5.50.1",
            secret=SECRET,
            now=now,
            chance=os.urandom,
        ).nas.id

    def kept(self) -> None:
        """Hold every promise against the database."""
        with self.database.read() as connection:
            by_mac = connection.execute(select(accounts.c.guest_mac, accounts.c.id))
            guests = {row.guest_mac: row.id for row in by_mac}
            log, ours = access_log.c, access_log.c.nas_id == self.nas_id
            query = select(log.mac, log.account_id).where(ours, log.outcome == "accept")
            accepted = {(mac, account_id) for mac, account_id in connection.execute(query)}
            found = connection.execute(select(sessions_table).where(sessions_table.c.nas_id == self.nas_id)).all()
            of_days = select(usage.c.account_id, func.sum(usage.c.down_octets).label("down"))
            used = {row.account_id: row.down for row in connection.execute(of_days.group_by("account_id"))}
        sessions = {row.mac: row for row in found}
        assert len(sessions) == len(found)
        for one in self.promises:
            assert guests.get(one.mac) == one.account_id, one
            if one.sure:
                assert (one.mac, one.account_id) in accepted, one
            row = sessions[one.mac]
            assert (row.account_id, row.acct_session_id, row.down_octets) == (one.account_id, one.session, one.octets)
            assert used.get(one.account_id, 0) == one.octets, one


class Visitor:
    """One phone after another, each from the tap to the log-out; `stop` ends it between two phones."""

    def __init__(self, beach: Beach, number: int, *, portal: tuple[str, int], auth_port: int, acct_port: int) -> None:
        self._beach, self._number, self._portal = beach, number, portal
        self._auth, self._acct_port = ("127.0.0.1", auth_port), acct_port
        self._phones = 0

    def visit_until(self, stop: Event, *, patience: float = 120.0) -> None:
        """Visit again and again; raise AssertionError where a phone was told what must not be."""
        router = Router(self._acct_port)
        try:
            while not stop.is_set():
                self._visit(router, stop, patience)
        finally:
            router.close()

    def _visit(self, router: Router, stop: Event, patience: float) -> None:
        phone, self._phones = self._phones, self._phones + 1
        promise = Promise(f"02:bb:{self._number:02x}:00:{phone >> 8:02x}:{phone & 255:02x}", f"8{phone:07x}")
        granted = self._log_in(promise, stop)
        if granted is None:
            return
        user_name, class_value = granted
        self._beach.promises.append(promise)
        for status, octets in (("Start", 0), ("Interim-Update", 5_000_000_000), ("Stop", 7_000_000_000 + phone)):
            said = Attributes([("Acct-Status-Type", status), *self._place(promise.mac, promise.session)])
            said.add("User-Name", user_name).add("Class", class_value)
            said.add("Acct-Output-Octets", octets % 2**32).add("Acct-Output-Gigawords", octets >> 32)
            router.send([(SECRET.encode(), said.to_bytes())], patience=patience)
            promise.octets = octets

    def _log_in(self, promise: Promise, stop: Event) -> tuple[str, bytes] | None:
        """Tap until the router says that the phone is online; return its User-Name and Class, None if stopped."""
        while not stop.is_set():
            ticket = self._tap(promise.mac)
            answered = None if ticket is None else self._ask(promise.mac, promise.session, ticket)
            if ticket is None or answered is None:
                stop.wait(0.1)
                continue
            assert answered.reply.code is Code.ACCESS_ACCEPT
            promise.account_id = ticket[0].partition("~")[0]
            promise.sure = answered.seconds < PROMPT_SECONDS
            if promise.sure:
                other = self._ask(promise.mac, "another", ticket)
                assert other is None or other.reply.code is Code.ACCESS_REJECT  # once means once, whatever died
            return ticket[0], answered.reply.attributes.octets("Class") or b""
        return None

    def _place(self, mac: str, session: str) -> list[tuple[str, str]]:
        return [("NAS-Identifier", "pantai"), ("Calling-Station-Id", mac), ("Acct-Session-Id", session)]

    def _tap(self, mac: str) -> tuple[str, str] | None:
        """Open the splash page and tap; return the ticket's name and password, None if there was no such answer."""
        query = urlencode({"mac": mac, "ip": "10.5.50.23", "link-login-only": "http://10.5.50.1/login"})
        page = self._http("GET", f"/hotspot/pantai?{query}")
        form = None if page is None else re.search(r'name="form" value="([^"]+)"', page[1])
        if form is None:
            return None
        posted = urlencode({"form": unescape(form[1]), "way": "free", "terms": "yes"})
        answer = self._http("POST", "/login", posted)
        if answer is None or answer[0] != 303:
            return None
        said = parse_qs(urlsplit(answer[2]).query)
        return said["username"][0], said["password"][0]

    def _http(self, method: str, path: str, body: str | None = None) -> tuple[int, str, str] | None:
        """Return status, text and Location; None where the answer did not come whole."""
        asking = http.client.HTTPConnection(*self._portal, timeout=_HTTP_SECONDS)
        kind = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            asking.request(method, path, body, kind)
            answer = asking.getresponse()
            return answer.status, answer.read().decode(), answer.headers.get("Location", "")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            asking.close()

    def _ask(self, mac: str, session: str, ticket: tuple[str, str]) -> Answered | None:
        """Ask as a router does; None if it got no answer within its patience."""
        said = Attributes([("User-Name", ticket[0]), *self._place(mac, session)])
        answered = exchange(
            self._auth, SECRET.encode(), AccessQuery(said, PapPassword(ticket[1].encode())), timing=ROUTER_TIMING
        )
        return answered if isinstance(answered, Answered) else None
