"""Phones that came back by themselves, or have lost their status page: who is shown it, and who is not."""

import hashlib
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.db import changes, online, resume
from app.domain.acceptances import Acceptance, class_value
from app.domain.changes import ChangeKind
from app.domain.nases import Family
from app.domain.reports import ReportKind
from app.services import nases, vouchers
from tests.factories import MAC
from tests.web.city import NAS, OTHER_MAC, PORTAL_URL, ROUTER, City, add_router, query_of, words

RESUMED = "80000777"  # the Acct-Session-Id that the router gives after MAC authentication
CHILLI = "melahing-2"
CHILLI_SECRET = "0123456789abcdef0123456789abcdef"


def come_back(city: City, mac: str = MAC, *, session: str = RESUMED, by: str = NAS) -> str:
    """Log a phone in, let it vanish and come back by MAC authentication in a new session; return its account."""
    answer = city.let_in(city.post(form=city.form(mac)), mac=mac)
    account = city.account_of(answer)
    city.report(account, 100_000_000, mac=mac, kind=ReportKind.STOP, cause="Lost-Carrier", session=session[::-1])
    city.clock.advance(timedelta(hours=3))
    city.report(account, 88_000_000, mac=mac, session=session, by=by)
    return account


def class_of(city: City, account: str, *, session: str = RESUMED, by: str = NAS) -> str:
    """Return the Class with which a router holds a session, as its status page writes it."""
    acceptance = Acceptance(session.rjust(16, "0"), account)
    return class_value(acceptance, key=city.keyring.class_key, nas_id=nases.show_nas(city.database, by).id).decode()


def at_router(city: City, proof: str, *, mac: str = MAC) -> Response:
    """Open the router's own address, whose status page leads to the portal."""
    city.client.cookies.clear()
    return city.client.get(city.splash_url(mac, page="status", **{"class": proof}))


def chilli_url(city: City, **values: str) -> str:
    query = urlencode({"res": "already", "uamip": "10.99.11.1", "uamport": "3990", "ip": "10.99.11.2"} | values)
    url = f"{city.url}/hotspot/{CHILLI}?{query}"
    return f"{url}&md={hashlib.md5((url + CHILLI_SECRET).encode()).hexdigest().upper()}"


def follow(city: City, answer: Response) -> Response:
    assert answer.status_code == 303, words(answer)
    assert answer.headers["location"].startswith(f"{PORTAL_URL}/status?t=")
    return city.client.get(answer.headers["location"])


def said(page: Response) -> str:
    return words(page).replace("\xa0", " ")


def shows_nothing(answer: Response) -> bool:
    return answer.status_code == 200 and "Anda sudah tersambung." in words(answer) and "MB" not in words(answer)


def test_router_that_writes_the_class_shows_its_phone_the_figures(city: City) -> None:
    proof = class_of(city, come_back(city))
    page = follow(city, at_router(city, proof))
    assert "312 MB tersisa dari 500 MB hari ini" in said(page)
    assert "Saya punya kode tambahan kuota" in said(page)


def test_phone_that_came_back_adds_data_and_logs_out(city: City) -> None:
    account = come_back(city)
    batch = vouchers.create_batch(
        city.database, city.keyring, plan="Voucher 2 GB", count=1, top_up=True, now=city.clock(), chance=city.chance
    )
    token = query_of(at_router(city, class_of(city, account)))["t"]
    data = {"t": token, "code": batch.codes[0]}
    assert city.client.post("/top-up", data=data, headers={"Origin": PORTAL_URL}).status_code == 303
    assert "dan 2 GB tambahan sesudahnya" in said(city.client.get("/status", params={"t": token}))
    answer = city.client.post("/logout", data={"t": token}, headers={"Origin": PORTAL_URL})
    assert answer.headers["location"] == f"http://{ROUTER}/logout?erase-cookie=on"
    with city.database.read() as connection:
        (session,) = online.sessions_of(connection, account, since=city.clock())
        assert changes.of_session(connection, session.id)[-1].kind is ChangeKind.DISCONNECT
        assert resume.of_macs(connection, [MAC], now=city.clock())[MAC] == []


def test_mac_in_the_address_shows_nothing(city: City) -> None:
    come_back(city)
    for proof in ("", MAC, "2" + "a" * 64, "x" * 65):
        assert shows_nothing(at_router(city, proof))


def test_proof_of_one_phone_shows_nothing_of_another(city: City) -> None:
    neighbour = come_back(city)
    own = come_back(city, OTHER_MAC, session="80000888")
    page = follow(city, at_router(city, class_of(city, own, session="80000888"), mac=MAC))
    assert "Perangkat 1" in said(page)
    token = query_of(at_router(city, class_of(city, own, session="80000888"), mac=MAC))["t"]
    city.client.post("/logout", data={"t": token}, headers={"Origin": PORTAL_URL})
    assert "312 MB tersisa" in said(follow(city, at_router(city, class_of(city, neighbour))))
    changed = class_of(city, neighbour)
    assert shows_nothing(at_router(city, changed[:-1] + ("1" if changed[-1] == "0" else "0")))


def test_proof_of_another_router_or_of_a_session_that_is_over_shows_nothing(city: City) -> None:
    account = come_back(city)
    assert shows_nothing(at_router(city, class_of(city, account, by="kantor-1")))
    proof = class_of(city, account)
    city.report(account, 88_000_000, session=RESUMED, kind=ReportKind.STOP, cause="Lost-Carrier")
    assert shows_nothing(at_router(city, proof))


def test_who_is_shown_nothing_is_told_how_to_be_asked_again(city: City) -> None:
    page = at_router(city, "")
    assert f'href="http://{ROUTER}/logout?erase-cookie=on"' in page.text
    assert "putuskan perangkat ini, lalu sambungkan lagi" in words(page)
    assert "disconnect this device, then connect again" in words(
        city.client.get(city.splash_url(page="status", lang="en"))
    )


def test_signed_redirect_shows_the_session_that_it_names(city: City) -> None:
    add_router(
        city.database,
        city.keyring,
        CHILLI,
        family=Family.COOVACHILLI,
        address="10.9.9.7",
        login_address="10.99.11.1:3990",
        now=city.clock(),
        chance=city.chance,
        portal_secret=CHILLI_SECRET,
    )
    come_back(city, by=CHILLI)
    page = follow(city, city.client.get(chilli_url(city, mac=MAC, sessionid=RESUMED)))
    assert "312 MB tersisa" in said(page)
    city.client.cookies.clear()
    for values in ({"mac": MAC, "sessionid": "80000778"}, {"mac": OTHER_MAC, "sessionid": RESUMED}, {"mac": MAC}):
        assert shows_nothing(city.client.get(chilli_url(city, **values)))
    signed = chilli_url(city, mac=OTHER_MAC, sessionid=RESUMED)
    assert city.client.get(signed.replace(OTHER_MAC.replace(":", "%3A"), MAC.replace(":", "%3A"))).status_code == 400


# ---- the browser of the first login


def test_browser_that_saw_the_status_page_finds_it_again(city: City) -> None:
    token = city.log_in()
    left = city.client.get("/status", params={"t": token}).headers["set-cookie"]
    assert "HttpOnly" in left
    assert "SameSite=lax" in left
    come_back(city)
    assert "312 MB tersisa" in said(follow(city, city.client.get("/status")))
    assert "312 MB tersisa" in said(follow(city, city.client.get(city.splash_url(page="status"))))
    city.client.cookies.clear()
    assert city.client.get("/status").status_code == 404


def test_browser_of_who_was_cut_finds_the_reason_and_the_field_for_a_code(city: City) -> None:
    token = city.log_in()
    account = come_back(city)
    city.client.get("/status", params={"t": token})
    city.report(account, 500_000_000, session=RESUMED, kind=ReportKind.STOP, cause="Session-Timeout")
    page = follow(city, city.client.get("/status"))
    assert "Kuota hari ini sudah habis." in said(page)
    assert "Tambah kuota" in said(page)
    assert shows_nothing(city.client.get(city.splash_url(page="status"))), "the router lets it in: on another account"


def test_browser_forgets_at_the_log_out(city: City) -> None:
    token = city.log_in()
    come_back(city)
    city.client.get("/status", params={"t": token})
    city.client.post("/logout", data={"t": token}, headers={"Origin": PORTAL_URL})
    assert "status" not in city.client.cookies
    assert city.client.get("/status").status_code == 404


def test_cookie_of_a_connection_that_is_over_or_never_began_shows_nothing(city: City) -> None:
    forged = query_of(city.post())["dst"].partition("t=")[2]
    page = city.client.get("/status", params={"t": forged})
    assert "set-cookie" not in page.headers
    city.client.cookies.set("status", forged)
    assert city.client.get("/status").status_code == 404
    city.client.cookies.clear()
    account = come_back(city)
    city.client.get("/status", params={"t": query_of(at_router(city, class_of(city, account)))["t"]})
    city.report(account, 88_000_000, session=RESUMED, kind=ReportKind.STOP, cause="Lost-Carrier")
    assert city.client.get("/status").status_code == 404


@pytest.mark.parametrize("source", ["127.0.0.1", "10.9.9.9"])
def test_address_without_a_link_leads_a_phone_to_its_router(city: City, source: str) -> None:
    with TestClient(city.client.app, base_url=PORTAL_URL, follow_redirects=False, client=(source, 1)) as phone:
        answer = phone.get("/status")
    if source == "127.0.0.1":
        assert (answer.status_code, answer.headers["location"]) == (303, f"http://{ROUTER}/")
    else:
        assert answer.status_code == 404, "kantor-1 has no address for phones"


def test_status_page_says_where_it_is_found_again(city: City) -> None:
    city.client.cookies.clear()
    page = follow(city, at_router(city, class_of(city, come_back(city))))
    assert f'href="{PORTAL_URL}/status"' in page.text
