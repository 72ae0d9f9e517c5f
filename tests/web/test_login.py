"""POST /login: to the router with a ticket, or back with the reason."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from app.db import resume
from app.db.tables.journals import access_log as access_log_table
from app.domain.local_time import WITA
from app.domain.quotas import Period, Quota
from app.domain.tickets import TicketKind, password_of, read_name
from app.domain.vouchers import printed
from app.services import nases, plans, quotas, sites, users, vouchers
from tests.factories import MAC, by_tally
from tests.web.city import NAS, OTHER_MAC, PASSWORD, PORTAL_URL, ROUTER, City, form_of, query_of, status_token, words


def test_free_tap_goes_to_the_router_with_a_ticket(city: City) -> None:
    answer = city.post()
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"http://{ROUTER}/login?")
    ticket = query_of(answer)
    name = read_name(ticket["username"])
    assert name is not None
    assert name.kind is TicketKind.FREE
    nas = nases.show_nas(city.database, NAS)
    assert ticket["password"] == password_of(ticket["username"], key=city.keyring.ticket_key(nas.id), binding=MAC)


def test_c5_05_ticket_ends_within_two_minutes(city: City) -> None:
    name = read_name(query_of(city.post())["username"])
    assert name is not None
    assert name.expires_at <= city.clock() + timedelta(seconds=120)


def test_chap_is_computed_here(city: City) -> None:
    form = city.form(chap_id="\\001", chap_challenge="\\125\\252")
    assert len(query_of(city.post(form=form))["password"]) == 32


def test_voucher_opens_its_plan(city: City) -> None:
    answer = city.post("voucher", code=f" {printed(city.codes[0]).lower()} ")
    name = read_name(query_of(answer)["username"])
    assert name is not None
    assert name.kind is TicketKind.VOUCHER


def test_password_opens_the_account(city: City) -> None:
    answer = city.post("account", username=" SITI ", password=PASSWORD)
    assert city.account_of(answer) == users.show_user(city.database, "siti", now=city.clock()).account.id


def test_router_sends_the_phone_on_to_our_status_page(city: City) -> None:
    assert query_of(city.post())["dst"].startswith(f"{PORTAL_URL}/status?t=")


def test_chosen_language_goes_along(city: City) -> None:
    destination = query_of(city.post(lang="en"))["dst"]
    assert parse_qs(urlsplit(destination).query)["lang"] == ["en"]


def test_same_guest_keeps_the_account(city: City) -> None:
    assert city.account_of(city.post()) == city.account_of(city.post())


def test_guests_are_told_apart_by_device(city: City) -> None:
    assert city.account_of(city.post()) != city.account_of(city.post(mac=OTHER_MAC))


def test_s14_double_tap_is_one_ticket(city: City) -> None:
    form = city.form()
    first, second = city.post(form=form), city.post(form=form)
    assert query_of(first)["username"] == query_of(second)["username"]


def test_s14_double_tap_uses_a_voucher_once(city: City) -> None:
    form = city.form()
    first = city.post("voucher", form=form, code=city.codes[0])
    second = city.post("voucher", form=form, code=city.codes[0])
    assert query_of(first)["username"] == query_of(second)["username"]
    assert [v.state.value for v in vouchers.batch_codes(city.database, city.keyring, batch_id(city))].count("used") == 1


def batch_id(city: City) -> str:
    return vouchers.list_batches(city.database)[0].batch.id


def test_login_leaves_a_grant_until_the_end_of_the_day(city: City) -> None:
    city.let_in(city.post())
    with city.database.read() as connection:
        (grant,) = resume.of_macs(connection, [MAC], now=city.clock())[MAC]
    assert grant.expires_at == city.clock() + timedelta(hours=12)


def test_consent_makes_it_thirty_days(city: City) -> None:
    city.let_in(city.post(remember="yes"))
    with city.database.read() as connection:
        (grant,) = resume.of_macs(connection, [MAC], now=city.clock())[MAC]
    assert grant.expires_at == city.clock() + timedelta(days=30, hours=12)


def remembered(city: City) -> list[str]:
    with city.database.read() as connection:
        return [grant.account_id for grant in resume.of_macs(connection, [MAC], now=city.clock())[MAC]]


def test_new_account_on_a_device_ends_the_old_grant(city: City) -> None:
    city.let_in(city.post())
    account = city.account_of(city.let_in(city.post("voucher", code=city.codes[0])))
    assert remembered(city) == [account]


def test_c5_06_login_that_no_router_carried_out_touches_no_grant(city: City) -> None:
    owner = city.account_of(city.let_in(city.post()))
    forged = city.post("account", username="siti", password=PASSWORD, remember="yes")
    assert remembered(city) == [owner]
    city.let_in(forged, mac=OTHER_MAC)  # no node accepts that; nothing would come of it
    assert remembered(city) == [owner]


def test_forged_login_does_not_lengthen_the_owners_grant(city: City) -> None:
    first = city.post()
    city.post(remember="yes")
    city.let_in(first)
    with city.database.read() as connection:
        (grant,) = resume.of_macs(connection, [MAC], now=city.clock())[MAC]
    assert grant.expires_at == city.clock() + timedelta(hours=12)


@pytest.mark.parametrize(
    ("way", "fields", "status", "title"),
    [
        pytest.param("voucher", {"code": "ABC-DEF-GH2"}, 422, "Kode voucher tidak dikenal.", id="wrong code"),
        pytest.param("voucher", {"code": "x" * 5_000}, 422, "Kode voucher tidak dikenal.", id="no code at all"),
        pytest.param("voucher", {}, 422, "Kode voucher tidak dikenal.", id="no field"),
        pytest.param("account", {"username": "siti", "password": "x"}, 403, "tidak cocok", id="wrong password"),
        pytest.param("account", {"username": "nobody", "password": "x"}, 403, "tidak cocok", id="unknown name"),
        pytest.param("account", {"username": "\ud800", "password": "\0"}, 403, "tidak cocok", id="no name at all"),
        pytest.param("free", {"terms": ""}, 422, "Ketentuan belum disetujui.", id="terms not accepted"),
    ],
)
def test_s12_refusal_says_why(city: City, way: str, fields: dict[str, str], status: int, title: str) -> None:
    fields = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    page = city.post(way, **fields)
    assert page.status_code == status
    assert title in words(page)


def test_c1_06_unknown_name_and_wrong_password_look_alike(city: City) -> None:
    form = city.form()
    wrong = city.post("account", form=form, username="siti", password="x").text.replace("siti", "?")
    unknown = city.post("account", form=form, username="budi", password="x").text.replace("budi", "?")
    assert wrong == unknown


def test_s7_error_stands_beside_its_field_with_what_was_typed(city: City) -> None:
    page = city.post("voucher", code="ABC-DEF-GH2")
    assert 'value="ABC-DEF-GH2"' in page.text
    assert 'aria-invalid="true" aria-describedby="e-code"' in page.text
    assert 'id="e-code"' in page.text


def test_password_is_never_given_back(city: City) -> None:
    assert "rahasia" not in city.post("account", username="siti", password="rahasia").text


def test_page_after_an_error_works(city: City) -> None:
    page = city.post("voucher", code="ABC-DEF-GH2")
    assert city.post("voucher", form=form_of(page), code=city.codes[0]).status_code == 303


def test_used_voucher_opens_nothing_for_another_device(city: City) -> None:
    city.post("voucher", code=city.codes[0])
    page = city.post("voucher", mac=OTHER_MAC, code=city.codes[0])
    assert "sudah dipakai perangkat lain" in words(page)


def test_used_voucher_opens_again_for_its_device(city: City) -> None:
    first = city.account_of(city.post("voucher", code=city.codes[0]))
    city.clock.advance(timedelta(hours=2))
    assert city.account_of(city.post("voucher", code=city.codes[0])) == first


def test_revoked_voucher(city: City) -> None:
    vouchers.revoke_batch(city.database, batch_id(city), zone=WITA, now=city.clock(), chance=city.chance)
    assert "sudah tidak berlaku" in words(city.post("voucher", code=city.codes[0]))


def test_expired_voucher(city: City) -> None:
    batch = vouchers.create_batch(
        city.database,
        city.keyring,
        plan="Voucher 2 GB",
        count=1,
        valid_until=city.clock() + timedelta(days=1),
        now=city.clock(),
        chance=city.chance,
    )
    city.clock.advance(timedelta(days=2))
    assert "Masa berlaku sudah habis." in words(city.post("voucher", code=batch.codes[0]))


def test_empty_quota_says_until_when(city: City) -> None:
    account = city.account_of(city.post())
    city.report(account, 500_000_000)
    page = city.post()
    assert page.status_code == 403
    assert "Kuota hari ini sudah habis. Internet kembali pukul 00.00 WITA." in words(page)


def test_empty_quota_says_so_in_english(city: City) -> None:
    account = city.account_of(city.post())
    city.report(account, 500_000_000)
    assert "Today's data is used up. You are back online at 00.00 WITA." in words(city.post(lang="en"))


def test_empty_quota_offers_a_voucher_instead(city: City) -> None:
    account = city.account_of(city.post())
    city.report(account, 500_000_000)
    assert "<h1>Masuk dengan voucher</h1>" in city.post().text


def test_quota_comes_back_at_midnight(city: City) -> None:
    account = city.account_of(city.post())
    city.report(account, 500_000_000)
    city.clock.advance(timedelta(hours=12))
    assert city.post().status_code == 303


def test_more_quota_helps_at_once(city: City) -> None:
    account = city.account_of(city.post("account", username="siti", password=PASSWORD))
    city.report(account, 10_000_000_000)
    assert "Kuota bulan ini sudah habis." in words(city.post("account", username="siti", password=PASSWORD))
    quotas.change_quotas(
        city.database,
        "siti",
        by_tally(Quota(Period.MONTH, 20_000_000_000)),
        reason="sekolah",
        author="adi",
        zone=WITA,
        now=city.clock(),
        chance=city.chance,
    )
    assert city.post("account", username="siti", password=PASSWORD).status_code == 303


def top_up_card(city: City) -> str:
    """Make one code that adds 2 GB to an account."""
    return vouchers.create_batch(
        city.database, city.keyring, plan="Voucher 2 GB", count=1, top_up=True, now=city.clock(), chance=city.chance
    ).codes[0]


def is_new(city: City, code: str) -> bool:
    found = vouchers.batch_codes(city.database, city.keyring, batch_id(city))
    return [each.state.value for each in found if each.code == code] == ["new"]


@pytest.mark.parametrize(
    ("language", "title", "advice"),
    [
        ("id", "Kode ini menambah kuota akun yang sudah ada.", "Masuk dulu seperti biasa di bawah ini"),
        ("en", "This code adds to an account that is there already.", "First sign in below as you always do"),
    ],
)
def test_code_that_tops_up_waits_until_the_phone_is_known(city: City, language: str, title: str, advice: str) -> None:
    city.clock.advance(timedelta(seconds=1))
    code = top_up_card(city)
    page = city.post("voucher", code=code, lang=language)
    assert page.status_code == 403
    assert f"{title} {advice}" in words(page)
    assert '<input type="hidden" name="way" value="free">' in page.text.partition("</details>")[0]
    assert f'value="{code}"' in page.text
    assert is_new(city, code)
    token = status_token(city.let_in(city.post(form=form_of(page))))
    data = {"t": token, "code": code}
    assert city.client.post("/top-up", data=data, headers={"Origin": PORTAL_URL}).status_code == 303
    assert not is_new(city, code)


def test_code_that_tops_up_asks_for_an_account_where_nothing_is_free(city: City) -> None:
    city.clock.advance(timedelta(seconds=1))
    nases.set_nas(city.database, city.keyring, "kantor-1", now=city.clock(), login_address=ROUTER)
    page = city.post("voucher", form=city.form(nas="kantor-1"), code=top_up_card(city))
    assert "<h1>Masuk dengan akun</h1>" in page.text


def test_code_that_tops_up_is_for_the_guest_of_yesterday(city: City) -> None:
    account = city.account_of(city.let_in(city.post()))
    city.clock.advance(timedelta(days=2))
    code = top_up_card(city)
    assert city.account_of(city.post("voucher", code=code)) == account
    assert not is_new(city, code)


def test_code_that_tops_up_is_for_whose_password_was_right_though_they_may_not_go_online(city: City) -> None:
    account = city.account_of(city.post("account", username="siti", password=PASSWORD))
    city.report(account, 10_000_000_000)
    city.clock.advance(timedelta(days=2))
    code = top_up_card(city)
    page = city.post("account", username="siti", password=PASSWORD)
    assert "Masuk dengan voucher Kode tambahan menambah akun siti." in words(page)
    mistaken = city.post("voucher", form=form_of(page), code="ABC-DEF-GH2")
    answer = city.post("voucher", form=form_of(mistaken), code=code)
    assert (answer.status_code, city.account_of(answer)) == (303, account)
    assert not is_new(city, code)


def test_wrong_password_makes_nobody_known(city: City) -> None:
    account = city.account_of(city.post("account", username="siti", password=PASSWORD))
    city.report(account, 10_000_000_000)
    city.clock.advance(timedelta(seconds=1))
    page = city.post("account", mac=OTHER_MAC, username="siti", password="x")
    code = top_up_card(city)
    assert city.post("voucher", form=form_of(page), code=code).status_code == 403
    assert is_new(city, code)


def test_device_limit_counts_other_devices(city: City) -> None:
    for number, mac in enumerate(["02:aa:00:00:00:11", "02:aa:00:00:00:12"]):
        account = city.account_of(city.post("account", mac=mac, username="siti", password=PASSWORD))
        city.report(account, 1, mac=mac, session=f"8000000{number}")
    page = city.post("account", mac="02:aa:00:00:00:13", username="siti", password=PASSWORD)
    assert "Perangkat Anda sudah terlalu banyak." in words(page)
    back = city.post("account", mac="02:aa:00:00:00:11", username="siti", password=PASSWORD)
    assert back.status_code == 303


def test_suspended_account(city: City) -> None:
    users.suspend_user(city.database, "siti", suspended=True, zone=WITA, now=city.clock(), chance=city.chance)
    page = city.post("account", username="siti", password=PASSWORD)
    assert "Akun ini sedang dihentikan." in words(page)


def test_site_without_free_tap(city: City) -> None:
    form = city.form()
    sites.set_site(city.database, "Gusung", now=city.clock(), guest_plan=None)
    page = city.post(form=form)
    assert "Di sini perlu voucher atau akun." in words(page)


def test_guest_gets_the_plan_of_the_site(city: City) -> None:
    city.post()
    plans.add_plan(city.database, "Baru", now=city.clock(), chance=city.chance, down_bps=1_000_000)
    sites.set_site(city.database, "Gusung", now=city.clock(), guest_plan="Baru")
    token = status_token(city.let_in(city.post()))
    assert "1 Mbps" in words(city.client.get("/status", params={"t": token})).replace("\xa0", " ")


# ---- guessing


def test_c4_06_ten_wrong_codes_then_wait(city: City) -> None:
    form = city.form()
    for _ in range(10):
        assert city.post("voucher", form=form, code="ABCDEFGH2").status_code == 422
    page = city.post("voucher", form=form, code=city.codes[0])
    assert page.status_code == 429
    assert "Terlalu banyak percobaan. Coba lagi pukul 12.10 WITA." in words(page)
    city.clock.advance(timedelta(minutes=10))
    assert city.post("voucher", form=form, code=city.codes[0]).status_code == 303


def test_c4_06_new_macs_do_not_help_from_one_address(city: City) -> None:
    for number in range(10):
        city.post("voucher", mac=f"02:aa:00:00:01:{number:02x}", code="ABCDEFGH2")
    assert city.post("voucher", mac="02:aa:00:00:02:00", code="ABCDEFGH2").status_code == 429


def test_wrong_codes_do_not_lock_the_free_tap(city: City) -> None:
    form = city.form()
    for _ in range(11):
        city.post("voucher", form=form, code="ABCDEFGH2")
    assert city.post(form=form).status_code == 303


def test_right_codes_are_not_counted(city: City) -> None:
    form = city.form()
    for _ in range(20):
        assert city.post("voucher", form=form, code=city.codes[0]).status_code == 303


# ---- forms that are not ours, or not whole


def test_c2_03_foreign_page_posts_nothing(city: City) -> None:
    data = {"form": city.form(), "way": "free", "terms": "yes"}
    page = city.client.post("/login", data=data, headers={"Origin": "http://evil.example"})
    assert page.status_code == 403
    assert "tidak datang dari halaman kami" in words(page)


def test_web_view_without_origin_logs_in(city: City) -> None:
    data = {"form": city.form(), "way": "free", "terms": "yes"}
    assert city.client.post("/login", data=data).status_code == 303


def test_form_that_is_too_old_says_so(city: City) -> None:
    form = city.form()
    city.clock.advance(timedelta(minutes=31))
    page = city.post(form=form)
    assert page.status_code == 400
    assert "terlalu lama terbuka" in words(page)


def test_b2_08_form_is_good_for_ten_minutes(city: City) -> None:
    form = city.form()
    city.clock.advance(timedelta(minutes=10))
    assert city.post(form=form).status_code == 303


def test_status_link_is_no_form(city: City) -> None:
    assert city.post(form=status_token(city.post())).status_code == 400


def test_form_of_a_removed_router_says_so(city: City) -> None:
    form = city.form()
    nases.remove_nas(city.database, NAS, now=city.clock())
    assert city.post(form=form).status_code == 404


def test_router_that_moved_gets_no_phone(city: City) -> None:
    form = city.form()
    nases.set_nas(city.database, city.keyring, NAS, now=city.clock(), login_address="10.5.60.1")
    page = city.post(form=form)
    assert page.status_code == 400
    assert "location" not in page.headers


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        pytest.param(b"form=" + b"x" * 16_384, "application/x-www-form-urlencoded", 413, id="too large"),
        pytest.param(b"", "application/x-www-form-urlencoded", 400, id="empty"),
        pytest.param(b"{}", "application/json", 400, id="json"),
        pytest.param(b"--x\r\n", "multipart/form-data; boundary=x", 400, id="multipart"),
        pytest.param(b"form=%FF%FE&way=%00", "application/x-www-form-urlencoded", 400, id="no text"),
    ],
)
def test_c3_04_body_that_is_no_form(city: City, content: bytes, content_type: str, status: int) -> None:
    page = city.client.post("/login", content=content, headers={"Content-Type": content_type, "Origin": PORTAL_URL})
    assert page.status_code == status
    assert "<h1>" in page.text


def test_unknown_way_is_no_form(city: City) -> None:
    assert city.post("magic").status_code == 400


# ---- what is left behind


def logged(city: City) -> list[tuple[str, str, str]]:
    with city.database.read() as connection:
        rows = connection.execute(access_log_table.select().order_by(access_log_table.c.id)).all()
    return [(row.method, row.outcome, row.reason) for row in rows]


def test_log_says_who_came_in_and_who_did_not(city: City) -> None:
    city.post()
    city.post("voucher", code="ABCDEFGH2")
    assert logged(city) == [("portal", "accept", ""), ("portal", "reject", "voucher_unknown")]


def test_log_holds_no_code_and_no_password(city: City, capfd: pytest.CaptureFixture[str]) -> None:
    city.post("voucher", code="ABCDEFGH2")
    city.post("account", username="siti", password=PASSWORD)
    with city.database.read() as connection:
        rows = str(connection.execute(access_log_table.select()).all())
    for secret in ("ABCDEFGH2", PASSWORD, "siti"):
        assert secret not in rows
        assert secret not in "".join(capfd.readouterr())
