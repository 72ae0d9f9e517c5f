"""A phone's evening behind Debian's openNDS 9.10, at each FAS level, with Debian's Chromium and JavaScript off."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.lab.conftest import Authority, demand
from tests.lab.live import Live
from tests.lab.phone import Phone
from tests.lab.product import Product
from tests.lab.router import OpenNds
from tests.lab.topology import LAN_ADDRESS, PHONE_MAC, ROUTER_ADDRESS, SERVICE_NAME, Topology, wait_for

pytestmark = pytest.mark.lab

PROBE = "http://connectivitycheck.gstatic.com/generate_204"
FREE_TAP = "form:has(input[name=way][value=free]) button"
LOG_OUT = "form[action='/logout'] button"
OCTETS = 3_000_000


@dataclass(frozen=True)
class Evening:
    """Everything that a test needs at one FAS level."""

    level: int
    product: Product
    router: OpenNds
    phone: Phone


@pytest.fixture
def evening(request: pytest.FixtureRequest, topology: Topology, authority: Authority) -> Iterator[Evening]:
    demand(request, "opennds", "php", "chromium")
    level: int = request.param
    product = Product(topology, tls=authority.portal if level == 3 else None)
    product.set_up("opennds", f"{ROUTER_ADDRESS}/32", "--login-address", f"{LAN_ADDRESS}:2050")
    about = ("--id", "Cuaca dan surat.", "--en", "Weather and letters.")
    product.run("garden", "add", f"https://{SERVICE_NAME}", "--name", "Layanan", "--agency", "Kota", *about)
    product.serve()
    ca = authority.certificate if level == 3 else None
    router = OpenNds(topology, product.router_files(), level=level, authority=ca)
    with Phone(topology, insecure=level == 3) as phone:
        yield Evening(level, product, router, phone)


def levels(*numbers: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("evening", numbers, indirect=True, ids=[f"level-{number}" for number in numbers])


@levels(1, 2, 3)
def test_phone_taps_once_uses_the_internet_and_leaves(evening: Evening) -> None:
    phone, product = evening.phone, evening.product

    # Intercepted: whatever a phone asks for, it sees the splash page.
    screen = phone.open(PROBE)
    assert screen.error == ""
    assert screen.url.startswith(f"{product.portal_url}/hotspot/gusung-1?fas=")
    assert "Gusung" in screen.text
    assert "online" not in phone.fetch("http://example.com/before")

    # One tap, and the status page of ours comes back by way of the router.
    phone.press(FREE_TAP)
    wait_for("the status page", lambda: "Anda tersambung" in phone.look().text, seconds=60)
    assert phone.look().url.startswith(f"{product.portal_url}/status?")
    status_url = phone.look().url

    # The internet is reached, by the browser and beside it.
    assert "online: example.com/page" in phone.open("http://example.com/page").text
    assert len(phone.fetch(f"http://example.com/bytes/{OCTETS}")) == OCTETS

    # The session is open, and its usage grows when the router reports.
    wait_for("the router's counters", lambda: _has_counted(evening))
    evening.router.report_counters()
    (session,) = product.sessions()
    assert (session["device"], session["state"], session["nas"]) == (PHONE_MAC, "open", "gusung-1")
    assert OCTETS < _number(session["down_octets"]) < OCTETS * 2

    # Status, and log-out: the phone is captive again.
    assert "Anda tersambung" in phone.open(status_url).text
    phone.press(LOG_OUT)
    assert "online" not in phone.fetch("http://example.com/after")
    assert phone.open("http://example.com/again").url.startswith(f"{product.portal_url}/hotspot/gusung-1?")

    # The report at the end is stored: closed, with its octets and its cause.
    wait_for("the report of the log-out", lambda: product.sessions()[-1]["state"] == "closed")
    (session,) = product.sessions()
    assert session["terminate_cause"] == "User-Request"
    assert OCTETS < _number(session["down_octets"]) < OCTETS * 2
    assert 0 < _number(session["up_octets"]) < OCTETS
    assert session["flags"] == []


def tap(phone: Phone) -> None:
    phone.open(PROBE)
    phone.press(FREE_TAP)
    wait_for("the status page", lambda: "Anda tersambung" in phone.look().text, seconds=60)
    assert "online" in phone.fetch("http://example.com/page")


@levels(2)
def test_public_services_are_open_to_who_is_not_logged_in_or_was_cut(evening: Evening, topology: Topology) -> None:
    phone, product = evening.phone, evening.product
    topology.restart_names()
    wait_for("the resolver", lambda: "online" in phone.fetch(f"http://{SERVICE_NAME}/cuaca"))
    assert f"online: {SERVICE_NAME}/cuaca" in phone.fetch(f"http://{SERVICE_NAME}/cuaca")
    assert "online" not in phone.fetch("http://example.com/page")
    assert "online" not in phone.fetch(f"http://{SERVICE_NAME}:8000/page"), "no other port"

    tap(phone)
    phone.fetch(f"http://example.com/bytes/{OCTETS}")
    wait_for("the router's counters", lambda: _has_counted(evening))
    evening.router.report_counters()
    product.run("plan", "set", "Tamu", "--daily", "1MB")
    wait_for("the cut", lambda: _is_cut(evening))
    assert f"online: {SERVICE_NAME}/cuaca" in phone.fetch(f"http://{SERVICE_NAME}/cuaca")
    phone.open(PROBE)
    phone.press(FREE_TAP)
    wait_for("the reason", lambda: "Layanan pemerintah tetap bisa dibuka." in phone.look().text)
    phone.press(".note a[href='/services']")
    assert phone.look().url == f"{product.portal_url}/services"
    assert SERVICE_NAME in phone.look().text


@pytest.mark.alone
@levels(1)
def test_download_runs_into_its_quota_within_the_bound(evening: Evening) -> None:
    """docs/quotas.md: at the next check, 5 s in our configuration, of the share; 2 MB more at most at the very end."""
    phone, product = evening.phone, evening.product
    product.run("plan", "set", "Tamu", "--daily", "8MB")
    tap(phone)
    loaded = phone.download("http://example.com/bytes/60000000", rate="1000000")
    assert 6_500_000 < loaded < 8_000_000 + 5 * 1_000_000 + 2_000_000
    (session,) = product.sessions()
    assert session["state"] == "closed"


@levels(1)
def test_phone_that_names_another_mac_stays_outside(evening: Evening) -> None:
    phone, product = evening.phone, evening.product
    fas = parse_qs(urlsplit(phone.open(PROBE).url).query)["fas"][0]
    text = base64.b64decode(fas.replace(" ", "+")).decode().replace(PHONE_MAC, "02:aa:00:00:00:99")
    forged = quote(base64.b64encode(text.encode()).decode(), safe="")
    phone.open(f"{product.portal_url}/hotspot/gusung-1?fas={forged}")
    phone.press(FREE_TAP)
    assert "online" not in phone.fetch("http://example.com/")
    assert product.sessions() == []


@levels(2)
def test_report_waits_on_the_router_while_the_portal_is_away(evening: Evening) -> None:
    phone, product = evening.phone, evening.product
    tap(phone)
    wait_for("the router's counters", lambda: _has_counted(evening, 0))
    product.stop()
    evening.router.control("deauth", PHONE_MAC)
    assert [session["state"] for session in product.sessions()] == ["open"]
    product.serve()
    evening.router.report_counters()
    (session,) = product.sessions()
    assert (session["state"], session["terminate_cause"]) == ("closed", "Admin-Reset")
    assert _number(session["down_octets"]) > 0


@levels(2)
def test_session_is_ended_by_the_answer_to_the_routers_counters(evening: Evening) -> None:
    phone, product = evening.phone, evening.product
    tap(phone)
    (session,) = product.sessions()
    product.run("session", "disconnect", str(session["id"]), "--reason", "salah perangkat")
    live = Live(product)
    live.wait_for_change("waiting", {"next_report"})
    assert "online" in phone.fetch("http://example.com/page")
    evening.router.report_counters()
    assert "online" not in phone.fetch("http://example.com/page")
    live.wait_for_change("done", {"ended"})
    assert live.session()["terminate_cause"] == "Admin-Reset"


@levels(3)
def test_report_of_openndss_own_library_is_taken(evening: Evening) -> None:
    phone, product = evening.phone, evening.product
    tap(phone)
    token = next(line.split('"')[3] for line in evening.router.control("json").splitlines() if '"token"' in line)
    start = next(
        line.split('"')[3] for line in evening.router.control("json").splitlines() if '"session_start"' in line
    )
    report = (
        f"method=idle_deauth, clientmac={PHONE_MAC}, bytes_incoming=5000000, bytes_outgoing=4000, "
        f"session_start={start}, session_end={int(start) + 60}, token={{token}}, custom=none"
    )
    evening.router.send_report(report.format(token="00000000"))
    assert [session["state"] for session in product.sessions()] == ["open"]
    evening.router.send_report(report.format(token=token))
    (session,) = product.sessions()
    assert (session["state"], session["terminate_cause"]) == ("closed", "Idle-Timeout")
    assert (session["down_octets"], session["up_octets"]) == (5_000_000, 4_000)


def _has_counted(evening: Evening, octets: int = OCTETS) -> bool:
    """Tell whether the router has counted both ways (it reads its counters every five seconds)."""
    evening.phone.fetch("http://example.com/page")
    counted = {
        name: int(line.split('"')[3])
        for line in evening.router.control("json").splitlines()
        for name in ("download_this_session", "upload_this_session")
        if name in line
    }
    return counted.get("download_this_session", 0) * 1024 > octets and counted.get("upload_this_session", 0) > 0


def _is_cut(evening: Evening) -> bool:
    """Let the router report, be told what it has to do, and tell whether the phone is still online."""
    evening.router.report_counters()
    return "online" not in evening.phone.fetch("http://example.com/page")


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
