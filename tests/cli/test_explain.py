"""`pesisir user explain` and `plan set --dry-run`, in both languages and for scripts."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from app.cli.explain_words import Words, catalogue
from app.cli.plan_values import written_value
from app.cli.user_explain import REASONS
from app.db.engine import Database
from app.db.tables.nases import nases
from app.db.tables.sessions import sessions, usage
from app.domain.local_time import WITA, local_day
from app.domain.overlays import FIELDS, SCHEDULE
from app.domain.policies import Origin
from app.domain.quotas import Measure, Period
from tests.cli.conftest import Pesisir
from tests.factories import NOON


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    indonesian, english = catalogue()["id"], catalogue()["en"]
    assert indonesian.keys() == english.keys()
    for key, text in indonesian.items():
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", english[key])), key


def test_everything_that_can_be_said_has_words() -> None:
    wanted = {f"title_{field}" for field in FIELDS if field != SCHEDULE}
    wanted |= {f"reason_{reason.value}" for reason in REASONS} | {origin.value for origin in Origin}
    wanted |= {f"period_{period.value}" for period in Period} | {f"measure_{measure.value}" for measure in Measure}
    assert wanted <= catalogue()["id"].keys()
    assert all(written_value(field, None) is None for field in FIELDS if field not in {SCHEDULE, "used_up"})


@pytest.fixture
def ruled(city: Pesisir) -> Pesisir:
    city.ok("plan", "set-window", "Warga", "ramai", "--from", "00:00", "--to", "24:00", "--down", "2M")
    city.ok("site", "override", "Gusung", "--up", "1M", "--reason", "satelit penuh")
    city.ok("user", "override", "siti", "--filter", "piket", "--reason", "bidan", "--until", "2099-01-01")
    return city


def test_explanation_in_indonesian(ruled: Pesisir) -> None:
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-1").out
    assert "siti, paket Warga, di Gusung," in said
    assert "Boleh tersambung." in said
    assert 'unduh: 2M, bukan 4M (paket, jam "ramai")' in said
    assert "unggah: 1M, bukan 2M (tempat: satelit penuh)" in said
    assert "filter: piket (khusus orang ini: bidan, sampai 2 Jan 2099 00.00; menurut paket: tidak ada)" in said
    assert "500 MB per hari: terpakai 0 B, sisa 500 MB (paket); dihitung ulang mulai" in said
    assert "ramai: setiap hari 00:00-24:00: unduh 2M (sedang berlaku)" in said
    assert "Mikrotik-Rate-Limit = 1000000/2000000" in said
    assert "Filter-Id = piket" in said
    assert "dibatasi" not in said.lower()
    assert "a-secret-of-more-than-16" not in said


def test_explanation_in_english_of_who_may_not(ruled: Pesisir) -> None:
    ruled.ok("user", "suspend", "siti")
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-1", "--language", "en").out
    assert "May not go online: suspended." in said
    assert "gusung-1 is sent a refusal and nothing else." in said


def test_explanation_for_scripts(ruled: Pesisir) -> None:
    found = ruled.ok("user", "explain", "siti", "--nas", "gusung-1", "--json").json
    assert (found["allowed"], found["denial"], found["site"]) == (True, None, "Gusung")
    assert found["values"]["up_bps"] == {
        "value": 1_000_000,
        "plan_value": 2_000_000,
        "origin": "site",
        "reason": "satelit penuh",
        "window": None,
        "until": None,
    }
    assert found["values"]["down_bps"]["window"] == "ramai"
    assert found["quotas"][0]["left"] == 500_000_000
    assert [one["open"] for one in found["windows"]] == [True]
    names = [one["name"] for one in found["attributes"]]
    assert {"Mikrotik-Rate-Limit", "Filter-Id", "Acct-Interim-Interval"} <= set(names)


def test_what_a_used_up_quota_does_is_said(ruled: Pesisir, stored: Database) -> None:
    ruled.ok("plan", "set", "Warga", "--used-up", "1M/256k")
    account = ruled.ok("user", "explain", "siti", "--json").json["account"]
    with stored.write() as connection:
        used = {"account_id": account, "day": local_day(datetime.now(UTC), WITA), "down_octets": 500_000_000}
        connection.execute(insert(usage).values(used))
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-1").out
    assert "Dibatasi karena kuota 500 MB per hari habis: unduh 1M, unggah 256k, sampai" in said
    assert 'unduh: 2M, bukan 4M (paket, jam "ramai"); dibatasi 1M\n' in said
    assert "unggah: 1M, bukan 2M (tempat: satelit penuh); dibatasi 256k\n" in said
    assert "Mikrotik-Rate-Limit = 256000/1000000" in said
    ruled.ok("plan", "remove-window", "Warga", "ramai")
    ruled.ok("plan", "set", "Warga", "--down", "none")
    assert "unduh: tanpa batas (paket); dibatasi 1M\n" in ruled.ok("user", "explain", "siti").out
    ruled.ok("plan", "set", "Warga", "--used-up", "cut")
    assert "Tidak boleh tersambung: kuota 500 MB per hari habis; bisa lagi" in ruled.ok("user", "explain", "siti").out


def test_garden_that_cannot_be_held_is_a_cut_and_why_is_said(ruled: Pesisir, stored: Database) -> None:
    said = ruled.ok("plan", "set", "Warga", "--used-up", "garden").err
    assert "without a filter of the public services a quota that is used up cuts: name it with --garden" in said
    account = ruled.ok("user", "explain", "siti", "--json").json["account"]
    with stored.write() as connection:
        used = {"account_id": account, "day": local_day(datetime.now(UTC), WITA), "down_octets": 500_000_000}
        connection.execute(insert(usage).values(used))
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-1").out
    assert "Filter layanan pemerintah tidak ditentukan (--garden), jadi kuota yang habis memutus." in said

    said = ruled.ok("plan", "set", "Warga", "--garden", "layanan").err
    assert "--garden" not in said
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-1").out
    assert "Hanya layanan pemerintah karena kuota 500 MB per hari habis" in said
    ruled.ok("nas", "add", "gusung-2", "--site", "Gusung", "--family", "coovachilli", "--address", "127.0.0.2")
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-2", "--language", "en").out
    assert "May not go online: the quota of 500 MB per day is used up; again" in said
    assert "gusung-2 (coovachilli) applies no filter, so it cannot leave the public services only" in said
    assert "At gusung-2 the public services stay open without a login: `nas config` writes them." in said
    denial = ruled.ok("user", "explain", "siti", "--nas", "gusung-2", "--json").json["denial"]
    assert (denial["reason"], denial["no_garden"], denial["walled_garden"]) == ("quota_exhausted", "nas", "configured")
    for number, (family, words) in enumerate(
        (
            ("hostapd", "Di gusung-3 tidak ada yang terbuka tanpa masuk"),
            ("unifi", "Di gusung-4 layanan pemerintah hanya terbuka tanpa masuk bila daftarnya diisi"),
        ),
        start=3,
    ):
        ruled.ok(
            "nas", "add", f"gusung-{number}", "--site", "Gusung", "--family", family, "--address", f"127.0.0.{number}"
        )
        assert words in ruled.ok("user", "explain", "siti", "--nas", f"gusung-{number}").out


def test_what_a_device_gets_of_what_is_divided_is_said(city: Pesisir, stored: Database) -> None:
    for number, family in enumerate(("coovachilli", "hostapd"), start=2):
        add = ("--site", "Gusung", "--family", family, "--address", f"127.0.0.{number}")
        city.ok("nas", "add", f"gusung-{number}", *add)
    assert "dibagi" not in city.ok("user", "explain", "siti", "--nas", "gusung-2").out
    account = city.ok("user", "explain", "siti", "--json").json["account"]
    with stored.write() as connection:
        nas_id, site_id = connection.execute(
            select(nases.c.id, nases.c.site_id).where(nases.c.name == "gusung-2")
        ).one()
        for number in (1, 2):
            session = {
                "id": f"sessionsessions{number}",
                "nas_id": nas_id,
                "nas_scope": "gusung-2",
                "acct_session_id": str(number),
                "mac": f"02:aa:00:00:00:0{number}",
                "started_at": NOON,
                "last_report_at": NOON,
                "account_id": account,
                "site_id": site_id,
                "marks": "[]",
                "state": "open",
            }
            connection.execute(insert(sessions).values(session))
    said = city.ok("user", "explain", "siti", "--nas", "gusung-2", "--language", "en").out
    assert "ChilliSpot-Max-Total-Octets = 250000000" in said
    assert "divided among 2 devices; before this part is used up, gusung-2 is told a new one" in said
    said = city.ok("user", "explain", "siti", "--nas", "gusung-1").out
    assert "dibagi untuk 3 perangkat; bila bagian ini habis, gusung-1 memutus" in said
    assert "dibagi" not in city.ok("user", "explain", "siti", "--nas", "gusung-3").out
    found = city.ok("user", "explain", "siti", "--nas", "gusung-2", "--json").json
    assert (found["octets_divided_among"], found["slices_granted_anew"]) == (2, True)
    city.ok("plan", "set", "Warga", "--daily", "900kB")  # so little is not divided
    assert "dibagi" not in city.ok("user", "explain", "siti", "--nas", "gusung-2").out


def test_what_a_router_cannot_hold_is_said(ruled: Pesisir) -> None:
    for number, family in enumerate(("hostapd", "unifi"), start=2):
        add = ("--site", "Gusung", "--family", family, "--address", f"127.0.0.{number}")
        ruled.ok("nas", "add", f"gusung-{number}", *add)
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-2").out
    assert "gusung-2 (hostapd) tidak dapat menerapkan: unduh, unggah, filter. Di sana itu tidak berlaku." in said
    assert "gusung-2 (hostapd) tidak memutus sendiri pada jatah data: sesi diakhiri sesudah laporan" in said
    said = ruled.ok("user", "explain", "siti", "--nas", "gusung-3", "--language", "en").out
    assert "no session there can be ended from here: a used up quota holds from the next login on." in said
    found = ruled.ok("user", "explain", "siti", "--nas", "gusung-2", "--json").json
    assert found["not_held"] == ["down_bps", "up_bps", "filter_id"]
    assert ruled.ok("user", "explain", "siti", "--nas", "gusung-1", "--json").json["not_held"] == []
    assert "tidak dapat menerapkan" not in ruled.ok("user", "explain", "siti", "--nas", "gusung-1").out


def test_top_up_is_shown_as_the_next_report_leaves_it(ruled: Pesisir, stored: Database) -> None:
    ruled.ok("user", "top-up", "siti", "--octets", "300MB", "--reason", "ujian")
    account = ruled.ok("user", "explain", "siti", "--json").json["account"]
    with stored.write() as connection:
        used = {"account_id": account, "day": local_day(datetime.now(UTC), WITA), "down_octets": 510_000_000}
        connection.execute(insert(usage).values(used))
    found = ruled.ok("user", "explain", "siti", "--nas", "gusung-1", "--json").json
    assert found["topped_up_octets"] == found["grant"]["octets_left"] == 290_000_000
    assert "isi ulang: sisa 290 MB" in ruled.ok("user", "explain", "siti").out


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 menit"),
        (90, "1 menit 30 detik"),
        (5_400, "1 jam 30 menit"),
        (90_061, "1 hari 1 jam"),
        (2_592_000, "30 hari"),
    ],
)
def test_time_is_said_in_words(seconds: int, said: str) -> None:
    assert Words("id", WITA).duration(seconds) == said


def test_opennds_is_shown_what_it_is_really_told(ruled: Pesisir) -> None:
    ruled.ok("plan", "set", "Warga", "--idle", "10m", "--session", "8h")
    ruled.ok("nas", "add", "gusung-2", "--site", "Gusung", "--family", "opennds", "--address", "127.0.0.2")
    shown = ruled.ok("user", "explain", "siti", "--nas", "gusung-2", "--language", "en").out
    told = shown.partition("What gusung-2 (opennds) is sent:\n")[2].splitlines()
    assert told[:5] == [
        "  sessiontimeout = 28800 s",
        "  uploadrate = 1000 kbit/s",
        "  downloadrate = 2000 kbit/s",
        "  uploadquota = 61035 KiB",
        "  downloadquota = 427246 KiB",
    ]
    assert told[5].startswith("  (no uploadrate where that is openNDS 9")
    assert told[6:] == [
        "gusung-2 (opennds) cannot hold anybody to: ended when idle for, filter. There that does not apply."
    ]


def test_moment_may_be_named(ruled: Pesisir) -> None:
    found = ruled.ok("user", "explain", "siti", "--at", "2099-06-01T12:00", "--json").json
    assert (found["at"], found["values"]["filter_id"]["value"]) == ("2099-06-01T12:00:00+08:00", None)
    assert ruled.run("user", "explain", "siti", "--at", "besok").code == 2
    assert ruled.run("user", "explain", "nobody").code == 3


def test_dry_run_says_whom_a_change_touches_and_does_nothing(ruled: Pesisir) -> None:
    before = ruled.ok("plan", "show", "Warga", "--json").json
    said = ruled.ok("plan", "set", "Warga", "--daily", "1GB", "--devices", "2", "--dry-run").out
    assert "Mengubah paket Warga menyentuh 1 akun, 0 sedang tersambung." in said
    assert "kuota: 500 MB per hari menjadi 1 GB per hari" in said
    assert "perangkat: tanpa batas menjadi 2" in said
    found = ruled.ok("plan", "set", "Warga", "--devices", "2", "--dry-run", "--json").json
    (group,) = found["groups"]
    assert (group["names"], group["own_values"]) == (["siti"], True)
    assert group["changes"] == [
        {"field": "device_limit", "before": None, "after": 2, "begins_at": None, "ends_at": None}
    ]
    assert ruled.ok("plan", "show", "Warga", "--json").json == before
    ruled.ok("plan", "remove-window", "Warga", "ramai")
    ruled.ok("user", "override", "siti", "--down", "8M", "--reason", "ujian", "--until", "2099-01-01")
    said = ruled.ok("plan", "set", "Warga", "--down", "3M", "--dry-run").out
    assert "unduh: 4M menjadi 3M, mulai 2 Jan 2099 00.00" in said
    assert "Tidak ada yang berubah." in ruled.ok("plan", "set", "Warga", "--down", "4M", "--dry-run").out


@pytest.mark.parametrize(
    ("command", "of", "said"),
    [
        (("site", "override", "Gusung", "--devices", "2", "--reason", "sempit"), "site", "tanpa batas menjadi 2"),
        (("site", "override", "Gusung", "--clear", "up"), "site", "unggah: 1M menjadi 2M"),
        (("site", "set-quota", "Gusung", "--daily", "1GB", "--reason", "x"), "site", "500 MB per hari menjadi 1 GB"),
        (("site", "set-window", "Gusung", "x", "--from", "00:00", "--to", "24:00", "--free"), "site", "gratis: tidak"),
        (("plan", "set-window", "Warga", "x", "--from", "00:00", "--to", "24:00", "--closed"), "plan", "tutup: tidak"),
        (("plan", "remove-window", "Warga", "ramai"), "plan", "unduh: 2M menjadi 4M"),
        (("user", "override", "siti", "--clear", "filter"), "user", "filter: piket menjadi tidak ada"),
        (("user", "set-quota", "siti", "--daily", "1GB", "--reason", "x"), "user", "500 MB per hari menjadi 1 GB"),
        (("user", "set", "siti", "--plan", "Kantor"), "user", "500 MB per hari menjadi tidak ada"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)
def test_every_change_of_rules_has_a_dry_run(ruled: Pesisir, command: tuple[str, ...], of: str, said: str) -> None:
    shown = [
        ("plan", "show", "Warga"),
        ("site", "show", "Gusung"),
        ("site", "override", "Gusung"),
        ("user", "show", "siti"),
        ("user", "override", "siti"),
    ]
    ruled.ok("plan", "add", "Kantor", "--devices", "3")
    before = [ruled.ok(*show, "--json").out for show in shown]
    assert said in ruled.ok(*command, "--dry-run").out
    name = {"plan": "Warga", "site": "Gusung", "user": "siti"}[of]
    assert ruled.ok(*command, "--dry-run", "--json").json[of] == name
    assert [ruled.ok(*show, "--json").out for show in shown] == before
    ruled.ok(*command)
    assert [ruled.ok(*show, "--json").out for show in shown] != before
    assert ruled.run(*command, "--language", "en").err.startswith("pesisir: --language is of what --dry-run says")


def test_dry_run_of_another_plan_compares_the_two_with_their_hours_and_what_a_site_lays_over_each(
    ruled: Pesisir,
) -> None:
    ruled.ok("plan", "add", "Kantor", "--down", "16M", "--up", "2M", "--devices", "3")
    found = ruled.ok("user", "set", "siti", "--plan", "Kantor", "--name", "Siti A.", "--dry-run", "--json").json
    assert (found["accounts"], found["user"]) == (1, "siti")
    (group,) = found["groups"]
    changes = {one["field"]: (one["before"], one["after"]) for one in group["changes"]}
    assert changes["device_limit"] == (None, 3)
    assert changes["down_bps"][1] == 16_000_000
    assert "up_bps" not in changes
    assert "Tidak ada yang berubah." in ruled.ok("user", "set", "siti", "--plan", "Warga", "--dry-run").out


def test_dry_run_of_a_person_is_of_a_plan(city: Pesisir) -> None:
    refused = city.run("user", "set", "siti", "--name", "Siti", "--dry-run")
    assert (refused.code, refused.err.splitlines()[0]) == (2, "pesisir: --dry-run says what another plan brings")


def test_dry_run_of_a_first_value_of_ones_own_speaks_of_none_before(city: Pesisir) -> None:
    said = city.ok("user", "override", "siti", "--vlan", "20", "--reason", "x", "--dry-run").out
    assert "aturan khusus" not in said
    assert "VLAN: tidak ada menjadi 20" in said


def test_dry_run_at_a_site_tells_of_who_may_come(ruled: Pesisir) -> None:
    said = ruled.ok("site", "override", "Gusung", "--vlan", "20", "--reason", "x", "--dry-run").out.splitlines()
    assert said == [
        "Mengubah aturan di Gusung menyentuh 0 akun, 0 sedang tersambung.",
        "siapa pun yang nanti tersambung di Gusung dengan paket Warga:",
        "  VLAN: tidak ada menjadi 20",
    ]


def test_dry_run_counts_accounts_in_english(city: Pesisir) -> None:
    dry_run = ("plan", "set", "Warga", "--devices", "2", "--dry-run", "--language", "en")
    one = "1 account elsewhere or offline, 0 online:"
    assert city.ok(*dry_run).out.splitlines()[:2] == [
        "Changing the plan Warga touches 1 account, 0 of them online.",
        one,
    ]
    city.ok("user", "add", "budi", "--plan", "Warga", "--no-password")
    assert "2 accounts elsewhere or offline, 0 online:" in city.ok(*dry_run).out
