from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import load
from app.domain.nases import Family, NasSecrets
from app.nas.families import portal_family, portal_of
from app.nas.handoff import VisitError
from tests.factories import make_nas, make_site

PAGES = Path(__file__).parents[2] / "docs" / "routers"
SECRETS = NasSecrets(radius="r", portal="p" * 32, mac="m")
NAMES = (
    "mac", "ip", "link-login-only", "link-orig", "chap-id", "chap-challenge", "error", "page", "res", "reason", "uamip",
    "uamport", "challenge", "userurl", "md", "reply", "fas", "iv", "status", "level", "hid", "clientmac",
    "gatewayaddress", "originurl",
)  # fmt: skip
SPLASH = [family for family in Family if portal_family(family) is not None]


@pytest.mark.parametrize("family", list(Family))
def test_every_family_has_a_page(family: Family) -> None:
    assert (PAGES / f"{family}.md").is_file()


@pytest.mark.parametrize("family", SPLASH)
@given(
    query=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), st.text(max_size=80)),
    page=st.sampled_from(["", "http://portal.lab/hotspot/x", "https://portal.lab/hotspot/x"]),
)
def test_any_query_is_read_or_refused(family: Family, query: Mapping[str, str], page: str) -> None:
    read_or_refuse(family, query, urlencode(query), page)


@pytest.mark.parametrize("family", SPLASH)
@given(raw=st.text(max_size=200))
def test_any_raw_query_is_read_or_refused(family: Family, raw: str) -> None:
    read_or_refuse(family, {}, raw, "http://portal.lab/hotspot/x")


def read_or_refuse(family: Family, query: Mapping[str, str], raw: str, page: str) -> None:
    module, nas = portal_family(family), make_nas(family=family)
    assert module is not None
    with suppress(VisitError):
        module.read_visit(query, raw, nas, SECRETS, page=page)
    with suppress(VisitError):
        module.read_state(query, nas, SECRETS)


@pytest.mark.parametrize(
    ("listen", "host"),
    [("0.0.0.0:1812", "portal.example"), ("127.0.0.1:1812", "portal.example"), ("192.0.2.7:1912", "192.0.2.7")],
)
def test_radius_address_that_routers_are_told(listen: str, host: str) -> None:
    settings = load({"PESISIR_PORTAL_URL": "https://portal.example", "PESISIR_RADIUS_AUTH_LISTEN": listen})
    portal = portal_of(settings, make_site())
    assert (portal.radius_host, portal.url) == (host, "https://portal.example")
