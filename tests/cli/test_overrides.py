"""Values in place of a plan's on the command line."""

import pytest

from tests.cli.conftest import Pesisir


def test_own_value_is_listed_with_reason_author_and_end_and_taken_back(city: Pesisir) -> None:
    city.ok("user", "override", "siti", "--down", "8M", "--vlan", "none", "--reason", "ujian", "--until", "2099-12-05")
    listed = {one["field"]: one for one in city.ok("user", "override", "siti", "--json").json}
    assert {field: one["value"] for field, one in listed.items()} == {"down_bps": 8_000_000, "vlan": None}
    assert listed["down_bps"]["reason"] == "ujian"
    assert listed["down_bps"]["author"].startswith("cli:")
    assert listed["down_bps"]["until"] == "2099-12-06T00:00:00+08:00"
    table = city.ok("user", "override", "siti").out
    assert "8M" in table
    assert "no limit" in table
    city.ok("user", "override", "siti", "--clear", "down")
    assert [one["field"] for one in city.ok("user", "override", "siti", "--json").json] == ["vlan"]
    city.ok("user", "override", "siti", "--clear", "all")
    assert city.ok("user", "override", "siti", "--json").json == []


def test_who_shares_an_account_says_who_it_is(city: Pesisir) -> None:
    by = ("--reason", "ujian", "--by", "Ibu Ratna")
    city.ok("user", "override", "siti", "--down", "8M", *by)
    city.ok("site", "override", "Gusung", "--down", "8M", *by)
    city.ok("site", "set-quota", "Gusung", "--daily", "1GB", *by)
    city.ok("user", "top-up", "siti", "--octets", "1GB", *by)
    found = [
        *city.ok("user", "override", "siti", "--json").json,
        *city.ok("site", "override", "Gusung", "--json").json,
        *city.ok("user", "show", "siti", "--json").json["top_ups"],
    ]
    assert len(found) == 4
    assert all(one["author"].startswith("Ibu Ratna (cli:") for one in found)
    assert "(ujian; Ibu Ratna (cli:" in city.ok("user", "show", "siti").out


def test_site_lays_values_over_every_plan_or_one(city: Pesisir) -> None:
    city.ok("site", "override", "Gusung", "--down", "2M", "--reason", "satelit")
    city.ok("site", "override", "Gusung", "--plan", "Warga", "--down", "1M", "--interim", "5m", "--reason", "satelit")
    listed = city.ok("site", "override", "Gusung", "--json").json
    assert sorted((one["plan"] or "", one["field"], one["value"]) for one in listed) == [
        ("", "down_bps", 2_000_000),
        ("Warga", "down_bps", 1_000_000),
        ("Warga", "interim_seconds", 300),
    ]
    city.ok("site", "override", "Gusung", "--clear", "down")
    assert {one["plan"] for one in city.ok("site", "override", "Gusung", "--json").json} == {"Warga"}


def test_quota_at_a_site_is_listed_and_taken_back(city: Pesisir) -> None:
    city.ok("site", "set-quota", "Gusung", "--daily", "200MB", "--quota", "week 5h", "--reason", "satelit")
    listed = city.ok("site", "override", "Gusung", "--json").json
    assert sorted((one["quota"]["period"], one["reason"]) for one in listed) == [
        ("day", "satelit"),
        ("week", "satelit"),
    ]
    assert "day 200MB" in city.ok("site", "override", "Gusung").out
    explained = city.ok("user", "explain", "siti", "--site", "Gusung", "--json").json["quotas"]
    assert [(one["period"], one["origin"]) for one in explained] == [("day", "site"), ("week", "site")]
    city.ok("site", "set-quota", "Gusung", "--daily", "none")
    assert [one["quota"]["period"] for one in city.ok("site", "override", "Gusung", "--json").json] == ["week"]
    assert city.run("site", "set-quota", "Gusung", "--daily", "1GB").code == 2


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["user", "override", "siti", "--down", "8M"], 2, "--reason"),
        (["user", "override", "siti", "--reason", "ujian"], 2, "override what?"),
        (["site", "override", "Gusung", "--clear", "down", "--until", "2099-12-05"], 2, "override what?"),
        (["user", "override", "siti", "--clear", "down", "--by", "Ratna"], 2, "override what?"),
        (["user", "override", "siti", "--down", "8M", "--reason", "x", "--by", " "], 2, "--by names nobody"),
        (["user", "override", "siti", "--down", "8M", "--reason", "x", "--by", "R" * 80], 2, "--by has"),
        (["user", "override", "siti", "--dry-run"], 2, "override what?"),
        (
            ["user", "set-quota", "siti", "--daily", "none", "--until", "2099-12-05"],
            2,
            "--until and --by are of a quota",
        ),
        (["site", "set-quota", "Gusung", "--daily", "none", "--until", "2099-12-05"], 2, "--until and --by are of"),
        (["user", "override", "siti", "--clear", "speed"], 2, "no value of a plan"),
        (["user", "override", "siti", "--clear", "vlan"], 3, "pesisir user override"),
        (["site", "override", "Melahing", "--down", "1M", "--reason", "satelit"], 3, "pesisir site list"),
    ],
    ids=[
        "no reason",
        "a reason of nothing",
        "an end of nothing",
        "an author of nothing",
        "an author without a name",
        "a long name",
        "a rehearsal of nothing",
        "an end of no quota",
        "an end of no quota at a site",
        "no such value",
        "nothing to take back",
        "no such site",
    ],
)
def test_what_is_wrong_is_said(city: Pesisir, command: list[str], code: int, said: str) -> None:
    done = city.run(*command)
    assert done.code == code
    assert said in done.err


@pytest.mark.parametrize("end", [(), ("--reason", "x", "--until", "besok")], ids=["no reason", "no date"])
def test_nothing_is_taken_back_by_a_command_that_fails(city: Pesisir, end: tuple[str, ...]) -> None:
    for override in (("user", "override", "siti"), ("site", "override", "Gusung")):
        city.ok(*override, "--down", "8M", "--reason", "ujian")
        assert city.run(*override, "--clear", "down", "--up", "1M", *end).code == 2
        assert [one["field"] for one in city.ok(*override, "--json").json] == ["down_bps"]
