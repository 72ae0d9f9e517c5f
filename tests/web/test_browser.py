"""What a phone makes of the pages: Debian's Chromium, JavaScript off; axe and a ruler with it on."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.db.engine import Database
from app.domain.keys import Chance
from app.portal.passes import StatusPass, issue_status
from app.services import nases
from app.services.keyring import Keyring
from tests.factories import MAC
from tests.web.city import NAS, OTHER_MAC, City, Clock, build_city

pytestmark = pytest.mark.lab

CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
ESSENTIAL: Final = "waiting: meta-refresh"
"""Without a script the waiting page can only look again by itself; it lasts a minute and has a link beside it."""
SMALL_TARGETS: Final = """() => [...document.querySelectorAll(
    'a, button, summary, label.check, input:not([type=hidden]):not([type=checkbox])')]
  .filter(e => e.getClientRects().length)
  .map(e => [e.tagName, e.textContent.trim().slice(0, 30), e.getBoundingClientRect()])
  .filter(([, , box]) => box.height < 48 || box.width < 48)
  .map(([tag, text, box]) => `${tag} ${text} ${box.width}x${box.height}`)"""
RULES: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


class Router(BaseHTTPRequestHandler):
    """A hotspot's own pages, as far as a browser sees them: log in and go on, log out and come back."""

    splash = ""
    city: City

    def do_GET(self) -> None:
        parts, target = urlsplit(self.path), f"{self.splash}&page=logout"
        if parts.path == "/login":
            query = parse_qs(parts.query)
            self.city.use_ticket(query["username"][0])
            target = query["dst"][0]
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@dataclass
class Island:
    """A city served on loopback, and the router of its island."""

    city: City
    nas_id: str
    browser: Browser

    def phone(
        self, *, scripts: bool = False, width: int = 320, scheme: Literal["light", "dark"] = "light"
    ) -> BrowserContext:
        return self.browser.new_context(
            viewport={"width": width, "height": 570}, java_script_enabled=scripts, color_scheme=scheme
        )

    def url(self, path: str) -> str:
        return self.city.url + path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"needs {CHROMIUM}: sh tests/lab/install.sh", pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def island(
    sqlite_database: Database, keyring: Keyring, chance: Chance, tmp_path: Path, browser: Browser
) -> Iterator[Island]:
    clock = Clock()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        city = build_city(sqlite_database, keyring, clock, chance, tmp_path, url=url)
        server = uvicorn.Server(uvicorn.Config(city.client.app, log_level="error"))
        router = ThreadingHTTPServer(("127.0.0.2", 0), Router)
        address = f"127.0.0.2:{router.server_port}"
        stored = nases.set_nas(city.database, city.keyring, NAS, now=clock(), login_address=address)
        city.router = address
        Router.splash, Router.city = url + city.splash_url(), city
        threads = [
            threading.Thread(target=server.run, kwargs={"sockets": [listener]}),
            threading.Thread(target=router.serve_forever, kwargs={"poll_interval": 0.05}),
        ]
        for thread in threads:
            thread.start()
        try:
            yield Island(city, stored.nas.id, browser)
        finally:
            server.should_exit = True
            router.shutdown()
            router.server_close()
            for thread in threads:
                thread.join(10)


# ---- the whole way, by hand


def test_s3_one_tap_without_script_and_back_out(island: Island) -> None:
    with island.phone() as phone:
        page = phone.new_page()
        page.goto(island.url(island.city.splash_url()))
        page.get_by_role("button", name="Setuju & sambungkan").click()
        assert urlsplit(page.url).path == "/status"
        assert "Anda tersambung" in page.inner_text("h1")
        page.get_by_role("button", name="Putuskan perangkat ini").click()
        assert "Anda sudah keluar." in page.inner_text(".note")
        assert phone.cookies() == [], "the status page's own is gone with the connection"


def test_voucher_without_script(island: Island) -> None:
    with island.phone() as phone:
        page = phone.new_page()
        page.goto(island.url(island.city.splash_url()))
        page.get_by_text("Saya punya kode voucher").click()
        page.get_by_label("Kode voucher").fill("abc def gh2")
        page.get_by_role("button", name="Setuju & pakai voucher").click()
        assert "Kode voucher tidak dikenal." in page.inner_text("#e-code")
        page.get_by_label("Kode voucher").fill(island.city.codes[0].lower())
        page.get_by_role("button", name="Setuju & pakai voucher").click()
        assert "Anda tersambung" in page.inner_text("h1")


def test_s2_splash_is_one_request(island: Island) -> None:
    with island.phone() as phone:
        page = phone.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(island.url(island.city.splash_url()), wait_until="networkidle")
        assert [url for url in requests if not url.startswith("data:")] == [island.url(island.city.splash_url())]


def test_s5_first_screen_has_offer_and_button(island: Island) -> None:
    with island.phone() as phone:
        page = phone.new_page()
        page.goto(island.url(island.city.splash_url()))
        box = page.get_by_role("button", name="Setuju & sambungkan").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 570


def test_nothing_on_a_page_breaks_its_own_policy(island: Island) -> None:
    with island.phone(scripts=True) as phone:
        page = phone.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        for path in every_page(island):
            page.goto(island.url(path))
        assert [text for text in complaints if "Content Security Policy" in text] == []


# ---- every page, in both schemes


def every_page(island: Island) -> dict[str, str]:
    """Return the path of each page that can be opened by GET, with its name."""
    city = island.city
    token = city.log_in(OTHER_MAC)
    now = city.clock()
    waiting = StatusPass(island.nas_id, account(city, OTHER_MAC), MAC, now).awaiting("f" * 64, now, 60)
    silent = StatusPass(island.nas_id, account(city, OTHER_MAC), MAC, now).awaiting("f" * 64, now, -1)
    tokens = {
        name: issue_status(city.keyring, status, now=now, until=now + timedelta(hours=1))
        for name, status in (("waiting", waiting), ("silent", silent))
    }
    return {
        island.city.splash_url(): "splash",
        f"{island.city.splash_url()}&lang=en": "splash in English",
        f"{island.city.splash_url()}&error=RADIUS+server+is+not+responding": "router timeout",
        f"/status?t={token}": "status",
        f"/status?t={tokens['waiting']}": "waiting",
        f"/status?t={tokens['silent']}": "silent",
        "/services": "services",
        "/": "front",
        "/nope": "not found",
        f"/hotspot/{NAS}": "no device",
    }


def account(city: City, mac: str) -> str:
    return city.account_of(city.post(mac=mac))


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(element => element.open = true)")


def submit(island: Island, way: str, **fields: str) -> Callable[[Page], None]:
    """Return what brings a page to the answer of a form."""

    def go(page: Page) -> None:
        page.goto(island.url(island.city.splash_url()))
        open_all(page)
        form = page.locator(f"form:has(input[value={way}])")
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)
        form.locator("button").click()

    return go


def opened(island: Island, path: str) -> Callable[[Page], Any]:
    return lambda page: page.goto(island.url(path))


def visits(island: Island) -> Iterator[tuple[str, Callable[[Page], Any]]]:
    for path, name in every_page(island).items():
        yield name, opened(island, path)
    yield "wrong code", submit(island, "voucher", code="ABCDEFGH2")
    yield "wrong password", submit(island, "account", username="siti", password="x")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_s7_s10_axe_finds_nothing(island: Island, scheme: Literal["light", "dark"]) -> None:
    found: list[str] = []
    with island.phone(scripts=True, scheme=scheme) as phone:
        page = phone.new_page()
        for name, visit in visits(island):
            visit(page)
            open_all(page)
            results = Axe().run(page, options=RULES)
            found += [f"{name}: {violation['id']}" for violation in results.response["violations"]]
    assert found == [ESSENTIAL]


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_s9_targets_are_large_and_nothing_scrolls_sideways(island: Island, width: int) -> None:
    found: list[str] = []
    with island.phone(scripts=True, width=width) as phone:
        page = phone.new_page()
        for name, visit in visits(island):
            visit(page)
            open_all(page)
            found += [f"{name}: {target}" for target in page.evaluate(SMALL_TARGETS)]
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                found.append(f"{name}: scrolls sideways at {width}")
    assert found == []


def test_s9_long_words_do_not_widen_the_page(island: Island) -> None:
    token = island.city.log_in(link_orig=f"http://{'a' * 60}.{'b' * 60}.example/")
    with island.phone(scripts=True) as phone:
        page = phone.new_page()
        page.goto(island.url(f"/status?t={token}"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
