"""The splash page: small, whole, in two languages, safe from whatever a phone carries to it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import TypedDict
from zoneinfo import ZoneInfo

import pytest

from app.db import access_log
from app.domain.access import DenialReason
from app.domain.local_time import WITA
from app.domain.quotas import Period, Quota
from app.domain.reports import Decided, Method
from app.domain.schedules import Window
from app.services import nases, overrides, windows
from app.services.overrides import Why
from tests.factories import MAC
from tests.web.city import NAS, OTHER_MAC, ROUTER, City, form_of, words

HEADER_OCTETS = 30  # a status line and its like, which the test client does not show


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_s1_page_fits_into_the_first_window(city: City) -> None:
    with city.client.stream("GET", city.splash_url(), headers={"Accept-Encoding": "gzip"}) as page:
        body = sum(len(chunk) for chunk in page.iter_raw())
        headers = sum(len(name) + len(value) + 4 for name, value in page.headers.raw)
    assert page.headers["content-encoding"] == "gzip"
    assert body + headers + HEADER_OCTETS <= 4_096, "the goal is 4 KB; the first window is 14,000 octets"


def test_s2_style_is_below_3_kb(city: City) -> None:
    style = re.search(r"<style>(.*?)</style>", city.client.get(city.splash_url()).text, re.DOTALL)
    assert style is not None
    assert len(style[1].encode()) <= 3_072


def test_s2_page_asks_for_nothing_else(city: City) -> None:
    html = city.client.get(city.splash_url()).text
    elements = Elements(html)
    assert [tag for tag, _ in elements.found if tag in ("script", "img", "iframe", "object", "audio", "video")] == []
    assert [link["href"] for link in elements.all("link")] == ["data:,"]
    assert "@import" not in html
    assert "url(#w)" in re.findall(r"url\([^)]*\)", html)
    assert len(re.findall(r"url\([^)]*\)", html)) == 1


def test_s3_page_sets_no_cookie(city: City) -> None:
    assert "set-cookie" not in city.client.get(city.splash_url()).headers


def test_s3_each_way_in_is_one_form(city: City) -> None:
    forms = Elements(city.client.get(city.splash_url()).text).all("form")
    assert [(form["method"], form["action"]) for form in forms] == [("post", "/login")] * 3


def test_s4_page_opens_no_window_and_no_app(city: City) -> None:
    for _tag, attributes in Elements(city.client.get(city.splash_url()).text).found:
        assert "target" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_s5_first_what_one_gets_then_the_one_action(city: City) -> None:
    text = words(city.client.get(city.splash_url()))
    order = ["Internet Pesisir", "Gusung", "Pemerintah Kota Bontang", "500\xa0MB", "4\xa0Mbps", "24 jam", "Setuju &"]
    text = text.replace("500 MB", "500\xa0MB").replace("4 Mbps", "4\xa0Mbps")
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert text.index("Setuju &") < text.index("voucher")


def test_s6_indonesian_first(city: City) -> None:
    page = city.client.get(city.splash_url())
    assert '<html lang="id">' in page.text
    assert 'lang="en" hreflang="en"' in page.text


def test_s6_english_by_its_link(city: City) -> None:
    links = Elements(city.client.get(city.splash_url()).text).all("a")
    english = next(link["href"] for link in links if link.get("hreflang") == "en")
    assert english is not None
    page = city.client.get(english)
    assert '<html lang="en">' in page.text
    assert "Agree & connect" in words(page)
    assert 'name="lang" value="en"' in page.text


def test_language_link_carries_the_same_visit(city: City) -> None:
    links = Elements(city.client.get(city.splash_url()).text).all("a")
    english = next(link["href"] for link in links if link.get("hreflang") == "en")
    assert english is not None
    assert city.post(form=form_of(city.client.get(english))).headers["location"].startswith(f"http://{ROUTER}/login?")


def test_s7_every_input_has_a_label(city: City) -> None:
    elements = Elements(city.client.get(city.splash_url()).text)
    labels = {label.get("for") for label in elements.all("label")}
    for field in elements.all("input"):
        if field["type"] in ("text", "password"):
            assert field["id"] in labels


def test_s8_inputs_help_phones_to_type(city: City) -> None:
    inputs = {field["name"]: field for field in Elements(city.client.get(city.splash_url()).text).all("input")}
    assert inputs["code"]["autocomplete"] == "one-time-code"
    assert inputs["code"]["autocapitalize"] == "characters"
    assert inputs["code"]["spellcheck"] == "false"
    assert inputs["username"]["autocomplete"] == "username"
    assert inputs["password"]["autocomplete"] == "current-password"


def test_e03_consent_is_separate_and_not_ticked(city: City) -> None:
    boxes = [f for f in Elements(city.client.get(city.splash_url()).text).all("input") if f["type"] == "checkbox"]
    assert {box["name"] for box in boxes} == {"remember"}
    assert not any("checked" in box for box in boxes)


def test_s17_terms_stand_on_the_page(city: City) -> None:
    assert "Yang kami catat" in words(city.client.get(city.splash_url()))


def test_c2_04_headers(city: City) -> None:
    headers = city.client.get(city.splash_url()).headers
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any("unsafe" in part for part in policy)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "permissions-policy" in headers


def test_form_may_lead_to_this_router_and_nowhere_else(city: City) -> None:
    policy = city.client.get(city.splash_url()).headers["content-security-policy"]
    assert f"form-action 'self' http://{ROUTER};" in policy


def test_site_without_a_free_plan_asks_for_a_voucher(city: City) -> None:
    page = city.client.get(
        city.splash_url(nas="kantor-1", mac=OTHER_MAC).replace("link-login-only=http%3A%2F%2F10.5.50.1", "x=")
    )
    assert page.status_code == 400, "no address is known to send this phone to"
    nases.set_nas(city.database, city.keyring, "kantor-1", now=city.clock(), login_address="10.9.9.9")
    page = city.client.get(f"/hotspot/kantor-1?mac={OTHER_MAC}")
    assert words(page).index("Kode voucher") < words(page).index("Saya punya akun")
    assert "Setuju & sambungkan" not in words(page)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        pytest.param("/hotspot/nowhere?mac=02:aa:00:00:00:01", 404, "Wi-Fi ini tidak kami kenal", id="unknown NAS"),
        pytest.param(f"/hotspot/{NAS}", 400, "Kami belum mengenali perangkat Anda", id="no MAC"),
        pytest.param(f"/hotspot/{NAS}?mac=nonsense", 400, "tidak utuh", id="a MAC that is none"),
        pytest.param(f"/hotspot/{NAS}?mac={'0' * 5_000}", 400, "tidak utuh", id="a MAC that never ends"),
        pytest.param(f"/hotspot/{NAS}?v=forged", 400, "terlalu lama terbuka", id="a forged pass"),
    ],
)
def test_visit_that_is_none_is_told_so(city: City, path: str, status: int, text: str) -> None:
    page = city.client.get(path)
    assert page.status_code == status
    assert text in words(page)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("http://evil.example/login", id="another host"),
        pytest.param(f"http://{ROUTER}.evil.example/login", id="a longer host"),
        pytest.param(f"http://{ROUTER}@evil.example/login", id="credentials in front"),
        pytest.param("javascript:alert(1)", id="a script"),
        pytest.param(f"//{ROUTER}/login", id="no scheme"),
        pytest.param(f"http://{ROUTER}:8081/x\r\nSet-Cookie: a=b", id="a header break"),
    ],
)
def test_c5_02_no_phone_is_sent_to_a_foreign_address(city: City, target: str) -> None:
    page = city.client.get(city.splash_url(link_login_only=target))
    assert target not in page.text
    assert "evil.example" not in page.headers["content-security-policy"]
    if page.status_code == 200:
        location = city.post(form=form_of(page)).headers["location"]
        assert location.startswith((f"http://{ROUTER}/login?", f"http://{ROUTER}:8081/login?"))
    else:
        assert page.status_code == 400
        assert "tidak utuh" in words(page)


def test_c5_01_what_a_phone_carries_is_escaped(city: City) -> None:
    page = city.client.get(city.splash_url(error="<script>alert(1)</script>", link_orig="http://x/<b>"))
    assert "<script>" not in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        pytest.param({"error": "RADIUS server is not responding"}, "tidak mendapat jawaban", id="our RADIUS is away"),
        pytest.param({"error": "call +62 800 now"}, "menolak sambungan", id="refused"),
        pytest.param({"page": "logout"}, "Anda sudah keluar", id="logged out"),
    ],
)
def test_s12_what_the_router_reports_is_said_in_our_words(city: City, parameters: dict[str, str], text: str) -> None:
    page = city.client.get(city.splash_url(**parameters))
    assert page.status_code == 200
    assert text in words(page)
    assert "+62" not in page.text
    assert form_of(page)


def test_host_header_is_never_used_for_a_url(city: City) -> None:
    page = city.client.get(city.splash_url(), headers={"Host": "evil.example"})
    assert "evil.example" not in page.text
    assert city.post(form=form_of(page)).headers["location"].count("evil") == 0


def test_pass_of_another_nas_is_not_taken(city: City) -> None:
    page = city.client.get(f"/hotspot/kantor-1?v={city.form(MAC)}")
    assert page.status_code == 400


def test_nothing_but_polls_is_posted_here(city: City) -> None:
    assert city.client.post(f"/hotspot/{NAS}", data={"auth_get": "view"}).status_code == 400


@pytest.mark.parametrize(
    ("age", "text"),
    [
        pytest.param(timedelta(seconds=5), "Perangkat Anda sudah terlalu banyak.", id="just now"),
        pytest.param(timedelta(minutes=3), "Pemancar Wi-Fi menolak sambungan.", id="long ago"),
    ],
)
def test_a3_09_refusal_by_the_node_is_explained(city: City, age: timedelta, text: str) -> None:
    verdict = Decided(
        at=city.clock() - age,
        nas_id=nases.show_nas(city.database, NAS).id,
        mac=MAC,
        account_id=None,
        user_name="x",
        method=Method.TICKET,
        accepted=False,
        reason=DenialReason.DEVICE_LIMIT.value,
    )
    with city.database.write() as connection:
        access_log.add(connection, [verdict])
    assert text in words(city.client.get(city.splash_url(error="no")))


class Circumstances(TypedDict):
    plan: str | None
    zone: ZoneInfo
    now: datetime
    chance: Callable[[int], bytes]


def everybody_there(city: City) -> Circumstances:
    return {"plan": None, "zone": WITA, "now": city.clock(), "chance": city.chance}


def test_offer_is_what_holds_at_this_site_at_this_hour(city: City) -> None:
    why = Why("satelit penuh", "admin")
    day = Quota(Period.DAY, 200_000_000)
    overrides.set_quotas_at_site(city.database, "Gusung", {day.tally: [day]}, why, **everybody_there(city))
    all_day = Window("hari ini", tuple(range(7)), 0, 1_440, rates=(("down_bps", 2_000_000),))
    windows.set_site_window(city.database, "Gusung", all_day, **everybody_there(city))
    page = city.client.get(city.splash_url()).text.replace("\xa0", " ")
    assert "2 Mbps" in page
    assert "200 MB" in page


def test_closed_hours_are_told_when_they_end(city: City) -> None:
    minute = 60 * (city.clock().astimezone(WITA).hour + 1)
    closed = Window("jam sekolah", tuple(range(7)), 0, minute, closed=True)
    windows.set_site_window(city.database, "Gusung", closed, **everybody_there(city))
    said = words(city.post())
    assert "Internet sedang ditutup pada jam ini." in said
    assert f"Internet dibuka lagi pukul {minute // 60:02}.00 WITA." in said
