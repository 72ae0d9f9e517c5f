"""People: made, changed, imported all or none, given quotas of their own."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.cli.installation import author
from app.cli.user_show import REASONS
from app.db import access_log, usage
from app.db.engine import Database
from app.domain.access import DenialReason
from app.domain.local_time import WITA, local_day
from app.domain.reports import Decided, Method
from app.domain.usage import DayUsage
from tests.cli.conftest import Pesisir
from tests.factories import MAC

CSV = "username,password,name,phone,plan,site\nani,rahasia-ani,Ani,0812-3456-7890,Warga,Gusung\nbudi,rahasia-budi,Budi,,,\n"


def test_user_is_shown_with_plan_quotas_and_where_they_come_from(city: Pesisir) -> None:
    user = city.ok("user", "show", "siti", "--json").json
    assert user.items() >= {
        "username": "siti",
        "name": "Siti Aminah",
        "phone": None,
        "plan": "Warga",
        "site": None,
        "state": "good",
        "suspended": False,
        "valid_until": None,
        "device_limit": None,
        "devices_online": 0,
        "devices": [],
        "refusals": [],
    }.items()  # fmt: skip
    (quota,) = user["quotas"]
    assert (
        quota.items()
        >= {
            "period": "day",
            "octets": 500_000_000,
            "used_octets": 0,
            "used_up": False,
            "origin": "plan",
            "reason": "",
        }.items()
    )


def test_password_that_is_made_is_printed_alone(city: Pesisir) -> None:
    done = city.ok("user", "add", "budi")
    assert len(done.out) == 13
    assert done.out.strip() not in done.err


def test_password_is_never_shown_again(city: Pesisir) -> None:
    assert "rahasia-siti" not in city.ok("user", "show", "siti", "--json").out + city.ok("user", "list", "--json").out


def test_last_day_is_wholly_good_in_local_time(city: Pesisir) -> None:
    city.ok("user", "set", "siti", "--valid-until", "2099-12-31")
    assert city.ok("user", "show", "siti", "--json").json["valid_until"] == "2100-01-01T00:00:00+08:00"


def test_moment_without_offset_is_local(city: Pesisir) -> None:
    city.ok("user", "set", "siti", "--valid-until", "2099-12-31T18:00")
    assert city.ok("user", "show", "siti", "--json").json["valid_until"] == "2099-12-31T18:00:00+08:00"


def test_own_quota_shows_its_reason_and_none_gives_the_plans_back(city: Pesisir) -> None:
    city.ok("user", "set-quota", "siti", "--daily", "1GB", "--reason", "ujian sekolah", "--until", "2099-12-05")
    quotas = city.ok("user", "show", "siti", "--json").json["quotas"]
    assert [(q["period"], q["octets"], q["origin"], q["reason"]) for q in quotas] == [
        ("day", 10**9, "user", "ujian sekolah")
    ]
    city.ok("user", "set-quota", "siti", "--daily", "none")
    assert city.ok("user", "show", "siti", "--json").json["quotas"][0]["origin"] == "plan"


def test_user_who_used_a_quota_up_reads_until_when_and_was_told_why(city: Pesisir, stored: Database) -> None:
    city.ok("plan", "set", "Warga", "--devices", "2")
    now = datetime.now(UTC)
    nas_id = city.ok("nas", "show", "gusung-1", "--json").json["id"]
    account_id = city.ok("user", "show", "siti", "--json").json["id"]
    with stored.write() as connection:
        usage.add(connection, {(account_id, local_day(now, WITA)): DayUsage(100_000_000, 400_000_000)})
        refused = Decided(now, nas_id, MAC, account_id, "siti", Method.PASSWORD, False, "quota_exhausted")
        access_log.add(connection, [refused])
    shown = city.ok("user", "show", "siti").out
    tomorrow = local_day(now, WITA) + timedelta(days=1)
    assert f"day 500MB, 500 MB used (plan), used up until {tomorrow} 00:00:00" in shown
    assert f"at gusung-1, device {MAC}: a quota was used up" in shown
    assert "devices online  0 of 2" in shown
    assert "30d 00h from the first use" in shown
    (found,) = city.ok("user", "show", "siti", "--json").json["refusals"]
    assert (found["nas"], found["device"], found["reason"]) == ("gusung-1", MAC, "quota_exhausted")


def test_top_up_is_in_the_ledger_and_in_what_is_left(city: Pesisir) -> None:
    said = city.ok(
        "user", "top-up", "siti", "--octets", "2GB", "--days", "7", "--reason", "ujian", "--until", "2099-12-31"
    )
    assert "2 GB more, until 2100-01-01 00:00:00; 2 GB of extra data left; the account is good until" in said.err
    (entry,) = city.ok("user", "show", "siti", "--json").json["top_ups"]
    assert (entry["octets"], entry["left_octets"], entry["days"], entry["reason"]) == (2 * 10**9, 2 * 10**9, 7, "ujian")
    assert entry["author"].startswith("cli:")
    assert "2 GB, 2 GB left, 7 days, until 2100-01-01" in city.ok("user", "show", "siti").out


def test_end_of_topped_up_data_is_not_taken_for_the_accounts(city: Pesisir) -> None:
    city.ok("plan", "set", "Warga", "--validity", "none")
    top_up = ("user", "top-up", "siti", "--octets", "300MB", "--reason", "ujian")
    assert city.ok(*top_up).err == "topped up siti: 300 MB more, until used; 300 MB of extra data left\n"
    assert city.ok(*top_up, "--until", "2099-12-31").err == (
        "topped up siti: 300 MB more, until 2100-01-01 00:00:00; 600 MB of extra data left\n"
    )


def test_days_are_not_added_to_an_account_without_an_end(city: Pesisir) -> None:
    city.ok("plan", "set", "Warga", "--validity", "none")
    done = city.run("user", "top-up", "siti", "--octets", "1GB", "--days", "7", "--reason", "ujian")
    assert done.code == 2
    assert done.err == "pesisir: --days 7 cannot be added: the account has no end that they could put off\n"
    assert city.ok("user", "show", "siti", "--json").json["top_ups"] == []


def test_usage_says_what_counts_for_no_quota(city: Pesisir) -> None:
    day = city.ok("usage", "siti", "--json").json["day"]
    assert day == {"up_octets": 0, "down_octets": 0, "total_octets": 0, "online_seconds": 0, "uncounted_octets": 0}
    assert "NOT COUNTED" in city.ok("usage", "siti").out


def test_billing_day_is_a_day_of_a_month(city: Pesisir) -> None:
    city.ok("user", "add", "budi", "--no-password", "--billing-day", "15")
    assert city.ok("user", "show", "budi", "--json").json["billing_day"] == 15
    city.ok("user", "set", "siti", "--billing-day", "31")
    assert city.ok("user", "show", "siti", "--json").json["billing_day"] == 31
    assert "not a number from 1 to 31" in city.run("user", "set", "siti", "--billing-day", "32").err


def test_dry_run_of_a_top_up_says_what_there_would_be_and_adds_nothing(city: Pesisir) -> None:
    city.ok("plan", "set", "Warga", "--validity", "none")
    top_up = ("user", "top-up", "siti", "--octets", "300MB", "--reason", "ujian")
    shown = city.ok(*top_up, "--dry-run")
    assert shown.out == "would top up siti: 300 MB more, until used; 300 MB of extra data left\n"
    assert shown.err == "a dry run: nothing was changed\n"
    assert city.ok("user", "show", "siti", "--json").json["top_ups"] == []
    city.ok(*top_up)
    assert len(city.ok("user", "show", "siti", "--json").json["top_ups"]) == 1
    assert city.run("user", "top-up", "siti", "--days", "7", "--reason", "x", "--dry-run").code == 2


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(DenialReason)


def test_suspended_user_is_let_in_again(city: Pesisir) -> None:
    city.ok("user", "suspend", "siti")
    assert city.ok("user", "list", "--json").json[0]["state"] == "suspended"
    city.ok("user", "suspend", "siti", "--lift")
    assert city.ok("user", "list", "--json").json[0]["state"] == "good"


def test_who_suspends_somebody_or_lets_them_in_again_is_kept_and_shown(city: Pesisir) -> None:
    assert city.ok("user", "show", "siti", "--json").json["suspension"] is None
    city.ok("user", "suspend", "siti", "--by", "Ibu Ratna")
    city.ok("user", "suspend", "siti", "--by", "somebody who came too late")
    account = author()
    assert re.search(rf"^suspended by +Ibu Ratna \({account}\), 20", city.ok("user", "show", "siti").out, re.MULTILINE)
    assert city.ok("user", "explain", "siti", "--json").json["suspension"]["author"] == f"Ibu Ratna ({account})"
    said = city.ok("user", "explain", "siti", "--language", "en").out.splitlines()
    assert said[1] == "May not go online: suspended."
    assert said[2].startswith(f"Suspended by Ibu Ratna ({account}), ")
    city.ok("user", "suspend", "siti", "--lift")
    shown = city.ok("user", "show", "siti", "--json").json["suspension"]
    assert (shown["author"], shown["suspended"]) == (account, False)
    assert re.search(rf"^let in by +{account}, 20", city.ok("user", "show", "siti").out, re.MULTILINE)
    assert city.ok("user", "explain", "siti", "--json").json["suspension"] is None


@pytest.mark.parametrize("by", [" ", "x" * 81])
def test_nobody_is_suspended_by_nobody(city: Pesisir, by: str) -> None:
    assert city.run("user", "suspend", "siti", "--by", by).code == 2
    assert city.ok("user", "show", "siti", "--json").json["state"] == "good"


def test_removed_user_is_gone(city: Pesisir) -> None:
    city.ok("user", "remove", "siti", "--yes")
    assert city.run("user", "show", "siti").code == 3


def test_import_twice_changes_nothing(city: Pesisir) -> None:
    first = city.ok("user", "import", "-", "--secret", "encrypted", "--json", stdin=CSV).json
    assert first.items() >= {"applied": True, "rows": 2, "added": 2, "updated": 0, "errors": []}.items()
    again = city.ok("user", "import", "-", "--secret", "encrypted", "--json", stdin=CSV).json
    assert again.items() >= {"applied": True, "added": 0, "updated": 0, "unchanged": 2}.items()
    ani = city.ok("user", "show", "ani", "--json").json
    assert ani.items() >= {"name": "Ani", "phone": "+6281234567890", "plan": "Warga", "site": "Gusung"}.items()


def test_import_says_that_rows_without_a_plan_get_the_first(city: Pesisir) -> None:
    assert (
        "without a plan, so with Warga, the one made first: 1 new user\n"
        in city.ok("user", "import", "-", "--secret", "encrypted", stdin=CSV).err
    )


def test_dry_run_imports_nothing(city: Pesisir) -> None:
    done = city.ok("user", "import", "-", "--dry-run", stdin=CSV)
    assert "nothing was written: 2 new" in done.err
    assert [user["username"] for user in city.ok("user", "list", "--json").json] == ["siti"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("username,phone\nani,12\nbudi,\n", ["row 2, phone: "], id="no phone"),
        pytest.param(
            "username,plan\nani,Emas\nbudi,Emas\n", ["row 2, plan: ", "row 3, plan: "], id="no such plan, twice"
        ),
        pytest.param("username,site\nani,Nowhere\n", ["row 2, site: "], id="no such site"),
        pytest.param("username\nani\n\nani\n", ["row 4, username: "], id="one name twice, behind an empty line"),
        pytest.param("name\nAni\n", ["row 1"], id="no username column"),
        pytest.param("username,colour\nani,red\n", ["row 1, colour: "], id="foreign column"),
        pytest.param("username,name\nani,A,B\n", ["row 2: "], id="a cell too many"),
        pytest.param("", ["row 1: "], id="nothing at all"),
        pytest.param('username\n"ani\n', ["row 2"], id="a quote that never ends"),
        pytest.param("username\nani\x1b[31m\n", ["row 2"], id="control characters"),
        pytest.param("username,name\nani,\x1b]0;title\x07\n", ["row 2, name: "], id="a terminal's own language"),
    ],
)
def test_mistakes_are_named_by_row_and_nothing_is_imported(city: Pesisir, content: str, words: list[str]) -> None:
    done = city.run("user", "import", "-", stdin=content)
    assert (done.code, done.out) == (1, "")
    assert [word for word in words if word not in done.err] == []
    assert "nothing was imported" in done.err
    assert "\x1b" not in done.err
    assert len(city.ok("user", "list", "--json").json) == 1


def test_mistakes_are_there_for_scripts_too(city: Pesisir) -> None:
    done = city.run("user", "import", "-", "--json", stdin="username,phone\nani,12\n")
    assert done.code == 1
    assert [(error["row"], error["column"]) for error in done.json["errors"]] == [(2, "phone")]
    assert done.json["applied"] is False


def test_bytes_that_are_no_text_are_a_mistake(city: Pesisir) -> None:
    done = city.run("user", "import", "/proc/self/exe")
    assert done.code == 1
    assert "row " in done.err


def test_user_is_found_by_part_of_a_name(city: Pesisir) -> None:
    city.ok("user", "import", "-", "--secret", "encrypted", stdin=CSV)
    found = city.ok("user", "list", "--search", "amin", "--json").json
    assert [user["username"] for user in found] == ["siti"]


def test_list_has_more_users_than_one_page(city: Pesisir) -> None:
    people = "username\n" + "".join(f"warga-{number:04}\n" for number in range(600))
    city.ok("user", "import", "-", stdin=people)
    assert len(city.ok("user", "list", "--json").json) == 601
