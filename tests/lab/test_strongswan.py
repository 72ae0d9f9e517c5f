"""Live changes at Debian's strongSwan 5.9.8: a real IKE_SA, ended and given another lifetime by RADIUS."""

from time import time

import pytest

from tests.lab.asking import Identity, asked
from tests.lab.conftest import Authority, demand
from tests.lab.live import Live
from tests.lab.product import SECRET, Product
from tests.lab.topology import ROUTER_ADDRESS, Topology, wait_for
from tests.lab.tunnel import Tunnel

pytestmark = pytest.mark.lab


class Gateway:
    """Siti has a tunnel."""

    def __init__(self, topology: Topology, authority: Authority) -> None:
        self.topology = topology
        self.product = Product(topology)
        self.product.set_up("strongswan", f"{ROUTER_ADDRESS}/32")
        self.product.serve()
        self.live = Live(self.product)
        self.tunnel = Tunnel(topology, authority)
        self.tunnel.rise()

    def ask(
        self, identity: Identity, *, changes: Identity | None = None, secret: str = SECRET
    ) -> tuple[str, int | None]:
        """Ask strongSwan from the server's address."""
        return asked(self.topology, ROUTER_ADDRESS, secret, identity, changes=changes)


@pytest.fixture
def gateway(request: pytest.FixtureRequest, topology: Topology, authority: Authority) -> Gateway:
    demand(request, "charon-systemd", "swanctl", "freeradius")
    return Gateway(topology, authority)


@pytest.mark.alone
def test_tunnel_is_ended_by_hand_within_two_seconds(gateway: Gateway) -> None:
    session = gateway.live.wait_for_session()
    gateway.product.run("session", "disconnect", str(session["id"]), "--reason", "salah perangkat")
    wait_for("the tunnel to fall", lambda: not gateway.tunnel.up(), seconds=2)
    change = gateway.live.wait_for_change("done", {"acknowledged", "ended"})
    assert change["note"] == "salah perangkat"
    gateway.live.wait_for_session("closed")


def test_what_strongswan_takes_is_what_its_profile_says(gateway: Gateway) -> None:
    session = gateway.live.wait_for_session()
    user: Identity = {"User-Name": "siti"}
    assert gateway.ask({"Acct-Session-Id": str(session["acct_session_id"])}) == ("DISCONNECT_NAK", None)
    assert gateway.ask({"User-Name": "budi"}) == ("DISCONNECT_NAK", None)
    assert gateway.ask(user, secret="another-secret-0001") == ("silence", None)
    assert gateway.ask(user, changes={"Idle-Timeout": 600}) == ("COA_NAK", None)
    assert gateway.ask(user, changes={"Session-Timeout": 3000}) == ("COA_ACK", None)
    # It counts from the moment of the CoA: what is told to the client is what was sent, and the client's time begins.
    told = "received AUTH_LIFETIME of 3000s"
    wait_for("the client to hear of it", lambda: told in gateway.tunnel.said("client"))
    assert gateway.tunnel.up()
    assert gateway.ask(user | {"Event-Timestamp": int(time())}) == ("DISCONNECT_ACK", None)
    gateway.live.wait_for_session("closed")
