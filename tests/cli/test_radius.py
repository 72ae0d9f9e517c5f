"""`pesisir radius test` says what it cannot prove from this machine."""

from pathlib import Path

import pytest

from radius import Accept, AccessRequest, Authorization, MsChapV2Response
from tests.cli.conftest import Pesisir
from tests.radius.serving import serving
from tests.radius.support import CLASS, SECRET, FakeBackend, make_nas

NOBODY = ("--server", "127.0.0.1:1")


@pytest.mark.long
def test_request_from_another_address_than_the_routers_is_announced(city: Pesisir) -> None:
    city.ok("nas", "add", "far", "--address", "10.20.0.2", "--family", "mikrotik", "--site", "Gusung")
    first, remedy, *rest = city.run("radius", "test", "far", *NOBODY).err.splitlines()
    assert first.startswith("this machine is not 10.20.0.2: it asks from 127.0.0.1, and the server does not know")
    assert "pesisir nas add test --address 127.0.0.1 --family mikrotik --site SITE" in remedy
    assert rest


def test_request_from_the_routers_own_address_is_sent_without_a_word(city: Pesisir) -> None:
    assert "this machine is not" not in city.run("radius", "test", "gusung-1", *NOBODY).err


@pytest.mark.long
def test_request_from_within_the_routers_network_is_sent_without_a_word(city: Pesisir) -> None:
    city.ok("nas", "set", "gusung-1", "--address", "127.0.0.0/8")
    assert "this machine is not" not in city.run("radius", "test", "gusung-1", *NOBODY).err
    city.ok("nas", "set", "gusung-1", "--address", "10.20.0.0/24")
    assert "this machine is not 10.20.0.0/24" in city.run("radius", "test", "gusung-1", *NOBODY).err


def test_help_says_that_a_test_counts(city: Pesisir) -> None:
    assert "a log-in is the person's" in " ".join(city.ok("radius", "test", "--help").out.split())


@pytest.mark.parametrize(
    ("password", "code", "said"),
    [
        pytest.param("rahasia", 0, "", id="proof of the password"),
        pytest.param("another", 1, "does not prove that it knows the password", id="proof of another"),
        pytest.param(None, 1, "does not prove that it knows the password", id="no proof"),
    ],
)
def test_a3_03_server_that_accepts_must_prove_that_it_knows_the_password(
    city: Pesisir, tmp_path: Path, password: str | None, code: int, said: str
) -> None:
    def accept(request: AccessRequest) -> Accept:
        assert isinstance(request.credential, MsChapV2Response)
        answer = Accept(Authorization(), CLASS)
        return answer if password is None else answer._replace(ms_chap=request.credential.success(password))

    backend = FakeBackend()
    backend.add("127.0.0.1", make_nas())
    backend.answer = accept
    (tmp_path / "secret").write_bytes(SECRET)
    city.ok("nas", "set", "gusung-1", "--secret-file", str(tmp_path / "secret"))
    with serving(backend) as running:
        where = f"{running.auth[0]}:{running.auth[1]}"
        asked = ("siti", "--method", "mschapv2", "--password", "rahasia", "--server", where)
        done = city.run("radius", "test", "gusung-1", *asked)
    assert (done.code, said in done.err) == (code, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("", "--password", "x"), "USER has 0 octets", id="no name"),
        pytest.param(("x" * 254, "--password", "x"), "USER has 254 octets", id="a name too long"),
        pytest.param(("siti", "--password", "x", "--session", ""), "--session has 0 octets", id="no session"),
        pytest.param(("siti", "--password", "x", "--session", "x" * 254), "--session has 254", id="a session too long"),
        pytest.param(("siti", "--password", "x" * 129), "the password is too long", id="a password too long for PAP"),
        pytest.param(("siti", "--password", "x", "--source", "here"), "'here' is no address", id="no address"),
    ],
)
def test_what_cannot_travel_is_refused_before_anything_is_sent(
    city: Pesisir, arguments: tuple[str, ...], said: str
) -> None:
    done = city.run("radius", "test", "gusung-1", *arguments, *NOBODY)
    assert (done.code, said in done.err) == (2, True)


def test_a2_09_test_that_teaches_the_server_says_so(city: Pesisir, tmp_path: Path) -> None:
    backend = FakeBackend(password="rahasia")
    backend.add("127.0.0.1", make_nas())
    (tmp_path / "secret").write_bytes(SECRET)
    city.ok("nas", "set", "gusung-1", "--secret-file", str(tmp_path / "secret"))
    with serving(backend) as running:
        asked = ("siti", "--password", "rahasia", "--server", f"{running.auth[0]}:{running.auth[1]}")
        assert "has learnt that gusung-1 signs" in city.ok("radius", "test", "gusung-1", *asked).err
        city.ok("nas", "set", "gusung-1", "--require-message-authenticator", "yes")
        assert "has learnt" not in city.ok("radius", "test", "gusung-1", *asked).err
