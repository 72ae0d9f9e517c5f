"""The same page for the other families: chilli's signed redirect, openNDS that comes for the grant itself."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

import pytest

from app.db.engine import Database
from app.domain.keys import Chance
from app.domain.nases import Family
from app.services.keyring import Keyring
from tests.factories import MAC
from tests.web.city import City, Clock, add_router, build_city, form_of, query_of, words

SECRET = "0123456789abcdef0123456789abcdef"
HTTPS = "https://portal.test"
GATEWAY = "Melahing%201"
GATEWAY_HASH = hashlib.sha256(GATEWAY.encode()).hexdigest()


@pytest.fixture
def secure_city(
    sqlite_database: Database, keyring: Keyring, clock: Clock, chance: Chance, tmp_path: Path
) -> Iterator[City]:
    built = build_city(sqlite_database, keyring, clock, chance, tmp_path, url=HTTPS)
    add_router(
        built.database,
        built.keyring,
        "melahing-1",
        family=Family.OPENNDS,
        address="10.9.9.8",
        login_address="10.99.10.1:2050",
        now=clock(),
        chance=chance,
    )
    with built.client:
        yield built


def chilli(city: City) -> None:
    add_router(
        city.database,
        city.keyring,
        "melahing-2",
        family=Family.COOVACHILLI,
        address="10.9.9.7",
        login_address="10.99.11.1:3990",
        now=city.clock(),
        chance=city.chance,
    )


def chilli_url(city: City, result: str = "notyet", **more: str) -> str:
    values = {"res": result, "uamip": "10.99.11.1", "uamport": "3990", "challenge": "ab" * 16, "called": "x"}
    query = urlencode(values | {"mac": "02-AA-00-00-00-01", "ip": "10.99.11.2", "nasid": "melahing-2"} | more)
    path = f"/hotspot/melahing-2?{query}"
    return f"{path}&md={hashlib.md5(f'{city.url}{path}{SECRET}'.encode()).hexdigest().upper()}"


def opennds_url(level: str = "1") -> str:
    fas = (
        f"hid={'ab' * 32}, clientip=10.99.10.194, clientmac={MAC}, client_type=cpd_can, gatewayname={GATEWAY}, "
        "gatewayurl=http%3a%2f%2fstatus.client, version=10.1.0, gatewayaddress=10.99.10.1:2050, authdir=opennds_auth, "
        "originurl=http%3a%2f%2fexample.com%2f, (null)(null)"
    )
    return f"/hotspot/melahing-1?fas={quote(base64.b64encode(fas.encode()).decode())}"


def poll(city: City, verb: str, payload: str) -> str:
    encoded = base64.b64encode(payload.encode()).decode()
    data = {"auth_get": verb, "gatewayhash": GATEWAY_HASH, "payload": encoded}
    return city.client.post("/hotspot/melahing-1", data=data).text


# ---- chilli


def test_chilli_logs_in_by_its_logon(city: City) -> None:
    chilli(city)
    page = city.client.get(chilli_url(city))
    assert page.status_code == 200
    assert "form-action 'self' http://10.99.11.1:3990;" in page.headers["content-security-policy"]
    answer = city.post(form=form_of(page))
    assert answer.headers["location"].startswith("http://10.99.11.1:3990/logon?username=")
    assert len(query_of(answer)["response"]) == 32


def test_c5_03_chilli_redirect_that_was_changed_is_not_believed(city: City) -> None:
    chilli(city)
    page = city.client.get(chilli_url(city).replace("02-AA-00-00-00-01", "02-AA-00-00-00-02"))
    assert page.status_code == 400
    assert "tidak utuh" in words(page)


def test_chilli_success_leads_to_the_status_page(city: City) -> None:
    chilli(city)
    status_url = query_of(city.post(form=form_of(city.client.get(chilli_url(city)))))["userurl"]
    answer = city.client.get(chilli_url(city, "success", userurl=status_url))
    assert answer.status_code == 303
    assert answer.headers["location"] == status_url


def test_success_with_a_foreign_goal_leads_nowhere(city: City) -> None:
    chilli(city)
    page = city.client.get(chilli_url(city, "success", userurl="http://evil.example/status?t=x"))
    assert page.status_code == 200
    assert "Anda sudah tersambung." in words(page)
    assert "evil.example" not in page.text


def test_chilli_failure_gives_the_page_with_the_next_challenge(city: City) -> None:
    chilli(city)
    page = city.client.get(chilli_url(city, "failed", reason="timeout"))
    assert "Pemancar Wi-Fi tidak mendapat jawaban." in words(page)
    assert city.post(form=form_of(page)).status_code == 303


def test_chilli_challenge_that_is_none_is_not_believed(city: City) -> None:
    chilli(city)
    assert city.client.get(chilli_url(city).replace("abab", "zzzz")).status_code == 400


# ---- openNDS


def wait(city: City) -> str:
    """Log in at level 4; return the waiting page's URL."""
    answer = city.post(form=form_of(city.client.get(opennds_url())))
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith(f"{HTTPS}/status?t=")
    return location.removeprefix(HTTPS)


def test_phone_waits_until_the_router_has_come(secure_city: City) -> None:
    city = secure_city
    url = wait(city)
    page = city.client.get(url)
    assert "Menyambungkan…" in words(page)
    assert '<meta http-equiv="refresh" content="3">' in page.text
    entries = unquote(poll(city, "view", "none")).split()
    assert entries[0] == "*"
    poll(city, "view", f"* {entries[1]}")
    assert "Anda tersambung" in words(city.client.get(url))


def test_phone_is_told_when_the_router_stays_silent(secure_city: City) -> None:
    city = secure_city
    url = wait(city)
    city.clock.advance(timedelta(seconds=61))
    page = city.client.get(url)
    assert page.status_code == 504
    assert "Pemancar Wi-Fi belum menjawab. Matikan lalu nyalakan Wi-Fi ponsel Anda" in words(page)
    assert "refresh" not in page.text
    assert 'href="http://10.99.10.1:2050/"' in page.text


def test_router_that_comes_late_still_lets_the_phone_in(secure_city: City) -> None:
    city = secure_city
    url = wait(city)
    city.clock.advance(timedelta(seconds=90))
    entries = unquote(poll(city, "view", "none")).split()
    poll(city, "view", f"* {entries[1]}")
    assert "Anda tersambung" in words(city.client.get(url))


def test_waiting_phone_is_captive(secure_city: City) -> None:
    token = wait(secure_city).partition("t=")[2]
    answer = secure_city.client.get(f"/captive-portal/api/{token}", headers={"Accept": "application/captive+json"})
    assert answer.json()["captive"] is True


def test_poll_by_get_is_answered_too(secure_city: City) -> None:
    query = urlencode({"auth_get": "view", "gatewayhash": GATEWAY_HASH, "payload": base64.b64encode(b"none").decode()})
    answer = secure_city.client.get(f"/hotspot/melahing-1?{query}")
    assert answer.text == "*"
    assert answer.headers["content-type"].startswith("text/plain")


def test_phone_that_is_in_already_reads_so(secure_city: City) -> None:
    page = secure_city.client.get("/hotspot/melahing-1?status=authenticated")
    assert "Anda sudah tersambung." in words(page)


def test_opennds_status_links_log_out_at_the_router(secure_city: City) -> None:
    city = secure_city
    token = wait(city).partition("t=")[2]
    answer = city.client.post("/logout", data={"t": token}, headers={"Origin": HTTPS})
    assert urlsplit(answer.headers["location"]).path == "/opennds_deny/"
