"""`pesisir radius test` says what it cannot prove from this machine."""

from tests.cli.conftest import Pesisir

NOBODY = ("--server", "127.0.0.1:1")


def test_request_from_another_address_than_the_routers_is_announced(city: Pesisir) -> None:
    city.ok("nas", "add", "far", "--address", "10.20.0.2", "--family", "mikrotik", "--site", "Gusung")
    first, remedy, *rest = city.run("radius", "test", "far", *NOBODY).err.splitlines()
    assert first.startswith("this machine is not 10.20.0.2: it asks from 127.0.0.1, and the server does not know")
    assert "pesisir nas add test --address 127.0.0.1 --family mikrotik --site SITE" in remedy
    assert rest


def test_request_from_the_routers_own_address_is_sent_without_a_word(city: Pesisir) -> None:
    assert "this machine is not" not in city.run("radius", "test", "gusung-1", *NOBODY).err


def test_request_from_within_the_routers_network_is_sent_without_a_word(city: Pesisir) -> None:
    city.ok("nas", "set", "gusung-1", "--address", "127.0.0.0/8")
    assert "this machine is not" not in city.run("radius", "test", "gusung-1", *NOBODY).err
    city.ok("nas", "set", "gusung-1", "--address", "10.20.0.0/24")
    assert "this machine is not 10.20.0.0/24" in city.run("radius", "test", "gusung-1", *NOBODY).err


def test_help_says_that_a_test_counts(city: Pesisir) -> None:
    assert "a log-in is the person's" in " ".join(city.ok("radius", "test", "--help").out.split())
