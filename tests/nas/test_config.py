"""Configurations, compared file by file with `golden/`; `python -m tests.nas.test_config` writes them anew."""

import shutil
import subprocess
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.domain.nases import MAC_IS_PASSWORD, Family, Nas, NasSecrets
from app.nas.families import config
from app.nas.handoff import Portal
from app.nas.mikrotik_config import pages
from app.nas.rendering import routeros, shell
from tests.factories import make_nas

GOLDEN = Path(__file__).parent / "golden"
SECRETS = NasSecrets(
    radius="radiussecretradiussecretradiusse", portal="portalsecretportalsecretportalse", mac="macsecretmacsecret"
)
PORTAL = Portal(
    url="https://portal.bontang.example",
    radius_host="192.0.2.10",
    garden=("layanan.bontang.example", "192.0.2.44"),
)
HTTP = replace(PORTAL, url="http://192.0.2.10:8080", radius_host="radius.bontang.example", garden=())


def nas_of(family: Family, name: str = "https") -> Nas:
    chilli = "10.1.0.1:3990" if name == "https" else "10.8.3.1"
    addresses = {Family.COOVACHILLI: chilli, Family.OPENNDS: "10.99.10.1:2050"}
    return make_nas(name="gusung-1", family=family, login_address=addresses.get(family, "10.5.50.1"))


CASES = [(family, name, portal) for family in Family for name, portal in (("https", PORTAL), ("http", HTTP))]


@pytest.mark.parametrize(("family", "name", "portal"), CASES, ids=[f"{family}-{name}" for family, name, _ in CASES])
def test_configuration_is_as_agreed(family: Family, name: str, portal: Portal) -> None:
    folder = GOLDEN / f"{family}-{name}"
    files = config(nas_of(family, name), SECRETS, portal)
    assert set(files) == {path.name for path in folder.iterdir()}
    for file, text in files.items():
        assert text == (folder / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("family", list(Family))
def test_every_configuration_ends_its_lines_and_names_the_nas_or_its_secret(family: Family) -> None:
    for text in config(nas_of(family), SECRETS, PORTAL).values():
        assert text.endswith("\n")
        assert "@{" not in text
        assert "@@" not in text


# A3.10
@pytest.mark.parametrize("family", list(Family))
def test_router_that_is_not_allowed_mac_logins_is_not_told_how(family: Family) -> None:
    said = "".join(config(replace(nas_of(family), mac_login=False), SECRETS, PORTAL).values())
    assert "macauth\n" not in said
    assert "macreauth" not in said
    assert "login-by=mac" not in said
    assert "mac_auth='1'" not in said
    assert "= the phone's MAC" not in said


# A3.10
@pytest.mark.parametrize(
    "family", [family for family in Family if "radius.txt" in config(nas_of(family), SECRETS, PORTAL)]
)
def test_mac_secret_is_told_where_the_router_can_be_told_it(family: Family) -> None:
    exact = nas_of(family)
    wide = replace(exact, address=ip_network("10.9.0.0/24"))
    assert (SECRETS.mac in config(exact, SECRETS, PORTAL)["radius.txt"]) is (family not in MAC_IS_PASSWORD)
    assert SECRETS.mac in config(wide, SECRETS, PORTAL)["radius.txt"]


@pytest.mark.parametrize("portal", [PORTAL, HTTP], ids=["https", "http"])
def test_walled_gardens_name_exact_hosts(portal: Portal) -> None:
    for family in Family:
        for file, text in config(nas_of(family), SECRETS, portal).items():
            garden = [line for line in text.splitlines() if "garden" in line or "uamallowed" in line]
            assert not [line for line in garden if "*" in line], (family, file)


@pytest.mark.parametrize("login_address", [None, "hotspot.example.id:3990", "[fd00::1]:3990"])
def test_chilli_without_an_ipv4_address_of_its_own_has_the_usual_network(login_address: str | None) -> None:
    nas = replace(nas_of(Family.COOVACHILLI), login_address=login_address)
    lines = config(nas, SECRETS, PORTAL)["chilli.conf"].splitlines()
    assert {line.split()[0]: line.split()[1] for line in lines if line.startswith(("net ", "uamlisten", "dns1"))} == {
        "net": "10.1.0.0/24",
        "uamlisten": "10.1.0.1",
        "dns1": "10.1.0.1",
    }


def test_names_and_secrets_cannot_leave_their_quotes() -> None:
    evil = "a\"b\\c$d'e?f"
    nas = replace(nas_of(Family.MIKROTIK), name=evil, identifier=evil)
    script = config(nas, replace(SECRETS, radius=evil, mac=evil), PORTAL)["pesisir.rsc"]
    assert f"/system identity set name={routeros(evil)}" in script
    assert f"secret={routeros(evil)} " in script
    uci = config(replace(nas, family=Family.OPENNDS), replace(SECRETS, portal=evil), HTTP)["openwrt-opennds9.uci"]
    assert f".faskey={shell(evil)}\n" in uci


def test_pages_of_the_hotspot_folder_fit_into_what_a_script_may_write() -> None:
    written = pages(PORTAL.page(nas_of(Family.MIKROTIK)))
    assert {
        "login.html",
        "redirect.html",
        "rlogin.html",
        "alogin.html",
        "status.html",
        "logout.html",
        "error.html",
        "api.json",
    } <= set(written)
    assert max(len(routeros(text)) for text in written.values()) < 4_096


@pytest.mark.parametrize("name", ["dash", "bash", "busybox"])
def test_shell_of_a_router_reads_the_binauth_script(name: str, tmp_path: Path) -> None:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    script = tmp_path / "pesisir-binauth.sh"
    script.write_text(config(nas_of(Family.OPENNDS), SECRETS, HTTP)["pesisir-binauth.sh"], encoding="utf-8")
    command = [program, "sh"] if name == "busybox" else [program]
    subprocess.run([*command, "-n", str(script)], check=True, capture_output=True)


def write() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for family, name, portal in CASES:
        folder = GOLDEN / f"{family}-{name}"
        folder.mkdir(parents=True)
        for file, text in config(nas_of(family, name), SECRETS, portal).items():
            (folder / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
