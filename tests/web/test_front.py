"""What belongs to no router: front page, services, health, probes, and whatever else is asked."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.db.engine import open_database
from app.domain.keys import Chance
from app.portal.app import create_app
from app.portal.probes import PATHS
from app.services.keyring import Keyring
from tests.web.city import PORTAL_URL, City, Clock, settings_for, words


def test_front_page_welcomes_everybody(city: City) -> None:
    assert "Wi-Fi dari Pemerintah Kota Bontang" in words(city.client.get("/"))


def test_front_page_leads_a_phone_to_its_router(city: City) -> None:
    with TestClient(city.client.app, base_url=PORTAL_URL, client=("10.9.9.9", 40_000)) as phone:
        assert "Tekan tombol ini" not in words(phone.get("/")), "its router has no registered address"
    with TestClient(city.client.app, base_url=PORTAL_URL, client=("127.0.0.1", 40_000)) as phone:
        page = phone.get("/")
    assert 'href="http://10.5.50.1/"' in page.text


def test_services_are_open_and_named(city: City) -> None:
    page = city.client.get("/services")
    assert page.status_code == 200
    assert "maritim.bmkg.go.id" in words(page)
    assert "Wave and wind forecasts" in words(city.client.get("/services?lang=en"))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_d17_health(city: City, path: str) -> None:
    assert city.client.get(path).json() == {"status": "ok"}


def test_d17_without_its_database_the_portal_is_not_ready(keyring: Keyring, tmp_path: Path, chance: Chance) -> None:
    database = open_database("postgresql://nobody@127.0.0.1:1/none")
    app = create_app(settings_for(tmp_path), database, keyring, clock=Clock(), chance=chance)
    with TestClient(app, base_url=PORTAL_URL) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        page = client.get("/hotspot/gusung-1?mac=02:aa:00:00:00:01")
    database.close()
    assert page.status_code == 503
    assert "Layanan sedang terganggu." in words(page)
    assert "The service is having trouble." in words(page)
    assert "Nomor kejadian:" in words(page)


@pytest.mark.parametrize("path", sorted(PATHS))
@pytest.mark.parametrize("host", ["captive.apple.com", "portal.test"])
def test_b2_01_probe_is_sent_to_the_portal(city: City, path: str, host: str) -> None:
    answer = city.client.get(path, headers={"Host": host})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{PORTAL_URL}/"
    assert answer.content == b""
    assert "set-cookie" not in answer.headers
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/index.html", "/a/b?c=d"])
def test_s15_foreign_host_gets_no_page(city: City, path: str) -> None:
    answer = city.client.get(path, headers={"Host": "neverssl.example"})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{PORTAL_URL}/"


def test_unknown_page_says_so_in_both_languages(city: City) -> None:
    page = city.client.get("/nope")
    assert page.status_code == 404
    assert "Halaman ini tidak ada." in words(page)
    assert '<div class="muted" lang="en">' in page.text
    assert "There is no such page." in words(page)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH", "OPTIONS"])
def test_c2_10_other_methods_are_refused(city: City, method: str) -> None:
    assert city.client.request(method, "/login").status_code == 405


def test_c2_10_no_api_documentation_is_served(city: City) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert city.client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/services", "/nope", "/healthz", "/status?t=x", "/hotspot/x", "/generate_204"])
def test_c2_04_every_answer_is_sealed(city: City, path: str) -> None:
    headers = city.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_c2_10_failure_inside_shows_a_number_and_no_trace(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    def broken_clock() -> object:
        raise ZeroDivisionError("seven")

    folder = city.database.engine.url.database
    assert folder is not None
    settings = settings_for(Path(folder).parent)
    app = create_app(settings, city.database, city.keyring, clock=broken_clock, chance=city.chance)  # type: ignore[arg-type] # broken on purpose
    with TestClient(app, base_url=PORTAL_URL) as client:
        page = client.get("/status?t=x")
    assert page.status_code == 503
    assert "Traceback" not in page.text
    assert "seven" not in page.text
    number = page.text.split("Nomor kejadian: ")[1].split("<")[0]
    logged = capsys.readouterr().out
    assert number in logged
    assert "ZeroDivisionError" in logged
