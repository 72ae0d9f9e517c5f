"""NASes: addresses, secrets, rotation."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network

import pytest
from sqlalchemy import select, update

from app.db.engine import Database
from app.db.tables.nases import nases
from app.domain.nases import Demand, Family
from app.services.errors import Conflict, Invalid, NotFound
from app.services.keyring import Keyring
from app.services.nases import (
    ROTATION,
    NasOptions,
    NasValues,
    NasWarning,
    StoredNas,
    add_nas,
    list_nases,
    nas_secrets,
    remove_nas,
    set_nas,
    show_nas,
)
from app.services.sites import add_site
from radius.vendors import profile_for
from tests.factories import NOON

Chance = Callable[[int], bytes]


@pytest.fixture(autouse=True)
def _site(database: Database, chance: Chance) -> None:
    add_site(database, "Gusung", now=NOON, chance=chance)


@pytest.fixture
def add(database: Database, keyring: Keyring, chance: Chance) -> Callable[..., StoredNas]:
    def add(
        name: str = "gusung-1", address: str = "10.0.0.1", family: Family = Family.MIKROTIK, **options: NasOptions
    ) -> StoredNas:
        return add_nas(
            database,
            keyring,
            name,
            address=address,
            family=family,
            site="Gusung",
            now=NOON,
            chance=chance,
            **options,  # type: ignore[arg-type] # a test hands in what it is about
        )

    return add


def test_new_nas_gets_three_different_long_secrets(
    database: Database, keyring: Keyring, add: Callable[..., StoredNas]
) -> None:
    stored = add()
    secrets = nas_secrets(database, keyring, "gusung-1")
    assert stored.warnings == ()
    assert {len(secret) for secret in (secrets.radius, secrets.portal, secrets.mac)} == {32}
    assert len({secrets.radius, secrets.portal, secrets.mac}) == 3


def test_no_secret_is_stored_in_clear(database: Database, add: Callable[..., StoredNas]) -> None:
    add(secret="a-secret-to-look-for", portal_secret="a-secret-to-look-for-2", mac_secret="a-secret-to-look-for-3")
    with database.read() as connection:
        row = connection.execute(select(nases)).one()
    assert not [value for value in row if isinstance(value, bytes) and b"look-for" in value]
    assert not [value for value in row if isinstance(value, str) and "look-for" in value]


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        (" 10.0.0.0/24 ", "10.0.0.0/24"),
        ("2001:db8::1", "2001:db8::1/128"),
    ],
    ids=["address", "network", "IPv6"],
)
def test_address_is_a_network(add: Callable[..., StoredNas], address: str, stored: str) -> None:
    assert add(address=address).nas.address == ip_network(stored)


@pytest.mark.parametrize(
    "address",
    ["", "router.example", "10.0.0.256", "0.0.0.0/0", "::/0"],
    ids=["empty", "name", "256", "all", "all IPv6"],
)
def test_impossible_address_is_refused(add: Callable[..., StoredNas], address: str) -> None:
    with pytest.raises(Invalid) as caught:
        add(address=address)
    assert caught.value.field == "address"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("10.5.50.1", "10.5.50.1"),
        ("10.5.50.1:64872", "10.5.50.1:64872"),
        ("Login.Pesisir.Example", "login.pesisir.example"),
        ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("", None),
    ],
    ids=["address", "with a port", "name", "IPv6", "none"],
)
def test_login_address_is_host_and_port(add: Callable[..., StoredNas], given: str, stored: str | None) -> None:
    assert add(login_address=given).nas.login_address == stored


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("10.1.2.3", "10.1.2.3"),
        (" Gusung.LAN ", "gusung.lan"),
        ("[fd00::1]", "fd00::1"),
        ("fd00::1", "fd00::1"),
        ("", None),
    ],
)
def test_address_for_changes_is_a_host(add: Callable[..., StoredNas], given: str, stored: str | None) -> None:
    assert add(coa_address=given).nas.coa_address == stored


@pytest.mark.parametrize("given", ["10.1.2.3:3799", "10.1.2.0/24", "gusung lan", "fd00::1::"])
def test_address_for_changes_that_is_no_host_is_refused(add: Callable[..., StoredNas], given: str) -> None:
    with pytest.raises(Invalid) as caught:
        add(coa_address=given)
    assert caught.value.field == "coa_address"


@pytest.mark.parametrize(
    "given",
    ["http://10.5.50.1", "10.5.50.1/login", "a b", "10.5.50.1:0", "10.5.50.1:70000", "10.5.50.1:", "10.5.50.300",
     "user@host", "host?x", "[2001:db8::1", "[10.0.0.1]", "2001:db8::1", "-a.example", "a\nb", "[::1]x"],
)  # fmt: skip
def test_login_address_that_is_more_or_less_is_refused(add: Callable[..., StoredNas], given: str) -> None:
    with pytest.raises(Invalid) as caught:
        add(login_address=given)
    assert caught.value.field == "login_address"


@pytest.mark.parametrize(
    ("secret", "warnings"),
    [
        pytest.param("s" * 12, (NasWarning.SHORT_SECRET,), id="12 octets"),
        pytest.param("s" * 13, (), id="13 octets"),
        pytest.param("s" * 64, (), id="64 octets"),
        pytest.param("the-first-routers-secret", (NasWarning.SHARED_SECRET,), id="another router's"),
    ],
)
def test_unwise_secret_is_stored_with_a_warning(
    add: Callable[..., StoredNas], secret: str, warnings: tuple[NasWarning, ...]
) -> None:
    add("first", secret="the-first-routers-secret")
    assert add("second", "10.0.0.2", secret=secret).warnings == warnings


@pytest.mark.parametrize(
    "secret", ["", "with\ttab-in-the-middle", "rahasia-é-rahasia", " spaces-around-it "],
    ids=["empty", "control", "not ASCII", "spaces"],
)  # fmt: skip
def test_impossible_secret_is_refused(add: Callable[..., StoredNas], secret: str) -> None:
    with pytest.raises(Invalid) as caught:
        add(secret=secret)
    assert caught.value.field == "secret"


def test_opennds_key_is_at_most_32_octets(add: Callable[..., StoredNas]) -> None:
    add("short", family=Family.OPENNDS, portal_secret="k" * 32)
    with pytest.raises(Invalid, match="portal_secret"):
        add("long", family=Family.OPENNDS, portal_secret="k" * 33)


def test_new_secret_leaves_the_old_one_valid_for_a_while(
    database: Database, keyring: Keyring, add: Callable[..., StoredNas]
) -> None:
    add(secret="the-first-secret")
    set_nas(database, keyring, "gusung-1", now=NOON, secret="the-second-secret")
    secrets = nas_secrets(database, keyring, "gusung-1")
    assert (secrets.radius, secrets.old_radius) == ("the-second-secret", "the-first-secret")
    assert secrets.old_radius_until == NOON + ROTATION


def test_same_secret_again_is_no_rotation(database: Database, keyring: Keyring, add: Callable[..., StoredNas]) -> None:
    add(secret="the-first-secret")
    set_nas(database, keyring, "gusung-1", now=NOON, secret="the-first-secret")
    assert nas_secrets(database, keyring, "gusung-1").old_radius is None


def test_rotation_can_be_ended_at_once(database: Database, keyring: Keyring, add: Callable[..., StoredNas]) -> None:
    add(secret="the-first-secret")
    set_nas(database, keyring, "gusung-1", now=NOON, secret="the-second-secret")
    set_nas(database, keyring, "gusung-1", now=NOON, old_secret_until=NOON - timedelta(seconds=1))
    secrets = nas_secrets(database, keyring, "gusung-1")
    assert (secrets.old_radius, secrets.old_radius_until) == (None, None)


def test_change_keeps_what_was_not_mentioned(
    database: Database, keyring: Keyring, add: Callable[..., StoredNas]
) -> None:
    before = add(identifier="gusung", login_address="10.5.50.1").nas
    secrets = nas_secrets(database, keyring, "gusung-1")
    after = set_nas(
        database, keyring, "gusung-1", now=NOON, coa_port=1700, require_message_authenticator=Demand.YES
    ).nas
    assert (after.coa_port, after.require_message_authenticator) == (1700, Demand.YES)
    assert (after.identifier, after.login_address, after.address) == (before.identifier, "10.5.50.1", before.address)
    assert nas_secrets(database, keyring, "gusung-1") == secrets


def test_a8_03_switches_of_a_nas_are_kept(database: Database, keyring: Keyring, add: Callable[..., StoredNas]) -> None:
    nas = add().nas
    assert (nas.status_server, nas.strict_identity, nas.debug_answers, nas.mac_login) == (True, False, False, True)
    options = {"status_server": False, "strict_identity": True, "debug_answers": True, "mac_login": False}
    set_nas(database, keyring, "gusung-1", now=NOON, **options)  # type: ignore[arg-type] # all are bool
    nas = set_nas(database, keyring, "gusung-1", now=NOON, coa_port=1700).nas
    assert (nas.status_server, nas.strict_identity, nas.debug_answers, nas.mac_login) == (False, True, True, False)


def test_removed_nas_is_gone(database: Database, keyring: Keyring, add: Callable[..., StoredNas]) -> None:
    add()
    remove_nas(database, "gusung-1", now=NOON)
    with pytest.raises(NotFound):
        show_nas(database, "gusung-1")
    assert list_nases(database) == []


def test_two_nases_of_one_name_are_a_conflict(add: Callable[..., StoredNas]) -> None:
    add()
    with pytest.raises(Conflict):
        add()


SECRET = "a-secret-of-more-than-16"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"identifier": "atap"}, {"identifier": "atap"}),
        ({"address": "10.0.0.0/8"}, {"address": "10.0.0.0/8"}),
    ],
    ids=["no identifier", "one identifier", "one network"],
)
def test_second_nas_that_nothing_tells_from_the_first_is_refused(
    database: Database, add: Callable[..., StoredNas], first: dict[str, str], second: dict[str, str]
) -> None:
    add("gusung-1", secret=SECRET, **first)
    with pytest.raises(
        Conflict, match=r"could not be told apart from 'gusung-1'.*--identifier.*--secret-file"
    ) as caught:
        add("gusung-2", secret=SECRET, **second)
    assert (caught.value.kind, caught.value.name) == ("nas", "gusung-2")
    assert [nas.name for nas in list_nases(database)] == ["gusung-1"]


@pytest.mark.parametrize(
    "second",
    [{"identifier": "atap"}, {"secret": "another-secret-of-16"}, {"address": "10.0.0.2"}, {"address": "10.0.0.0/8"}],
    ids=["named", "another secret", "another address", "the network around it"],
)
def test_second_nas_that_anything_tells_from_the_first_is_registered(
    database: Database, keyring: Keyring, add: Callable[..., StoredNas], second: dict[str, str]
) -> None:
    add("gusung-1", secret=SECRET)
    add("gusung-2", **{"secret": SECRET} | second)
    alike: NasValues = {"address": "10.0.0.1", "identifier": None, "secret": SECRET}
    with pytest.raises(Conflict, match="could not be told apart"):
        set_nas(database, keyring, "gusung-2", now=NOON, **alike)


def test_two_that_nothing_tells_apart_from_before_can_be_changed_until_something_does(
    database: Database, keyring: Keyring, add: Callable[..., StoredNas]
) -> None:
    add("gusung-1", secret=SECRET)
    add("gusung-2", secret=SECRET, identifier="atap")
    with database.write() as connection:
        connection.execute(update(nases).values(identifier=None))
    set_nas(database, keyring, "gusung-2", now=NOON, login_address="10.5.50.1")
    set_nas(database, keyring, "gusung-2", now=NOON, identifier="atap")


def test_list_can_be_of_one_site(
    database: Database, chance: Chance, keyring: Keyring, add: Callable[..., StoredNas]
) -> None:
    add()
    add_site(database, "Melahing", now=NOON, chance=chance)
    assert [nas.name for nas in list_nases(database, site="Gusung")] == ["gusung-1"]
    assert list_nases(database, site="Melahing") == []
    with pytest.raises(NotFound):
        list_nases(database, site="Selangan")


def test_a2_02_families_that_sign_must_from_the_first_packet_on(add: Callable[..., StoredNas]) -> None:
    """The draft asks for "auto" everywhere; a family of which every version signs loses nothing by a "yes"."""
    for family in Family:
        nas = add(family.value, family=family).nas
        signs = profile_for(family.value).signs_access_requests
        assert nas.require_message_authenticator is (Demand.YES if signs else Demand.AUTO), family
        assert nas.limit_proxy_state is Demand.AUTO
        assert not nas.is_unprotected


@pytest.mark.parametrize("demand", Demand)
@pytest.mark.parametrize("option", ["require_message_authenticator", "limit_proxy_state"])
def test_a2_01_each_protection_is_yes_no_or_auto_for_each_nas(
    add: Callable[..., StoredNas], option: str, demand: Demand
) -> None:
    assert getattr(add(family=Family.HOSTAPD, **{option: demand}).nas, option) is demand
