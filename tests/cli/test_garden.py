"""`pesisir garden`: one list for the portal and for the routers."""

from pathlib import Path

import pytest

from app.domain.nases import Family, WalledGarden
from tests.cli.conftest import Pesisir
from tests.factories import make_nas

ADD = (
    *("garden", "add", "https://layanan.example.go.id", "--name", "Layanan kota", "--agency", "Kota"),
    *("--id", "Surat dan izin.", "--en", "Letters and permits.", "--host", "aset.example.go.id"),
)


def config_of(pesisir: Pesisir, family: Family) -> str:
    address = f"127.0.1.{list(Family).index(family) + 1}"
    pesisir.ok("nas", "add", family.value, "--site", "Gusung", "--family", family.value, "--address", address)
    return "".join(pesisir.ok("nas", "config", family.value, "--anyway", "--json").json.values())


def test_service_is_added_listed_and_removed(pesisir: Pesisir, data_dir: Path) -> None:
    said = pesisir.ok(*ADD).err
    assert f"added layanan.example.go.id in {data_dir}/theme/services.toml" in said
    assert "pesisir nas config" in said
    listed = pesisir.ok("garden", "list", "--json").json
    assert listed[-1] == {
        "name": "Layanan kota",
        "agency": "Kota",
        "url": "https://layanan.example.go.id",
        "hosts": ["layanan.example.go.id", "aset.example.go.id"],
        "about": {"id": "Surat dan izin.", "en": "Letters and permits."},
    }
    assert "layanan.example.go.id aset.example.go.id" in pesisir.ok("garden", "list").out
    pesisir.ok("garden", "remove", "layanan.example.go.id", "--yes")
    assert pesisir.ok("garden", "list", "--json").json == listed[:-1]


def test_what_is_wrong_is_said_and_nothing_is_written(pesisir: Pesisir, data_dir: Path) -> None:
    assert "no wildcards" in pesisir.run(*ADD[:-1], "*.example.go.id").err
    assert "no service at x.example" in pesisir.run("garden", "remove", "x.example", "--yes").err
    assert not (data_dir / "theme").exists()


def test_list_that_cannot_be_written_is_said(pesisir: Pesisir, data_dir: Path) -> None:
    (data_dir / "theme").write_text("no folder", encoding="utf-8")
    failed = pesisir.run(*ADD)
    assert failed.code == 1
    assert "theme/services.toml was not written" in failed.err
    assert (data_dir / "theme").read_text(encoding="utf-8") == "no folder"


@pytest.mark.parametrize("family", list(Family))
def test_hosts_stand_in_every_configuration_that_can_carry_them(pesisir: Pesisir, family: Family) -> None:
    pesisir.ok("site", "add", "Gusung")
    pesisir.ok(*ADD)
    carried = make_nas(family=family).walled_garden is not WalledGarden.NONE
    text = config_of(pesisir, family)
    for host in ("layanan.example.go.id", "aset.example.go.id", "maritim.bmkg.go.id"):
        assert (host in text) is carried


def test_list_that_is_broken_stops_the_configuration_with_the_reason(pesisir: Pesisir, data_dir: Path) -> None:
    pesisir.ok("site", "add", "Gusung")
    pesisir.ok(*ADD)
    (data_dir / "theme/services.toml").write_text("[[services]]\nname = 'a'\n", encoding="utf-8")
    pesisir.ok("nas", "add", "g", "--site", "Gusung", "--family", "mikrotik", "--address", "127.0.1.1")
    failed = pesisir.run("nas", "config", "g", "--anyway")
    assert failed.code == 1
    assert "theme/services.toml is not usable" in failed.err
