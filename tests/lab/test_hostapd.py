"""Live changes at Debian's hostapd 2.10, with real 802.1X on a wire: what it takes, what it refuses, what it says first.

It demands Event-Timestamp and Message-Authenticator of whoever asks.
"""

from time import time

import pytest

from tests.lab.asking import Identity, asked
from tests.lab.conftest import Authority, demand
from tests.lab.live import Live
from tests.lab.product import SECRET, Product
from tests.lab.topology import ROUTER_ADDRESS, Topology, wait_for
from tests.lab.wired import NAS_IDENTIFIER, Wired

pytestmark = pytest.mark.lab


class Office:
    """Siti is online by wire."""

    def __init__(self, topology: Topology, authority: Authority) -> None:
        self.topology = topology
        self.product = Product(topology)
        self.product.set_up("hostapd", f"{ROUTER_ADDRESS}/32")
        self.product.run("user", "add", "siti", "--password-file", "-", given="rahasia-siti\n")
        self.product.serve()
        self.live = Live(self.product)
        self.wired = Wired(topology, authority)
        self.wired.plug_in("siti", "rahasia-siti")

    def ask(
        self,
        identity: Identity,
        *,
        changes: Identity | None = None,
        secret: str = SECRET,
        sign: bool = True,
    ) -> tuple[str, int | None]:
        """Ask hostapd from the server's address."""
        return asked(self.topology, ROUTER_ADDRESS, secret, identity, changes=changes, sign=sign)


@pytest.fixture
def office(request: pytest.FixtureRequest, topology: Topology, authority: Authority) -> Office:
    demand(request, "hostapd", "wpa_supplicant", "freeradius")
    return Office(topology, authority)


@pytest.mark.alone
def test_suspended_person_is_off_the_wire_within_two_seconds(office: Office) -> None:
    session = office.live.wait_for_session()
    assert (session["user"], session["nas"]) == ("siti", "gusung-1")
    office.product.run("user", "suspend", "siti")
    wait_for("hostapd to end it", lambda: "AP-STA-DISCONNECTED" in office.wired.said("hostapd"), seconds=2)
    # The Stop leaves before the ACK, so the session's end may have finished the change first.
    change = office.live.wait_for_change("done", {"acknowledged", "ended"})
    assert change["reason"] == "suspended"
    office.live.wait_for_session("closed")


def test_session_that_hostapd_has_forgotten_is_closed_here_and_a_rate_it_cannot_limit_is_said(office: Office) -> None:
    session = office.live.wait_for_session()
    office.product.run("session", "change", str(session["id"]), "--down", "512k", "--reason", "rapat")
    office.live.wait_for_change("failed", {"unsupported"})
    office.wired.forget()
    office.product.run("session", "disconnect", str(session["id"]), "--reason", "salah perangkat")
    assert office.live.wait_for_change("done", {"no_session"})["way"] == "disconnect"
    office.live.wait_for_session("closed")


def test_what_hostapd_takes_is_what_its_profile_says(office: Office) -> None:
    session = office.live.wait_for_session()
    stamp: Identity = {"Event-Timestamp": int(time())}
    known = stamp | {"Acct-Session-Id": str(session["acct_session_id"])}
    named = known | {"NAS-IP-Address": ROUTER_ADDRESS, "NAS-Identifier": NAS_IDENTIFIER}
    ask = office.ask
    assert ask(stamp | {"Acct-Session-Id": "0000000000000000"}) == ("DISCONNECT_NAK", 503)
    assert ask(known | {"NAS-Identifier": "melahing"}) == ("DISCONNECT_NAK", 403)
    assert ask(known | {"Framed-IP-Address": "10.99.10.50"}) == ("DISCONNECT_NAK", 401)
    assert ask(known, changes={"Session-Timeout": 60}) == ("COA_NAK", 401)
    assert ask(known, secret="another-secret-0001") == ("silence", None)
    assert ask(known, sign=False) == ("silence", None)
    assert ask(named | {"Event-Timestamp": int(time()) - 400}) == ("silence", None)
    assert office.live.session()["state"] == "open"
    assert ask(named) == ("DISCONNECT_ACK", None)
    office.live.wait_for_session("closed")
