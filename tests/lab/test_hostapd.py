"""Disconnect at Debian's hostapd 2.10, with real 802.1X on a wire: what it takes, refuses, and says first."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.lab.conftest import Authority, demand
from tests.lab.product import Product
from tests.lab.topology import ROUTER_ADDRESS, Topology, wait_for
from tests.lab.wired import NAS_IDENTIFIER, Wired

pytestmark = pytest.mark.lab


@dataclass(frozen=True)
class Office:
    product: Product
    wired: Wired

    def session(self) -> dict[str, object]:
        """Return the newest session as it is shown, with its changes."""
        (session, *_older) = self.product.sessions()
        shown: dict[str, object] = json.loads(self.product.run("session", "show", str(session["id"]), "--json"))
        return shown

    def change(self) -> dict[str, object]:
        """Return the newest change."""
        changes: list[dict[str, object]] = json.loads(self.product.run("change", "list", "--state", "all", "--json"))
        return changes[0]

    def wait_for_change(self, state: str, result: str) -> dict[str, object]:
        def reached() -> bool:
            change = self.change()
            return (change["state"], change["result"]) == (state, result)

        wait_for(f"the change to be {state}: {result}", reached, seconds=45)
        return self.change()


@pytest.fixture
def office(request: pytest.FixtureRequest, topology: Topology, authority: Authority) -> Iterator[Office]:
    demand(request, "hostapd", "wpa_supplicant", "freeradius")
    product = Product(topology)
    product.set_up("hostapd", f"{ROUTER_ADDRESS}/32")
    product.run("user", "add", "siti", "--password-file", "-", given="rahasia-siti\n")
    product.serve()
    wired = Wired(topology, authority)
    wired.plug_in("siti", "rahasia-siti")
    wait_for("the session", lambda: len(product.sessions()) == 1, log=topology.folder / "product.log")
    yield Office(product, wired)


def test_session_is_sitis_by_the_name_in_our_accept(office: Office) -> None:
    session = office.session()
    assert (session["user"], session["state"], session["nas"]) == ("siti", "open", "gusung-1")
