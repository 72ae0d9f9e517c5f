"""`pesisir config show`: every setting, where it comes from, and never a secret."""

from pathlib import Path

import pytest

from app.config import setting_names
from tests.cli.conftest import Pesisir


def test_every_setting_is_shown(pesisir: Pesisir) -> None:
    assert tuple(pesisir.ok("config", "show", "--json").json) == setting_names()


def test_origin_is_environment_file_or_default(settings: dict[str, str], tmp_path: Path) -> None:
    table, secret = tmp_path / "pesisir.toml", tmp_path / "workers"
    table.write_text('language = "en"\n', encoding="utf-8")
    secret.write_text("2\n", encoding="utf-8")
    settings |= {"PESISIR_CONFIG": str(table), "PESISIR_RADIUS_WORKERS_FILE": str(secret)}
    shown = Pesisir(settings).ok("config", "show", "--origin", "--json").json
    assert shown["PESISIR_LANGUAGE"] == {"value": "en", "origin": str(table)}
    assert shown["PESISIR_RADIUS_WORKERS"] == {"value": "2", "origin": str(secret)}
    assert shown["PESISIR_HTTP_LISTEN"] == {"value": "127.0.0.1:0", "origin": "environment"}
    assert shown["PESISIR_JOURNAL_KEEP"] == {"value": "30d", "origin": "default"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("postgresql://pesisir:hush@db/pesisir", "postgresql://pesisir:***@db/pesisir", id="in its place"),
        pytest.param("postgresql://pesisir:hu%40sh@db/x", "postgresql://pesisir:***@db/x", id="with an escaped sign"),
        pytest.param("postgresql://pesisir:hu@sh@db/x", "postgresql://pesisir:***@db/x", id="with a bare sign"),
        pytest.param("postgresql://db/x?user=u&password=hush&a=b", "postgresql://db/x?user=u&password=***&a=b", id="as a parameter"),
        pytest.param("postgresql://db/pesisir", "postgresql://db/pesisir", id="none"),
    ],
)  # fmt: skip
def test_password_of_the_database_is_hidden(settings: dict[str, str], url: str, shown: str) -> None:
    settings["PESISIR_DATABASE_URL"] = url
    assert Pesisir(settings).ok("config", "show", "--json").json["PESISIR_DATABASE_URL"] == shown


def test_secret_key_is_hidden_and_its_place_told(settings: dict[str, str], data_dir: Path) -> None:
    given = Pesisir(settings).ok("config", "show", "--origin")
    assert settings["PESISIR_SECRET_KEY"] not in given.out
    del settings["PESISIR_SECRET_KEY"]
    shown = Pesisir(settings).ok("config", "show", "--json").json["PESISIR_SECRET_KEY"]
    assert str(data_dir / "secret.key") in shown
    assert not data_dir.exists()


@pytest.mark.parametrize("name", ["PESISIR_PORTAL_URL", "PESISIR_ADMIN_URL"])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param("https://portal.example.id", "https://portal.example.id", id="name"),
        pytest.param("https://Portal.Example.id:8443/", "https://portal.example.id:8443", id="capitals and a slash"),
        pytest.param("http://10.20.0.1:8080", "http://10.20.0.1:8080", id="address"),
        pytest.param("http://[fd00::1]:8080", "http://[fd00::1]:8080", id="IPv6"),
        pytest.param("portal.example.id", None, id="no scheme"),
        pytest.param("portal.example.id:8080", None, id="host and port alone"),
        pytest.param("ftp://portal.example.id", None, id="another scheme"),
        pytest.param("https://", None, id="no host"),
        pytest.param("https://portal.example.id/hotspot", None, id="path"),
        pytest.param("https://portal.example.id?x=1", None, id="query"),
        pytest.param("https://portal.example.id#x", None, id="fragment"),
        pytest.param("https://siti@portal.example.id", None, id="user"),
        pytest.param("https://portal.example.id:port", None, id="no number"),
        pytest.param("https://portal.example.id:0", None, id="port 0"),
        pytest.param("https://portal.example.id:", None, id="no port"),
        pytest.param("https://portal example.id", None, id="space"),
        pytest.param("https://[fd00::1", None, id="half an address"),
    ],
)
def test_url_is_a_scheme_a_host_and_perhaps_a_port(
    settings: dict[str, str], name: str, given: str, shown: str | None
) -> None:
    done = Pesisir(settings | {name: given}).run("config", "show", "--json")
    if shown is not None:
        assert done.json[name] == shown
        return
    assert done.code == 1
    assert f"{name} is not usable" in done.err
    assert "http://HOST[:PORT]" in done.err


@pytest.mark.parametrize("given", ["7d", "36h", "90m", "61s"])
def test_times_are_written_as_they_are_typed(settings: dict[str, str], given: str) -> None:
    settings["PESISIR_SNAPSHOT_MAX_AGE"] = given
    assert Pesisir(settings).ok("config", "show", "--json").json["PESISIR_SNAPSHOT_MAX_AGE"] == given


def test_addresses_are_written_as_they_are_typed(settings: dict[str, str]) -> None:
    settings["PESISIR_RADIUS_AUTH_LISTEN"] = "127.0.0.1:1812,[::1]:1812"
    assert (
        Pesisir(settings).ok("config", "show", "--json").json["PESISIR_RADIUS_AUTH_LISTEN"]
        == "127.0.0.1:1812,[::1]:1812"
    )


LISTENERS = [name for name in setting_names() if name.endswith("_LISTEN")]


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param("", "names no address", id="nothing"),
        pytest.param(" , ", "names no address", id="commas alone"),
        pytest.param("localhost:1812", "begins with no address", id="a name"),
        pytest.param(":1812", "begins with no address", id="a port alone"),
        pytest.param("127.0.0.1", "is not HOST:PORT", id="no port"),
        pytest.param("127.0.0.1:65536", "is not HOST:PORT", id="port too large"),
        pytest.param("127.0.0.1:\u00b2", "is not HOST:PORT", id="a digit that is none"),
        pytest.param("127.0.0.1:1812,x:1", "begins with no address", id="the second of two"),
    ],
)
def test_listener_is_an_address_and_a_port(settings: dict[str, str], name: str, given: str, words: str) -> None:
    done = Pesisir(settings | {name: given}).run("config", "show")
    assert done.code == 1
    assert f"{name} is not usable\n  why:  " in done.err
    assert words in done.err


def test_listeners_may_be_several_and_ipv6(settings: dict[str, str]) -> None:
    given = "[::1]:1812,127.0.0.1:1812"
    settings["PESISIR_RADIUS_AUTH_LISTEN"] = given
    assert Pesisir(settings).ok("config", "show", "--json").json["PESISIR_RADIUS_AUTH_LISTEN"] == given


def test_folder_that_cannot_be_made_is_said_in_words(settings: dict[str, str]) -> None:
    done = Pesisir(settings | {"PESISIR_DATA_DIR": "/proc/pesisir"}).run("db", "upgrade")
    assert done.code == 1
    assert "cannot use /proc/pesisir\n  why:  No such file or directory" in done.err


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        pytest.param(
            "PESISIR_REQUIRE_MESSAGE_AUTHENTICATOR", "maybe", "is none of yes, no, auto", id="A2.01 signatures"
        ),
        pytest.param("PESISIR_LIMIT_PROXY_STATE", "", "is none of yes, no, auto", id="A2.01 Proxy-State"),
        pytest.param("PESISIR_RADIUS_MAX_ATTRIBUTES", "199", "is not a number from 200 to 2000", id="A1.12 too few"),
        pytest.param("PESISIR_RADIUS_MAX_ATTRIBUTES", "2001", "is not a number from 200 to 2000", id="A1.12 too many"),
        pytest.param("PESISIR_RADIUS_PATIENCE", "61s", "longer than a minute", id="A5.06 longer than routers wait"),
        pytest.param("PESISIR_RADIUS_PATIENCE", "0s", "is not a time", id="A5.06 none"),
        pytest.param("PESISIR_RADIUS_WORKERS", "65", "is not a number from 1 to 64", id="workers"),
    ],
)
def test_setting_out_of_its_bounds_is_refused(settings: dict[str, str], name: str, given: str, words: str) -> None:
    done = Pesisir(settings | {name: given}).run("config", "show")
    assert done.code == 1
    assert f"{name} is not usable" in done.err
    assert words in done.err


def test_a2_01_nas_that_leaves_it_open_shows_what_is_in_force(city: Pesisir) -> None:
    city.environment["PESISIR_REQUIRE_MESSAGE_AUTHENTICATOR"] = "yes"
    shown = city.ok("nas", "show", "gusung-1").out
    assert "auto (yes, by PESISIR_REQUIRE_MESSAGE_AUTHENTICATOR)" in shown
    assert "limit proxy state              auto\n" in shown
