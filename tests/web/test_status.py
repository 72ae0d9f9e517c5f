"""The status page, log-out, and what the phone itself may ask (RFC 8908)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from httpx2 import Response

from app.db import changes, online, resume
from app.domain.ceilings import Ceiling, CeilingSource
from app.domain.changes import ChangeKind
from app.domain.local_time import WITA
from app.domain.quotas import Action, Period, Quota, Then
from app.domain.reports import ReportKind
from app.services import plans, sites, users, vouchers
from app.services.ceilings import set_ceilings
from tests.factories import MAC
from tests.web.city import OTHER_MAC, PASSWORD, PORTAL_URL, ROUTER, City, status_token, words

CAPTIVE = {"Accept": "application/captive+json"}
SLOW_DAY = Quota(Period.DAY, 500_000_000, then=Then(Action.THROTTLE, 1_000_000, 1_000_000))


def show(city: City, token: str, **parameters: str) -> Response:
    return city.client.get("/status", params={"t": token, **parameters})


def enter(city: City) -> tuple[str, str]:
    """Log in by the free tap; return the status token and the account."""
    answer = city.let_in(city.post())
    return status_token(answer), city.account_of(answer)


def log_out(city: City, token: str, **headers: str) -> Response:
    return city.client.post("/logout", data={"t": token}, headers={"Origin": PORTAL_URL} | headers)


def test_status_works_before_any_accounting(city: City) -> None:
    page = show(city, enter(city)[0])
    assert page.status_code == 200
    assert "Anda tersambung Halaman ini boleh Anda tutup." in words(page)
    assert "Angka pemakaian muncul dalam satu menit." in words(page)


def test_status_is_looked_at_again_by_hand(city: City) -> None:
    token, _ = enter(city)
    page = show(city, token)
    assert f'href="{PORTAL_URL}/status?t={token}"' in page.text
    assert "refresh" not in page.text, "a page that reloads by itself takes the place from who reads it aloud"


def test_status_shows_what_is_left(city: City) -> None:
    token, account = enter(city)
    city.report(account, 188_000_000)
    text = words(show(city, token)).replace("\xa0", " ")
    assert "312 MB tersisa dari 500 MB hari ini" in text
    assert "Kecepatan 4 Mbps" in text
    assert "Perangkat 1" in text


def test_a14_status_says_how_old_its_figures_are(city: City) -> None:
    token, account = enter(city)
    city.report(account, 1)
    city.clock.advance(timedelta(seconds=12))
    assert "Angka terakhir dari pemancar Wi-Fi: 12 detik lalu." in words(show(city, token))


def test_status_in_english(city: City) -> None:
    token, account = enter(city)
    city.report(account, 188_000_000)
    assert "312 MB left of 500 MB today" in words(show(city, token, lang="en")).replace("\xa0", " ")


def test_status_counts_devices_against_the_limit(city: City) -> None:
    answer = city.let_in(city.post("account", username="siti", password=PASSWORD))
    account = city.account_of(answer)
    city.report(account, 1, mac="02:aa:00:00:00:99", session="80000099")
    city.report(account, 1)
    assert "Perangkat 2 dari 2" in words(show(city, status_token(answer)))


def test_status_shows_the_time_that_is_left(city: City) -> None:
    plans.add_plan(city.database, "Dua jam", now=city.clock(), chance=city.chance, session_seconds=7_200)
    sites.set_site(city.database, "Gusung", now=city.clock(), guest_plan="Dua jam")
    token, account = enter(city)
    city.report(account, 30_000_000, seconds=0)
    city.clock.advance(timedelta(minutes=40))
    text = words(show(city, token)).replace("\xa0", " ")
    assert "Waktu 1 jam 20 menit" in text
    assert "30 MB dipakai hari ini, tanpa batas kuota" in text


def test_session_of_long_ago_is_not_this_one(city: City) -> None:
    account = city.account_of(city.post())
    city.report(account, 1, kind=ReportKind.STOP, seconds=3_600)
    token, _ = enter(city)
    assert "Anda tersambung" in words(show(city, token))


def test_session_that_ended_just_before_the_login_is_not_this_one(city: City) -> None:
    _, account = enter(city)
    city.clock.advance(timedelta(minutes=1))
    city.report(account, 1, kind=ReportKind.STOP, cause="User-Request")
    city.clock.advance(timedelta(milliseconds=300))
    token, _ = enter(city)
    page = show(city, token)
    assert "Anda tersambung" in words(page)
    assert "keluar" not in words(page)
    assert "lalu." not in words(page), "the old session's figures are not this one's"
    city.clock.advance(timedelta(minutes=1))
    city.report(account, 1, kind=ReportKind.STOP, session="80000002", seconds=59, cause="User-Request")
    assert "Anda sudah keluar." in words(show(city, token))


def test_ended_session_says_so_and_how_to_return(city: City) -> None:
    token, account = enter(city)
    city.clock.advance(timedelta(minutes=30))
    city.report(account, 1, kind=ReportKind.STOP, seconds=1_700, cause="Lost-Carrier")
    page = show(city, token)
    assert "Sambungan berakhir" in words(page)
    assert f'href="http://{ROUTER}/"' in page.text


def test_session_cut_by_its_quota_says_until_when(city: City) -> None:
    token, account = enter(city)
    city.clock.advance(timedelta(minutes=30))
    city.report(account, 500_000_000, kind=ReportKind.STOP, seconds=1_700, cause="Session-Timeout")
    page = show(city, token)
    assert "Kuota hari ini sudah habis. Internet kembali pukul 00.00 WITA." in words(page)
    assert "Layanan pemerintah tetap bisa dibuka. Buka layanan pemerintah" in words(page)
    assert page.text.count('href="/services"') == 2, "beside the reason, and at the foot"
    assert "Sambungkan lagi" not in words(page)


def test_who_is_held_down_reads_why_and_until_when(city: City) -> None:
    slow = Quota(Period.DAY, 500_000_000, then=Then(Action.THROTTLE, 1_000_000, 1_000_000))
    plans.set_plan(city.database, "Warga gratis", now=city.clock(), chance=city.chance, quotas={slow.tally: (slow,)})
    token, account = enter(city)
    city.clock.advance(timedelta(minutes=30))
    city.report(account, 499_999_999, kind=ReportKind.INTERIM, seconds=1_700)
    assert "lebih pelan" not in words(show(city, token))
    city.report(account, 500_000_000, kind=ReportKind.INTERIM, seconds=1_760)
    said = words(show(city, token))
    assert "Jatah 500 MB sudah terpakai. Kecepatan sekarang 1 Mbps." in said.replace("\u00a0", " ")
    assert "Kembali seperti biasa pukul 00.00 WITA." in said
    assert "Anda tersambung" in said


def test_login_that_was_never_heard_of_is_over(city: City) -> None:
    token, _ = enter(city)
    city.clock.advance(timedelta(minutes=6))
    assert "Sambungan berakhir" in words(show(city, token))


def test_c5_04_goal_is_a_link_with_its_host(city: City) -> None:
    page = show(city, city.log_in(link_orig="http://example.com/a?b=c"))
    assert "Lanjut ke example.com" in words(page)
    assert 'href="http://example.com/a?b=c"' in page.text
    assert 'content="10;' not in page.text


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://connectivitycheck.gstatic.com/generate_204", id="a probe"),
        pytest.param("javascript:alert(1)", id="a script"),
        pytest.param("http://x.example/" + "a" * 400, id="too long"),
    ],
)
def test_goal_that_nobody_wants_is_not_shown(city: City, url: str) -> None:
    page = show(city, city.log_in(link_orig=url))
    assert "Lanjut ke" not in words(page)
    assert "javascript:" not in page.text


@pytest.mark.parametrize("token", ["", "x", "A" * 9_000, "%00", "é"], ids=["none", "short", "long", "NUL", "no ascii"])
def test_c5_09_status_shows_nothing_without_its_token(city: City, token: str) -> None:
    page = show(city, token)
    assert page.status_code == 404
    assert "Tautan status ini sudah tidak berlaku." in words(page)


def test_status_link_ends_a_day_after_the_grant(city: City) -> None:
    token, _ = enter(city)
    city.clock.advance(timedelta(hours=36, seconds=1))
    assert show(city, token).status_code == 404


def test_status_of_a_removed_account_is_gone(city: City) -> None:
    answer = city.post("account", username="siti", password=PASSWORD)
    users.remove_user(city.database, "siti", zone=WITA, now=city.clock(), chance=city.chance)
    assert show(city, status_token(answer)).status_code == 404


# ---- a visit that somebody forged: its redirect, not followed, holds a status link too


def forge(city: City) -> str:
    """Log in with somebody else's MAC and read the redirect; no router has a part in it."""
    return status_token(city.post())


def test_c5_09_link_of_a_forged_visit_shows_and_ends_nothing(city: City) -> None:
    forged = forge(city)
    _, account = enter(city)
    city.report(account, 188_000_000)
    for _ in range(2):
        page = show(city, forged)
        assert "Menyambungkan…" in words(page)
        assert '<meta http-equiv="refresh" content="2">' in page.text
        assert "tersisa" not in words(page)
        assert "bytes-remaining" not in api(city, forged).json()
        log_out(city, forged)
    with city.database.read() as connection:
        assert len(resume.of_macs(connection, [MAC], now=city.clock())[MAC]) == 1
        (session,) = online.sessions_of(connection, account, since=city.clock())
        assert changes.of_session(connection, session.id) == []


def test_c5_09_link_of_a_forged_visit_tells_nothing_later_either(city: City) -> None:
    forged = forge(city)
    city.report(city.account_of(city.let_in(city.post())), 500_000_000)
    city.clock.advance(timedelta(minutes=6))
    assert words(show(city, forged)).count("Sambungan berakhir") == 1
    assert "500" not in words(show(city, forged))
    assert "Kuota" not in words(show(city, forged))


def test_page_turns_when_the_router_has_logged_the_phone_in(city: City) -> None:
    answer = city.post()
    assert "Menyambungkan…" in words(show(city, status_token(answer)))
    city.let_in(answer)
    assert "Anda tersambung" in words(show(city, status_token(answer)))


# ---- log-out


def test_log_out_goes_by_way_of_the_router(city: City) -> None:
    token, _ = enter(city)
    answer = log_out(city, token)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"http://{ROUTER}/logout?erase-cookie=on"
    assert f"form-action 'self' http://{ROUTER};" in show(city, token).headers["content-security-policy"]


def test_log_out_ends_the_resume_grant(city: City) -> None:
    token, _ = enter(city)
    log_out(city, token)
    with city.database.read() as connection:
        assert resume.of_macs(connection, [MAC], now=city.clock())[MAC] == []


def test_log_out_asks_the_router_to_disconnect_once(city: City) -> None:
    token, account = enter(city)
    city.report(account, 1)
    log_out(city, token)
    log_out(city, token)
    with city.database.read() as connection:
        (session,) = online.sessions_of(connection, account, since=city.clock())
        assert [c.kind for c in changes.of_session(connection, session.id)] == [ChangeKind.DISCONNECT]


def test_log_out_leaves_the_other_devices_alone(city: City) -> None:
    answer = city.let_in(city.post("account", username="siti", password=PASSWORD))
    account = city.account_of(answer)
    city.report(account, 1, mac="02:aa:00:00:00:99", session="80000099")
    log_out(city, status_token(answer))
    with city.database.read() as connection:
        (session,) = online.sessions_of(connection, account, since=city.clock())
        assert changes.of_session(connection, session.id) == []


def test_log_out_is_a_post(city: City) -> None:
    assert city.client.get("/logout").status_code == 405


def test_c2_03_foreign_page_logs_nobody_out(city: City) -> None:
    token, _ = enter(city)
    assert log_out(city, token, Origin="http://evil.example").status_code == 403
    with city.database.read() as connection:
        assert len(resume.of_macs(connection, [MAC], now=city.clock())[MAC]) == 1


def test_log_out_without_a_token_ends_nothing(city: City) -> None:
    assert log_out(city, "forged").status_code == 404


def test_router_that_sends_the_phone_back_is_believed(city: City) -> None:
    log_out(city, enter(city)[0])
    page = city.client.get(city.splash_url(page="logout"))
    assert "Anda sudah keluar." in words(page)
    assert "Setuju & sambungkan" in words(page)


# ---- RFC 8908


def api(city: City, token: str) -> Response:
    return city.client.get(f"/captive-portal/api/{token}", headers=CAPTIVE)


def test_b1_01_api_answers_in_its_media_type(city: City) -> None:
    answer = api(city, enter(city)[0])
    assert answer.headers["content-type"] == "application/captive+json"
    assert answer.headers["cache-control"] == "no-store"


def test_b1_03_api_says_what_is_left(city: City) -> None:
    token, account = enter(city)
    city.report(account, 188_000_000)
    assert api(city, token).json() == {
        "captive": False,
        "user-portal-url": f"{PORTAL_URL}/status?t={token}",
        "venue-info-url": f"{PORTAL_URL}/services",
        "can-extend-session": False,
        "bytes-remaining": 312_000_000,
    }


def test_b1_03_api_says_when_it_ends(city: City) -> None:
    token = status_token(city.let_in(city.post("voucher", code=city.codes[0])))
    assert api(city, token).json()["bytes-remaining"] == 2_000_000_000


def test_b1_09_api_knows_the_end_at_once(city: City) -> None:
    token, account = enter(city)
    city.clock.advance(timedelta(minutes=30))
    city.report(account, 1, kind=ReportKind.STOP, seconds=1_700)
    answer = api(city, token).json()
    assert answer["captive"] is True
    assert "bytes-remaining" not in answer


def test_b1_06_browser_is_sent_to_the_page(city: City) -> None:
    token, _ = enter(city)
    answer = city.client.get(f"/captive-portal/api/{token}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{PORTAL_URL}/status?t={token}"
    assert "Accept" in answer.headers["vary"]


def test_b1_05_api_knows_nobody_without_a_token(city: City) -> None:
    assert api(city, MAC).status_code == 404


# ---- a code for more data


def throttled(city: City) -> tuple[str, str, str]:
    """Let a guest use up the plan's full speed; return the status token, the account, and a top-up code."""
    quotas = {SLOW_DAY.tally: (SLOW_DAY,)}
    plans.set_plan(city.database, "Warga gratis", now=city.clock(), chance=city.chance, quotas=quotas)
    batch = vouchers.create_batch(
        city.database, city.keyring, plan="Voucher 2 GB", count=1, top_up=True, now=city.clock(), chance=city.chance
    )
    token, account = enter(city)
    city.report(account, 600_000_000)
    return token, account, batch.codes[0]


def top_up(city: City, token: str, code: str, **headers: str) -> Response:
    data = {"t": token, "code": code}
    return city.client.post("/top-up", data=data, headers={"Origin": PORTAL_URL} | headers, follow_redirects=False)


def test_who_is_slower_adds_data_without_logging_out(city: City) -> None:
    token, _account, code = throttled(city)
    page = show(city, token)
    assert "Internet sedang lebih pelan." in words(page)
    assert "<details open>" in page.text
    for _ in range(2):  # a double tap
        answer = top_up(city, token, f" {code.lower()} ")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{PORTAL_URL}/status?t={token}")
        text = words(show(city, token)).replace("\xa0", " ")
        assert "Internet sedang lebih pelan." not in text
        assert "2 GB tambahan" in text


def test_who_was_cut_adds_data_at_the_status_page(city: City) -> None:
    token, account, code = throttled(city)
    cut = replace(SLOW_DAY, then=None)
    plans.set_plan(city.database, "Warga gratis", now=city.clock(), chance=city.chance, quotas={cut.tally: (cut,)})
    city.report(account, 600_000_000, kind=ReportKind.STOP)
    assert "Kuota hari ini sudah habis." in words(show(city, token))
    assert top_up(city, token, code).status_code == 303
    assert "Kuota hari ini sudah habis." not in words(show(city, token))


def test_code_that_adds_nothing_says_why_and_is_kept(city: City) -> None:
    token, _account, code = throttled(city)
    for typed, said in ((city.codes[0], "Kode ini tidak menambah kuota."), ("AAA", "Kode voucher tidak dikenal.")):
        page = top_up(city, token, typed)
        assert page.status_code == 422
        assert said in words(page)
        assert f'value="{typed}"' in page.text
        assert 'aria-invalid="true"' in page.text
    other = status_token(city.let_in(city.post(mac="02:aa:00:00:00:09"), mac="02:aa:00:00:00:09"))
    assert top_up(city, other, code).status_code == 303
    assert "Kode voucher sudah dipakai perangkat lain." in words(top_up(city, token, code))


def test_guesses_of_codes_end(city: City) -> None:
    token, _account, code = throttled(city)
    for _ in range(10):
        assert "Kode voucher tidak dikenal." in words(top_up(city, token, "ZZZZZZZZZ"))
    assert "Terlalu banyak percobaan." in words(top_up(city, token, code))


def test_nothing_is_added_from_elsewhere_or_before_a_router_used_the_ticket(city: City) -> None:
    token, _account, code = throttled(city)
    assert top_up(city, token, code, Origin="http://evil.example").status_code == 403
    assert top_up(city, "nonsense", code).status_code == 404
    forged = status_token(city.post(mac="02:aa:00:00:00:09"))
    assert top_up(city, forged, code).status_code == 404
    assert "Internet sedang lebih pelan." in words(show(city, token))


# ---- ceilings


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (CeilingSource.PERSON, "Petugas membatasinya untuk sementara. Kembali seperti biasa pukul 15.00 WITA."),
        (CeilingSource.GOVERNOR, "Saluran sedang penuh, dan semua orang harus kebagian."),
    ],
)
def test_status_says_that_a_device_is_held_down(city: City, source: CeilingSource, said: str) -> None:
    token, account = enter(city)
    city.report(account, 1)
    until = city.clock() + timedelta(hours=3)
    held = [
        Ceiling(account, mac, source, bps, None, until, "rapat", "a")
        for mac, bps in ((MAC, 512_000), (OTHER_MAC, 1_000))
    ]
    set_ceilings(city.database, held, now=city.clock(), chance=city.chance)
    text = words(show(city, token)).replace("\xa0", " ")
    assert "Perangkat ini sekarang mendapat paling banyak 512 kbps." in text
    assert said in text
    assert "Kecepatan 512 kbps" in text
    assert "rapat" not in text, "the reason is for those who ask the staff"
    city.clock.advance(timedelta(hours=3))
    assert "Kecepatan 4 Mbps" in words(show(city, token)).replace("\xa0", " ")


def test_ceiling_above_what_a_quota_leaves_is_not_mentioned(city: City) -> None:
    token, account, _code = throttled(city)
    until = city.clock() + timedelta(hours=3)
    high = Ceiling(account, MAC, CeilingSource.PERSON, 2_000_000, None, until, "rapat", "a")
    set_ceilings(city.database, [high], now=city.clock(), chance=city.chance)
    text = words(show(city, token)).replace("\xa0", " ")
    assert "Perangkat ini sekarang" not in text
    assert "Kecepatan 1 Mbps" in text


def test_ceiling_below_what_a_quota_leaves_is_the_speed_that_is_told(city: City) -> None:
    token, account, _code = throttled(city)
    until = city.clock() + timedelta(hours=3)
    low = Ceiling(account, MAC, CeilingSource.PERSON, 256_000, None, until, "rapat", "a")
    set_ceilings(city.database, [low], now=city.clock(), chance=city.chance)
    text = words(show(city, token)).replace("\xa0", " ")
    assert "Kecepatan sekarang 256 kbps." in text
    assert "1 Mbps" not in text
