"""`pesisir nas families`, and where lists say that a family was never tried."""

import pytest

from app.domain.nases import Family
from tests.cli.conftest import Pesisir


def test_families_are_a_table_of_all(pesisir: Pesisir) -> None:
    lines = pesisir.ok("nas", "families").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [family.value for family in Family]


def test_a_family_says_in_words_what_it_can_be_told(pesisir: Pesisir) -> None:
    shown = dict(line.split("  ", 1) for line in pesisir.ok("nas", "families", "uspot").out.splitlines())
    said = {name: value.strip() for name, value in shown.items()}
    assert (
        said.items()
        >= {
            "tried on": "experimental",
            "rate": "to the bit/s",
            "rate by": "WISPr-Bandwidth-Max-Down, WISPr-Bandwidth-Max-Up",
            "data": "to the octet, 4 GiB at a time",
            "data by": "ChilliSpot-Max-Total-Octets",
            "coa": "allow-list",
            "coa amounts count": "since the session began",
            "coa signed": "no",
            "coa port": "3799",
            "accounting counts": "not known",
            "accounting input is": "what the user sent",
        }.items()
    )


def test_a_family_for_scripts_has_every_value(pesisir: Pesisir) -> None:
    assert pesisir.ok("nas", "families", "accel-ppp", "--json").json == {
        "family": "accel-ppp",
        "experimental": True,
        "tried": None,
        "rate": {"names": ["Filter-Id"], "unit": "kbit/s", "largest": 4_294_967},
        "octets": None,
        "timers": ["Session-Timeout", "Idle-Timeout", "Acct-Interim-Interval"],
        "filter": None,
        "filter_by_script": False,
        "shortest_interim_seconds": 60,
        "coa": {
            "kind": "allow-list",
            "attributes": ["Session-Timeout", "Filter-Id"],
            "base": "now",
            "identity": ["Acct-Session-Id", "User-Name", "Framed-IP-Address", "Calling-Station-Id"],
            "needed": [],
            "signed": True,
            "disconnect": True,
            "port": 3799,
        },
        "accounting": {"gigawords": None, "direction": "rfc"},
    }


def test_all_families_for_scripts_are_a_list(pesisir: Pesisir) -> None:
    found = pesisir.ok("nas", "families", "--json").json
    assert [one["family"] for one in found] == [family.value for family in Family]


@pytest.mark.parametrize(("family", "experimental"), [("pfsense", True), ("coovachilli", False)])
def test_a_nas_of_an_untried_family_says_so(city: Pesisir, family: str, experimental: bool) -> None:
    city.ok("nas", "add", "r2", "--address", "10.0.0.2", "--family", family, "--site", "Gusung")
    assert (f"{family} (experimental)" in city.ok("nas", "list").out) is experimental
    assert city.ok("nas", "show", "r2", "--json").json["experimental"] is experimental
