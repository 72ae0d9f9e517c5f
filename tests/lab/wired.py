"""802.1X on a wire: Debian's hostapd on the router, its wpa_supplicant on the phone, FreeRADIUS between for EAP.

FreeRADIUS ends the tunnel of EAP-TTLS and asks Pesisir about the password inside, from the router's own address, so
that Accept and accounting are of one NAS; the Accept with our Class and User-Name goes back through the tunnel.
"""

from typing import Final

from tests.flows.serving import free_udp_ports
from tests.lab.conftest import Authority
from tests.lab.freeradius import MAIN
from tests.lab.product import SECRET
from tests.lab.topology import ROUTER_ADDRESS, SERVER_ADDRESS, Topology, wait_for

NAS_IDENTIFIER: Final = "gusung-lan1"
_UP: Final = "AP-ENABLED"
_TUNNEL_SECRET: Final = "between-hostapd-and-freeradius"
_HOSTAPD: Final = f"""
interface=lan1
driver=wired
ieee8021x=1
use_pae_group_addr=1
own_ip_addr={ROUTER_ADDRESS}
nas_identifier={NAS_IDENTIFIER}
auth_server_addr=127.0.0.1
auth_server_port={{port}}
auth_server_shared_secret={_TUNNEL_SECRET}
acct_server_addr={SERVER_ADDRESS}
acct_server_port=1813
acct_server_shared_secret={SECRET}
radius_acct_interim_interval=60
radius_das_port=3799
radius_das_client={SERVER_ADDRESS} {SECRET}
radius_das_time_window=300
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
"""
_SUPPLICANT: Final = """
ap_scan=0
network={{
    key_mgmt=IEEE8021X
    eap=TTLS
    eapol_flags=0
    anonymous_identity="anonymous"
    identity="{user}"
    password="{password}"
    phase2="auth=PAP"
}}
"""
_RADIUS: Final = (
    MAIN
    + """home_server pesisir {{
    type = auth
    ipaddr = {server}
    port = 1812
    secret = "{secret}"
    status_check = none
}}
home_server_pool pesisir {{
    home_server = pesisir
}}
realm pesisir {{
    auth_pool = pesisir
    nostrip
}}
client hostapd {{
    ipaddr = 127.0.0.1
    secret = "{tunnel_secret}"
}}
modules {{
    eap {{
        default_eap_type = ttls
        tls-config common {{
            private_key_file = {key}
            certificate_file = {certificate}
            ca_file = {certificate}
            tls_min_version = "1.2"
            tls_max_version = "1.2"
        }}
        ttls {{
            tls = common
            default_eap_type = md5
            copy_request_to_tunnel = yes
            use_tunneled_reply = yes
            virtual_server = inside
        }}
    }}
    pap {{
    }}
}}
server outside {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        eap
    }}
    authenticate {{
        eap
    }}
    post-proxy {{
        eap
    }}
}}
server inside {{
    authorize {{
        update control {{
            &Proxy-To-Realm := "pesisir"
        }}
    }}
    pre-proxy {{
        update proxy-request {{
            &Message-Authenticator := 0x00
        }}
    }}
}}
"""
)


class Wired:
    """The router's port, and what is plugged in."""

    def __init__(self, topology: Topology, authority: Authority) -> None:
        self._topology = topology
        (port,) = free_udp_ports(1)
        folder = topology.folder / "eap"
        folder.mkdir()
        certificate, key = authority.portal
        (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n", encoding="ascii")
        (folder / "radiusd.conf").write_text(
            _RADIUS.format(proxies="yes",
                folder=folder, server=SERVER_ADDRESS, secret=SECRET, tunnel_secret=_TUNNEL_SECRET, port=port,
                key=key, certificate=certificate,
            ),
            encoding="ascii",
        )  # fmt: skip
        topology.start(topology.router, "freeradius", "-f", "-x", "-x", "-l", "stdout", "-d", str(folder), name="eap")
        self._wait("FreeRADIUS", "eap", "Ready to process requests")
        (topology.folder / "hostapd.conf").write_text(_HOSTAPD.format(port=port), encoding="ascii")
        self._start()

    def forget(self) -> None:
        """Let hostapd die without a word and start again without accounting: it knows of no session, and says nothing."""
        self._hostapd.kill()
        self._hostapd.wait()
        path = self._topology.folder / "hostapd.conf"
        lines = path.read_text(encoding="ascii").splitlines()
        path.write_text("\n".join(line for line in lines if not line.startswith("acct_")) + "\n", encoding="ascii")
        self._start()

    def _start(self) -> None:
        before = self.said("hostapd").count(_UP) if (self._topology.folder / "hostapd.log").exists() else 0
        self._hostapd = self._topology.start(
            self._topology.router, "hostapd", str(self._topology.folder / "hostapd.conf"), name="hostapd"
        )
        log = self._topology.folder / "hostapd.log"
        wait_for("hostapd", lambda: self.said("hostapd").count(_UP) > before, log=log)

    def plug_in(self, user: str, password: str) -> None:
        """Let the phone authenticate and wait until it is let in."""
        path = self._topology.folder / "supplicant.conf"
        path.write_text(_SUPPLICANT.format(user=user, password=password), encoding="ascii")
        self._topology.start(
            self._topology.phone, "wpa_supplicant", "-D", "wired", "-i", "eth0", "-c", str(path), name="supplicant"
        )
        self._wait("the supplicant", "supplicant", "CTRL-EVENT-EAP-SUCCESS")

    def said(self, name: str) -> str:
        """Return what one of the programs has said."""
        return (self._topology.folder / f"{name}.log").read_text(errors="replace")

    def _wait(self, what: str, name: str, words: str) -> None:
        wait_for(what, lambda: words in self.said(name), log=self._topology.folder / f"{name}.log")
