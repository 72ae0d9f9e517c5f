"""What goes wrong has a fixed exit code, and says what, why and the next command; never a traceback."""

import pytest

from tests.cli.conftest import Pesisir

USAGE, NOT_FOUND, CONFLICT, FAILED = 2, 3, 4, 1
ADD_NAS = ("nas", "add", "r2", "--address", "10.0.0.1", "--family", "mikrotik", "--site")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        pytest.param(("frobnicate",), USAGE, "No such command", id="no such noun"),
        pytest.param(("site", "frobnicate"), USAGE, "No such command", id="no such verb"),
        pytest.param(("plan", "add", "X", "--down", "fast"), USAGE, "'fast' is not a rate", id="no rate"),
        pytest.param(("plan", "add", "X", "--daily", "0MB"), USAGE, "is not an amount", id="no amount"),
        pytest.param(("plan", "add", "X", "--session", "soon"), USAGE, "is not a time", id="no time"),
        pytest.param(("plan", "add", "X", "--devices", "0"), USAGE, "not a number from 1", id="no device"),
        pytest.param(("plan", "add", "X", "--devices", "٣"), USAGE, "not a number from 1", id="digits of another script"),
        pytest.param(("plan", "add", "Warga"), CONFLICT, "exists already", id="plan exists"),
        pytest.param(("site", "add", "Gusung"), CONFLICT, "exists already", id="site exists"),
        pytest.param((*ADD_NAS, "Nowhere"), NOT_FOUND, "there is no site 'Nowhere'", id="nas at no site"),
        pytest.param((*ADD_NAS, "Gusung", "--coa-port", "65536"), USAGE, "65535", id="port too large"),
        pytest.param(("nas", "add", "r3", "--address", "x", "--family", "mikrotik", "--site", "Gusung"), USAGE, "address", id="no address"),
        pytest.param(("nas", "add", "r3", "--address", "10.0.0.1", "--family", "zyxel", "--site", "Gusung"), USAGE, "zyxel", id="no family"),
        pytest.param(("nas", "show", "r9"), NOT_FOUND, "there is no NAS 'r9'\n  next: pesisir nas list", id="no nas"),
        pytest.param(("nas", "remove", "r9", "--yes"), NOT_FOUND, "pesisir nas list", id="no nas to remove"),
        pytest.param(("nas", "config", "gusung-1", "--file", "x"), NOT_FOUND, "has no file", id="no file"),
        pytest.param(("nas", "set", "gusung-1", "--old-secret-until", "2030-01-01"), USAGE, "--secret-file", id="old secret alone"),
        pytest.param(("nas", "set", "gusung-1", "--secret-file", "/no/such"), FAILED, "No such file", id="no secret file"),
        pytest.param(("site", "show", "X"), NOT_FOUND, "pesisir site list", id="no site"),
        pytest.param(("plan", "show", "X"), NOT_FOUND, "pesisir plan list", id="no plan"),
        pytest.param(("user", "add", "siti", "--no-password"), CONFLICT, "exists already", id="user exists"),
        pytest.param(("user", "add", "x", "--password", "a", "--no-password"), USAGE, "two passwords", id="two passwords"),
        pytest.param(("user", "add", "x", "--password", ""), USAGE, "password is empty", id="empty password"),
        pytest.param(("user", "add", "x", "--password", " "), USAGE, "password is empty", id="password of a space"),
        pytest.param(("user", "add", "x", "--no-password", "--phone", "abc"), USAGE, "phone", id="no phone"),
        pytest.param(("user", "add", "x", "--no-password", "--valid-until", "2026-13-01"), USAGE, "not a date", id="no date"),
        pytest.param(("user", "show", "nobody"), NOT_FOUND, "pesisir user list", id="no user"),
        pytest.param(("user", "set-quota", "siti"), USAGE, "which quota", id="no quota"),
        pytest.param(("user", "set-quota", "siti", "--daily", "1GB"), USAGE, "reason", id="no reason"),
        pytest.param(("user", "set-quota", "siti", "--daily", "none"), NOT_FOUND, "no own quota 'siti, per day'", id="no quota to take back"),
        pytest.param(("user", "set-quota", "siti", "--daily", "1GB", "--reason", "x", "--until", "2001-01-01"), USAGE, "passed", id="quota of the past"),
        pytest.param(("user", "import", "/no/such.csv"), FAILED, "No such file", id="no file to import"),
        pytest.param(("voucher", "create", "--plan", "X", "--count", "1"), NOT_FOUND, "plan list", id="no plan for vouchers"),
        pytest.param(("voucher", "create", "--plan", "Warga", "--count", "0"), USAGE, "count", id="no vouchers"),
        pytest.param(("voucher", "revoke", "AAA-AAA-AAA", "--yes"), NOT_FOUND, "voucher list", id="no voucher"),
        pytest.param(("voucher", "print", "x"), NOT_FOUND, "voucher list", id="no batch"),
        pytest.param(("voucher", "revoke"), USAGE, "--batch", id="nothing to revoke"),
        pytest.param(("session", "show", "x"), NOT_FOUND, "session list", id="no session"),
        pytest.param(("session", "list", "--state", "half"), USAGE, "Invalid value for '--state': 'half' is not one of 'open', 'closed', 'all'\n", id="no such state"),
        pytest.param(("session", "list", "--limit", "0"), USAGE, "'--limit': must be greater than or equal to 1\n", id="no rows"),
        pytest.param(("session", "list", "--limit", "x"), USAGE, "'--limit': must be a valid integer\n", id="no number"),
        pytest.param(("session", "list", "--nas", "r9"), NOT_FOUND, "there is no NAS 'r9'", id="sessions behind no nas"),
        pytest.param(("session", "list", "--user", "nobody"), NOT_FOUND, "no user 'nobody'", id="sessions of nobody"),
        pytest.param(("site", "add", "X", "--guest-plan", "Nope"), NOT_FOUND, "there is no plan 'Nope'", id="site with no plan"),
        pytest.param(("site", "set", "Gusung", "--guest-plan", "Nope"), NOT_FOUND, "there is no plan 'Nope'", id="no plan for a site"),
        pytest.param(("nas", "set", "gusung-1", "--site", "Nope"), NOT_FOUND, "there is no site 'Nope'", id="nas to no site"),
        pytest.param(("nas", "list", "--site", "Nope"), NOT_FOUND, "there is no site 'Nope'", id="nases of no site"),
        pytest.param(("user", "add", "x", "--no-password", "--plan", "Nope"), NOT_FOUND, "there is no plan 'Nope'", id="user with no plan"),
        pytest.param(("user", "add", "x", "--no-password", "--site", "Nope"), NOT_FOUND, "there is no site 'Nope'", id="user at no site"),
        pytest.param(("user", "set", "siti", "--plan", "Nope"), NOT_FOUND, "there is no plan 'Nope'", id="no plan for a user"),
        pytest.param(("usage", "nobody"), NOT_FOUND, "nobody", id="usage of nobody"),
        pytest.param(("radius", "test", "gusung-1", "siti"), USAGE, "use --password-file", id="no password and nobody to ask"),
        pytest.param(("radius", "test", "r9"), NOT_FOUND, "nas list", id="test as no nas"),
    ],
)  # fmt: skip
def test_failure_has_its_code_and_says_why(city: Pesisir, command: tuple[str, ...], code: int, words: str) -> None:
    done = city.run(*command)
    assert (done.code, done.out) == (code, "")
    assert words in done.err


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("user", "remove", "siti"), id="user"),
        pytest.param(("nas", "remove", "gusung-1"), id="nas"),
        pytest.param(("voucher", "revoke", "AAA-AAA-AAA"), id="voucher"),
    ],
)
def test_nothing_is_destroyed_unasked_where_nobody_can_answer(city: Pesisir, command: tuple[str, ...]) -> None:
    done = city.run(*command)
    assert done.code == USAGE
    assert "--yes" in done.err
    assert city.ok("user", "show", "siti")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("PESISIR_DATABASE_URL", "postgresql://127.0.0.1:1/x", "the database does not answer", id="away"),
        pytest.param("PESISIR_SECRET_KEY", "00" * 32, "secret key is not the one", id="another key"),
        pytest.param("PESISIR_SECRET_KEY", "x", "64 hexadecimal digits", id="no key"),
        pytest.param("PESISIR_TIME_ZONE", "Mars/Olympus", "PESISIR_TIME_ZONE", id="no zone"),
        pytest.param("PESISIR_DATABASE_URL", "nonsense", "PESISIR_DATABASE_URL", id="no URL"),
        pytest.param("PESISIR_TYPO", "1", "PESISIR_TYPO", id="no setting"),
        pytest.param("PESISIR_CONFIG", "/no/such.toml", "/no/such.toml", id="no settings file"),
    ],
)
def test_unusable_setting_is_named(pesisir: Pesisir, name: str, value: str, words: str) -> None:
    pesisir.environment[name] = value
    done = pesisir.run("site", "list")
    assert (done.code, done.out) == (FAILED, "")
    assert words in done.err


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("user set siti", "--valid-until"),
        ("user top-up siti --octets 1GB --reason x", "--until"),
        ("user set-quota siti --daily 1GB --reason x", "--until"),
        ("site override Gusung --down 1M --reason x", "--until"),
        ("voucher create --plan Warga --count 1", "--until"),
        ("nas set gusung-1 --secret-file -", "--old-secret-until"),
    ],
)
def test_date_that_is_none_is_told_by_its_option(city: Pesisir, command: str, option: str) -> None:
    done = city.run(*command.split(), option, "besok", stdin="a-new-secret-of-more-than-16")
    assert done.code == USAGE
    assert f"Invalid value for '{option}': 'besok' is not a date such as 2026-12-31 or" in done.err


def test_moment_that_is_none_is_told_by_its_option(city: Pesisir) -> None:
    said = city.run("user", "explain", "siti", "--at", "besok").err
    assert "Invalid value for '--at': 'besok' is not a moment such as" in said
