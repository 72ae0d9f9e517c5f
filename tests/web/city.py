"""One city for the portal's tests: an island with its router, plans, a resident, and vouchers; phones that visit it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from httpx2 import Response
from starlette.testclient import TestClient

from app import config
from app.db.engine import Database
from app.domain.keys import Chance
from app.domain.local_time import WITA
from app.domain.nases import Family
from app.domain.reports import Decided, Method, Reported, ReportKind, SessionReport
from app.portal.app import create_app
from app.services import ingest, nases, plans, sites, users, vouchers
from app.services.keyring import Keyring
from tests.factories import MAC, NOON

PORTAL_URL: Final = "http://portal.test"
ROUTER: Final = "10.5.50.1"
SITE: Final = "Gusung"
NAS: Final = "gusung-1"
PASSWORD: Final = "laut biru 77"
OTHER_MAC: Final = "02:aa:00:00:00:02"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span


@dataclass
class City:
    """Everything that a test of the portal needs."""

    database: Database
    keyring: Keyring
    clock: Clock
    chance: Chance
    client: TestClient
    codes: tuple[str, ...]
    url: str
    router: str = ROUTER

    def splash_url(self, mac: str = MAC, *, nas: str = NAS, **parameters: str) -> str:
        """Return where the island's router sends a phone; parameters named `a_b` stand for `a-b`."""
        query = {"mac": mac, "ip": "10.5.50.23", "link-login-only": f"http://{self.router}/login"}
        return f"/hotspot/{nas}?{urlencode(query | dashed(parameters))}"

    def form(self, mac: str = MAC, **parameters: str) -> str:
        """Open the splash page; return the pass in its forms."""
        page = self.client.get(self.splash_url(mac, **parameters))
        assert page.status_code == 200, page.text
        return form_of(page)

    def post(self, way: str = "free", *, form: str | None = None, mac: str = MAC, **fields: str) -> Response:
        """Send one of the splash page's forms."""
        data = {"form": form or self.form(mac), "way": way, "terms": "yes"} | fields
        return self.client.post("/login", data=data, headers={"Origin": self.url})

    def log_in(self, mac: str = MAC, **parameters: str) -> str:
        """Log in by the free tap; return the token of the status page."""
        answer = self.post(form=self.form(mac, **parameters))
        assert answer.status_code == 303, answer.text
        return status_token(self.let_in(answer, mac=mac))

    def account_of(self, answer: Response) -> str:
        """Return the account that a redirect to the router logs in."""
        return query_of(answer)["username"].partition("~")[0]

    def let_in(self, answer: Response, *, mac: str = MAC, by: str = NAS) -> Response:
        """Let the router use the ticket of a redirect for the phone that it sees; return the redirect."""
        self.use_ticket(query_of(answer)["username"], mac=mac, by=by)
        return answer

    def use_ticket(self, name: str, *, mac: str = MAC, by: str = NAS) -> None:
        """Let the router present a ticket for the phone that it sees, and be answered with an Accept."""
        nas_id, account_id = nases.show_nas(self.database, by).id, name.partition("~")[0]
        accept = Decided(self.clock(), nas_id, mac, account_id, name, Method.TICKET, accepted=True)
        ingest.merge(self.database, [accept], position=None, origin="", zone=WITA, now=self.clock(), chance=self.chance)

    def report(
        self,
        account_id: str,
        octets: int,
        *,
        mac: str = MAC,
        kind: ReportKind = ReportKind.INTERIM,
        session: str = "80000001",
        seconds: int = 60,
        cause: str | None = None,
        by: str = NAS,
    ) -> None:
        """Let the router report a session that began `seconds` ago."""
        nas_id = nases.show_nas(self.database, by).id
        report = SessionReport(
            kind=kind,
            nas_id=nas_id,
            nas_scope=by,
            acct_session_id=session,
            mac=mac,
            user_name=f"{account_id}~f",
            event_at=self.clock(),
            up_octets=0,
            down_octets=octets,
            session_seconds=seconds,
            acceptance_id=session.rjust(16, "0"),
            account_id=account_id,
            ip="10.5.50.23",
            terminate_cause=cause,
        )
        reported = Reported(report, b"packet", self.clock(), "127.0.0.1:1", nas_id)
        ingest.merge(
            self.database, [reported], position=None, origin="", zone=WITA, now=self.clock(), chance=self.chance
        )


def build_city(
    database: Database, keyring: Keyring, clock: Clock, chance: Chance, folder: Path, *, url: str = PORTAL_URL
) -> City:
    now = clock()
    plans.add_plan(
        database, "Warga gratis", now=now, chance=chance, down_bps=4_000_000, up_bps=2_000_000, daily_octets=500_000_000
    )
    plans.add_plan(database, "Voucher 2 GB", now=now, chance=chance, down_bps=8_000_000, total_octets=2_000_000_000)
    plans.add_plan(database, "Keluarga", now=now, chance=chance, monthly_octets=10_000_000_000, device_limit=2)
    sites.add_site(database, SITE, now=now, chance=chance, guest_plan="Warga gratis")
    sites.add_site(database, "Kantor", now=now, chance=chance)
    add_router(database, keyring, NAS, now=now, chance=chance, login_address=ROUTER)
    add_router(database, keyring, "kantor-1", site="Kantor", address="10.9.9.9", now=now, chance=chance)
    users.add_user(database, keyring, "siti", password=PASSWORD, now=now, chance=chance, plan="Keluarga")
    batch = vouchers.create_batch(database, keyring, plan="Voucher 2 GB", count=3, now=now, chance=chance)
    app = create_app(settings_for(folder, url), database, keyring, clock=clock, chance=chance)
    return City(
        database=database,
        keyring=keyring,
        clock=clock,
        chance=chance,
        client=TestClient(app, base_url=url, follow_redirects=False),
        codes=batch.codes,
        url=url,
    )


def add_router(
    database: Database,
    keyring: Keyring,
    name: str,
    *,
    now: datetime,
    chance: Callable[[int], bytes],
    site: str = SITE,
    address: str = "127.0.0.1",
    family: Family = Family.MIKROTIK,
    login_address: str | None = None,
    portal_secret: str = "0123456789abcdef0123456789abcdef",
) -> None:
    nases.add_nas(
        database,
        keyring,
        name,
        address=address,
        family=family,
        site=site,
        now=now,
        chance=chance,
        login_address=login_address,
        portal_secret=portal_secret,
    )


def settings_for(folder: Path, portal_url: str = PORTAL_URL) -> config.Settings:
    return config.load({"PESISIR_DATA_DIR": str(folder), "PESISIR_PORTAL_URL": portal_url})


def dashed(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in parameters.items()}


def form_of(page: Response) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def query_of(answer: Response) -> dict[str, str]:
    """Return the query of where an answer sends the browser."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def status_token(answer: Response) -> str:
    """Return the token of the status page that the router sends the phone on to."""
    return parse_qs(urlsplit(query_of(answer)["dst"]).query)["t"][0]


def words(page: Response) -> str:
    """Return what a person reads on a page."""
    body = page.text.partition("<body>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
