"""What is added is what is shown, to people and to scripts."""

import re

import pytest

from tests.cli.conftest import Pesisir

PLAN = {
    "down_bps": 4_000_000,
    "up_bps": 2_000_000,
    "daily_octets": 500_000_000,
    "monthly_octets": 10_000_000_000,
    "total_octets": 2_000_000_000,
    "device_limit": 3,
    "session_seconds": 28_800,
    "idle_seconds": 600,
    "validity_seconds": 2_592_000,
    "service_class": "public_service",
    "down_burst_bps": 8_000_000,
    "up_burst_bps": 4_000_000,
    "burst_seconds": 8,
    "vlan": 20,
    "filter_id": "warga",
    "address_list": "pulau",
}


def test_plan_has_every_value_that_was_spelled(pesisir: Pesisir) -> None:
    pesisir.ok(
        "plan", "add", "Warga", "--down", "4M", "--up", "2M", "--daily", "500MB", "--monthly", "10GB", "--total", "2GB",
        "--devices", "3", "--session", "8h", "--idle", "10m", "--validity", "30d", "--class", "public-service",
        "--down-burst", "8M", "--up-burst", "4M", "--burst-time", "8s", "--vlan", "20", "--filter", "warga",
        "--address-list", "pulau",
    )  # fmt: skip
    assert pesisir.ok("plan", "show", "Warga", "--json").json.items() >= PLAN.items()


def test_plan_keeps_what_a_change_does_not_name_and_none_takes_away(city: Pesisir) -> None:
    before = city.ok("plan", "show", "Warga", "--json").json
    city.ok("plan", "set", "Warga", "--daily", "none", "--up", "512k")
    assert city.ok("plan", "show", "Warga", "--json").json == before | {
        "daily_octets": None,
        "quotas": [],
        "up_bps": 512_000,
    }


def test_plan_has_quotas_of_every_kind_and_steps(pesisir: Pesisir) -> None:
    pesisir.ok(
        "plan", "add", "Bertahap", "--weekly", "3GB", "--billing", "20GB", "--quota", "day 500MB then 1M",
        "--quota", "day 1GB then 256k/128k", "--quota", "day 2h", "--used-up", "garden", "--garden", "layanan",
    )  # fmt: skip
    plan = pesisir.ok("plan", "show", "Bertahap", "--json").json
    assert [(q["period"], q["measure"], q.get("octets") or q.get("seconds"), q["used_up"]) for q in plan["quotas"]] == [
        ("day", "both", 500_000_000, "1M"),
        ("day", "both", 1_000_000_000, "256k/128k"),
        ("day", "time", 7_200, None),
        ("week", "both", 3_000_000_000, None),
        ("billing", "both", 20_000_000_000, None),
    ]
    assert (plan["used_up"], plan["garden"], plan["weekly_octets"]) == ("garden", "layanan", 3_000_000_000)
    pesisir.ok("plan", "set", "Bertahap", "--quota", "day none", "--quota", "day time none", "--used-up", "none")
    plan = pesisir.ok("plan", "show", "Bertahap", "--json").json
    assert ([q["period"] for q in plan["quotas"]], plan["used_up"]) == (["week", "billing"], "cut")


def test_quota_that_cannot_be_read_is_a_usage_error(pesisir: Pesisir) -> None:
    assert "'day 30M' is not" in pesisir.run("plan", "add", "X", "--quota", "day 30M").err


def test_plain_quota_is_a_step_beside_written_ones(pesisir: Pesisir) -> None:
    added = pesisir.ok("plan", "add", "Bertahap", "--quota", "day 500MB then 1M", "--daily", "1GB").err
    assert "quotas day 500MB then 1M, day 1GB" in added
    changed = pesisir.ok("plan", "set", "Bertahap", "--daily", "none", "--quota", "day 2GB then 1M").err
    assert "quotas day 2GB then 1M, class" in changed
    done = pesisir.run("plan", "set", "Bertahap", "--daily", "1GB", "--quota", "day 1GB then 1M")
    assert "say day 1GB twice" in done.err


def test_each_quota_of_a_plan_is_shown_once(pesisir: Pesisir) -> None:
    added = pesisir.ok(
        "plan", "add", "Bertahap", "--daily", "1GB", "--weekly", "3GB", "--quota", "month 6GB", "--quota",
        "month 5GB then 256k", "--quota", "total 50GB then 1M", "--quota", "day 2h",
    )  # fmt: skip
    quotas = "day 2h, month 5GB then 256k, month 6GB, total 50GB then 1M"
    assert f": daily 1GB, weekly 3GB, quotas {quotas}, class resident" in added.err
    shown = pesisir.ok("plan", "show", "Bertahap").out
    assert [line.split()[0] for line in shown.splitlines() if "GB" in line] == ["daily", "weekly", "quotas"]
    plan = pesisir.ok("plan", "show", "Bertahap", "--json").json
    assert (plan["daily_octets"], plan["monthly_octets"], plan["total_octets"]) == (10**9, 5 * 10**9, 50 * 10**9)


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "add", "Bertahap"),
        ("plan", "set", "Warga"),
        ("user", "set-quota", "siti", "--reason", "ujian"),
        ("site", "set-quota", "Gusung", "--reason", "satelit"),
    ],
    ids=["plan add", "plan set", "user", "site"],
)
@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (("day 50MB then 1M", "day 50MB then 512k"), "not say day 50MB twice: a step needs its own amount"),
        (
            ("day 100MB then 2M", "day 50MB then 1M"),
            "be steps down: day 100MB then 2M is not slower than what comes before it",
        ),
        (
            ("day 100MB then 2M", "day 50MB then cut"),
            "be steps down: day 100MB then 2M is never reached: day 50MB cuts before it",
        ),
        (("day 100MB", "day 50MB"), "be steps down: day 100MB is {}"),
    ],
    ids=["one amount", "upwards", "beyond a cut", "twice the same"],
)
def test_steps_that_are_none_are_a_usage_error(
    city: Pesisir, command: tuple[str, ...], steps: tuple[str, str], problem: str
) -> None:
    done = city.run(*command, "--quota", steps[0], "--quota", steps[1])
    assert done.code == 2
    unsaid = ("never reached: day 50MB cuts before it", "not slower than what comes before it")
    assert done.err in [f"pesisir: --quota must {problem.format(one)}\n" for one in unsaid]


def test_step_that_does_not_say_what_happens_is_held_to_what_does(city: Pesisir) -> None:
    steps = ("--quota", "day 50MB then 1M", "--quota", "day 100MB")
    city.ok("plan", "set", "Warga", *steps)
    done = city.run("plan", "set", "Warga", "--used-up", "2M")
    assert (done.code, "day 100MB is not slower" in done.err) == (2, True)
    for override in (("user", "set-quota", "siti"), ("site", "set-quota", "Gusung", "--plan", "Warga")):
        assert "day 100MB is not slower" in city.run(*override, *steps, "--reason", "ujian").err
        city.ok(*override, "--quota", "day 50MB", "--quota", "day 100MB then cut", "--reason", "ujian")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("plan add X --down 500", "--down is 500, not from 1000 to 4294967295"),
        ("plan add X --up=5", "--up is 5, not from 1000 to 4294967295"),
        ("plan add X --down 4M --down-burst 2M", "--down-burst 2M is not more than the rate"),
        ("plan add X --burst-time 8s", "--burst-time 8s is given without a burst"),
        ("plan set Warga --session 59s", "--session 59s is 59, not from 60 to 2147483647"),
        ("plan set Warga --up-burst 1k --up none", "--up-burst 1k needs a rate to exceed"),
        ("site add X --capacity 1", "--capacity is 1, not from 1000 to 9007199254740991"),
        ("site set Gusung --interim 5s", "--interim 5s is 5, not from 60 to 86400"),
        ("site set Gusung --network everybody=10.0.0.0/8", "--network 'everybody=10.0.0.0/8' names no class: "),
        ("nas set gusung-1 --login-address a/b", "--login-address 'a/b' is not HOST or HOST:PORT"),
        ("nas set gusung-1 --coa-address a/b", "--coa-address 'a/b' is not an address or a name"),
        ("nas set gusung-1 --address nowhere", "--address 'nowhere' is not an address or network"),
        ("uplink add X --down 5 --up 1M", "--down is 5, not from 64000 to 100000000000"),
        ("uplink add X --down 9M --up 1M --interface a/b", "--interface 'a/b' is not the name of a network interface"),
        ("uplink class Telkom office --floor 9M --ceiling 8M", "--floor 9M is above the ceiling of office down, 8M"),
        ("uplink class Telkom office --up-ceiling 1k", "--up-ceiling 1k is 1000, not from 64000 to 100000000000"),
        ("plan set-window Warga x --from 07:00 --to 07:00 --free", "--to 07:00 is when it begins"),
        ("plan set-window Warga x --from 07:00 --to 08:00 --down 5", "--down is 5, not from 1000 to 4294967295"),
        ("site set-window Gusung x --from 07:00 --to 08:00 --up 5", "--up is 5, not from 1000 to 4294967295"),
        ("user set-quota siti --daily 1GB --reason x --until 2020-01-01", "--until 2020-01-01 has passed already"),
        ("user set-quota siti --daily 1GB --reason x --by=y" + "y" * 80, "--by has "),
        ("user top-up siti --octets 1GB --reason x --until 2020-01-01", "--until 2020-01-01 has passed already"),
        ("user top-up siti --days 7 --reason x --until 2099-01-01", "--until 2099-01-01 is the end of octets"),
        ("user override siti --devices 2 --reason x --until 2020-01-01", "--until 2020-01-01 has passed already"),
        ("user set siti --phone 0549-21234", "--phone 0549-21234 is not an Indonesian mobile number"),
        ("voucher create --plan Warga --count 0", "--count is 0, not from 1 to 100000"),
        ("voucher create --plan Warga --count 1 --until 2020-01-01", "--until 2020-01-01 has passed already"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_by_its_option_and_as_it_was_typed(
    city: Pesisir, command: str, said: str
) -> None:
    city.ok("uplink", "add", "Telkom", "--down", "10M", "--up", "5M")
    done = city.run(*command.split())
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"pesisir: {said}")


def test_secret_that_cannot_be_used_is_not_repeated(city: Pesisir) -> None:
    done = city.run("user", "set", "siti", "--password", "rahasia" * 20)
    assert (done.code, done.err) == (2, "pesisir: --password has 140 characters, 128 are allowed\n")
    done = city.run("nas", "set", "gusung-1", "--secret-file", "-", stdin="rahasia é\n")
    assert done.err.startswith("pesisir: --secret-file must be printable ASCII")


def test_quota_that_is_taken_from_a_plan_that_has_none_is_refused(city: Pesisir) -> None:
    done = city.run("plan", "add", "X", "--quota", "day none", "--quota", "week 1GB")
    assert (done.code, done.err.splitlines()[0]) == (2, "pesisir: --quota with none takes a quota away")
    assert city.run("plan", "show", "X").code == 3
    both = city.run("plan", "set", "Warga", "--quota", "day none", "--quota", "day 1GB")
    assert (both.code, both.err.splitlines()[0]) == (2, "pesisir: none and day 1GB: which of the two?")
    city.ok("plan", "set", "Warga", "--quota", "day none")


@pytest.mark.parametrize(
    ("address", "meant"),
    [("10.0.0.5/8", "10.0.0.0/8 for all of it, or 10.0.0.5"), ("fd00::5/64", "fd00::/64 for all of it, or fd00::5")],
)
def test_address_in_a_network_is_asked_back(city: Pesisir, address: str, meant: str) -> None:
    add = ("nas", "add", "r2", "--family", "generic", "--site", "Gusung", "--address")
    done = city.run(*add, address)
    assert (done.code, done.err) == (2, f"pesisir: --address {address!r} is an address in a network: say {meant}\n")
    assert city.run("nas", "set", "gusung-1", "--address", address).code == 2
    city.ok("uplink", "add", "Telkom", "--down", "10M", "--up", "5M")
    for other in (("site", "set", "Gusung", "--network"), ("uplink", "class", "Telkom", "public_service", "--address")):
        assert f"say {meant}" in city.run(*other, address).err
    city.ok(*add, address.partition("/")[0])


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "set", "Warga"),
        ("plan", "set", "Warga", "--dry-run"),
        ("site", "set", "Gusung"),
        ("nas", "set", "gusung-1"),
        ("user", "set", "siti"),
        ("uplink", "set", "Telkom"),
        ("uplink", "class", "Telkom", "office"),
    ],
    ids=" ".join,
)
def test_change_of_nothing_is_not_called_one(city: Pesisir, command: tuple[str, ...]) -> None:
    done = city.run(*command)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("pesisir: nothing was given to change\n")


def test_what_would_be_passed_over_in_silence_is_refused(city: Pesisir) -> None:
    def said(*command: str) -> str:
        done = city.run(*command)
        assert done.code == 2
        return done.err

    assert "--secret says" in said("user", "set", "siti", "--name", "Siti", "--secret", "encrypted")
    assert "--secret says" in said("user", "add", "budi", "--no-password", "--secret", "encrypted")
    city.ok("calendar", "import", "-", "--name", "Libur", stdin=HOLIDAY)
    hours = ("plan", "set-window", "Warga", "x", "--from", "07:00", "--to", "08:00", "--free", "--only-on", "Libur")
    assert "never opens" in said(*hours, "--not-on", "Libur")
    city.ok(*hours)


HOLIDAY = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270817\nEND:VEVENT\nEND:VCALENDAR\n"


def test_throttle_above_the_rate_is_taken_with_a_word(pesisir: Pesisir) -> None:
    said = "\nonce a quota is used up, {} stays at 512k: the throttle 1M is not below it\n"
    made = pesisir.ok("plan", "add", "T", "--used-up", "1M", "--down", "512k", "--quota", "day 50MB then 1M")
    assert made.err.count("not below it") == 1
    assert said.format("down") in made.err
    assert said.format("up") in pesisir.ok("plan", "set", "T", "--down", "none", "--up", "512k").err
    assert "not below it" not in pesisir.ok("plan", "set", "T", "--up", "4M").err


def test_site_names_its_guest_plan(city: Pesisir) -> None:
    site = city.ok("site", "show", "Gusung", "--json").json
    assert (
        site.items()
        >= {"name": "Gusung", "capacity_bps": 20_000_000, "guest_plan": "Warga", "interim_seconds": 60}.items()
    )
    city.ok("site", "set", "Gusung", "--guest-plan", "none", "--interim", "5m")
    assert city.ok("site", "list", "--json").json == [site | {"guest_plan": None, "interim_seconds": 300}]


def test_nas_is_shown_without_its_secrets(city: Pesisir) -> None:
    shown = city.ok("nas", "show", "gusung-1", "--json")
    assert shown.json.items() >= {
        "name": "gusung-1",
        "site": "Gusung",
        "family": "mikrotik",
        "address": "127.0.0.1/32",
        "identifier": None,
        "login_address": "10.5.50.1",
        "require_message_authenticator": "auto",
        "limit_proxy_state": "auto",
        "direction": "auto",
        "coa_port": 3799,
        "status_server": True,
        "strict_identity": False,
        "debug_answers": False,
        "mac_login": True,
    }.items()  # fmt: skip
    everything = shown.out + city.ok("nas", "list", "--json").out + city.ok("nas", "list").out
    assert "a-secret-of-more-than-16" not in everything


def test_secrets_of_a_nas_are_shown_when_asked_for(city: Pesisir) -> None:
    assert city.ok("nas", "show", "gusung-1", "--secrets", "--json").json["secret"] == "a-secret-of-more-than-16"


def test_secrets_that_are_not_given_are_made(city: Pesisir) -> None:
    city.ok("nas", "add", "r2", "--address", "10.0.0.2", "--family", "coovachilli", "--site", "Gusung")
    shown = city.ok("nas", "show", "r2", "--secrets", "--json").json
    made = {shown[name] for name in ("secret", "portal_secret", "mac_secret")}
    assert len(made) == 3
    assert all(re.fullmatch(r"[a-z2-7]{32}", secret) for secret in made)


def test_every_option_of_a_nas_is_kept(city: Pesisir) -> None:
    city.ok(
        "nas", "add", "r2", "--address", "10.0.0.0/24", "--family", "opennds", "--site", "Gusung", "--identifier", "r2",
        "--login-address", "none", "--require-message-authenticator", "yes", "--limit-proxy-state", "no",
        "--coa-port", "1700", "--direction", "client", "--status-server", "no", "--strict-identity", "yes",
        "--debug-answers", "yes", "--mac-login", "no",
    )  # fmt: skip
    assert city.ok("nas", "show", "r2", "--json").json.items() >= {
        "address": "10.0.0.0/24",
        "identifier": "r2",
        "login_address": None,
        "require_message_authenticator": "yes",
        "limit_proxy_state": "no",
        "coa_port": 1700,
        "direction": "client",
        "status_server": False,
        "strict_identity": True,
        "debug_answers": True,
        "mac_login": False,
    }.items()  # fmt: skip


def test_new_secret_keeps_the_old_one_for_a_while(city: Pesisir) -> None:
    city.ok("nas", "set", "gusung-1", "--secret-file", "-", stdin="a-new-secret-of-more-than-16\n")
    shown = city.ok("nas", "show", "gusung-1", "--secrets", "--json").json
    assert (shown["secret"], shown["old_secret"]) == ("a-new-secret-of-more-than-16", "a-secret-of-more-than-16")


@pytest.mark.parametrize("secret", ["", "\n", "two\nlines\n"])
def test_secret_file_must_be_one_line(city: Pesisir, secret: str) -> None:
    done = city.run("nas", "set", "gusung-1", "--secret-file", "-", stdin=secret)
    assert done.code == 1
    assert "exactly one line" in done.err


def test_weak_secret_is_taken_with_a_warning(city: Pesisir) -> None:
    done = city.ok("nas", "set", "gusung-1", "--secret-file", "-", stdin="short")
    assert "warning: the RADIUS secret is short" in done.err


def test_config_prints_each_file_under_its_heading_and_one_raw(city: Pesisir) -> None:
    files = city.ok("nas", "config", "gusung-1", "--json").json
    printed = city.ok("nas", "config", "gusung-1").out
    assert [line for line in printed.splitlines() if line.startswith("===== ")] == [
        f"===== {name} =====" for name in files
    ]
    name, text = next(iter(files.items()))
    assert city.ok("nas", "config", "gusung-1", "--file", name).out == text
    assert "a-secret-of-more-than-16" in printed


LOOPBACK = {"PESISIR_PORTAL_URL": "http://127.0.0.1:8080", "PESISIR_HTTP_LISTEN": "127.0.0.1:8080"}
REACHABLE = {
    "PESISIR_PORTAL_URL": "http://10.20.0.1:8080",
    "PESISIR_HTTP_LISTEN": "0.0.0.0:8080",
    "PESISIR_RADIUS_AUTH_LISTEN": "10.20.0.1:1812",
    "PESISIR_RADIUS_ACCT_LISTEN": "0.0.0.0:1813",
}


@pytest.mark.parametrize(
    ("family", "changed", "named"),
    [
        pytest.param("mikrotik", {}, set(), id="all reachable"),
        pytest.param("mikrotik", LOOPBACK, {"PESISIR_PORTAL_URL", "PESISIR_HTTP_LISTEN"}, id="portal on loopback"),
        pytest.param("mikrotik", {"PESISIR_PORTAL_URL": "http://0.0.0.0:8080"}, {"PESISIR_PORTAL_URL"}, id="wildcard"),
        pytest.param("mikrotik", {"PESISIR_PORTAL_URL": "http://localhost:80"}, {"PESISIR_PORTAL_URL"}, id="by name"),
        pytest.param(
            "generic", {"PESISIR_RADIUS_AUTH_LISTEN": "127.0.0.1:1812"}, {"PESISIR_RADIUS_AUTH_LISTEN"}, id="RADIUS"
        ),
        pytest.param(
            "mikrotik", {"PESISIR_RADIUS_ACCT_LISTEN": "[::1]:1813"}, {"PESISIR_RADIUS_ACCT_LISTEN"}, id="accounting"
        ),
        pytest.param("generic", LOOPBACK, set(), id="a family that needs no portal"),
        pytest.param(
            "mikrotik",
            {"PESISIR_HTTP_LISTEN": "127.0.0.1:8080", "PESISIR_TRUSTED_PROXIES": "127.0.0.1"},
            set(),
            id="behind a proxy",
        ),
    ],
)
def test_config_that_cannot_work_elsewhere_is_refused(
    city: Pesisir, family: str, changed: dict[str, str], named: set[str]
) -> None:
    city.environment |= REACHABLE | changed
    city.ok("nas", "add", "far", "--address", "10.20.0.2", "--family", family, "--site", "Gusung")
    done = city.run("nas", "config", "far")
    why = next((line for line in done.err.splitlines() if "why:" in line), "")
    assert done.code == bool(named)
    assert {name for name in REACHABLE if name in why} == named
    assert ("=====" in done.out) is not bool(named)
    anyway = city.ok("nas", "config", "far", "--anyway")
    assert "=====" in anyway.out
    assert ("warning" in anyway.err) is bool(named)


def test_doctor_tells_of_addresses_that_routers_cannot_reach(city: Pesisir) -> None:
    def words() -> list[str]:
        return [f["words"] for f in city.run("doctor", "--json").json if f["what"] == "addresses"]

    city.environment |= REACHABLE | LOOPBACK
    assert words() == []
    city.ok("nas", "add", "far", "--address", "10.20.0.2", "--family", "mikrotik", "--site", "Gusung")
    (found,) = words()
    assert "nothing that far can reach" in found
    assert "PESISIR_HTTP_LISTEN is 127.0.0.1:8080" in found
    city.environment |= REACHABLE
    assert words() == []


def test_removed_nas_is_gone(city: Pesisir) -> None:
    city.ok("nas", "remove", "gusung-1", "--yes")
    assert city.ok("nas", "list", "--json").json == []


@pytest.mark.parametrize("command", ["site list", "plan list", "nas list", "user list", "voucher list", "session list"])
def test_empty_list_is_an_empty_array_and_a_word(pesisir: Pesisir, command: str) -> None:
    assert pesisir.ok(*command.split(), "--json").json == []
    shown = pesisir.ok(*command.split())
    assert (shown.out, shown.err) == ("", "none\n")


def test_table_that_is_piped_is_not_cut(city: Pesisir) -> None:
    city.ok("site", "add", "S" * 80)
    assert "S" * 80 in city.ok("site", "list").out


def test_schema_that_is_current_needs_nothing(pesisir: Pesisir) -> None:
    assert pesisir.ok("db", "check", "--json").json["state"] == "current"
    assert "nothing to do" in pesisir.ok("db", "upgrade").err


def test_schema_check_makes_no_schema(settings: dict[str, str]) -> None:
    pesisir = Pesisir(settings)
    done = pesisir.run("db", "check", "--json")
    assert (done.code, done.json["state"]) == (1, "empty")
    assert "pesisir db upgrade" in done.err
