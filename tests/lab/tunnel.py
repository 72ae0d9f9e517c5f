"""An IKEv2 tunnel between Debian's strongSwan on the phone and on the router, where FreeRADIUS answers for EAP.

FreeRADIUS stands at the server's address and knows Siti; accounting goes to Pesisir at the same address, which knows
nothing of her log-in. ESP is left to whatever the kernel has: only the IKE_SA and its RADIUS side are looked at.
"""

from typing import Final

from tests.lab.conftest import Authority
from tests.lab.freeradius import MAIN
from tests.lab.product import SECRET
from tests.lab.topology import LAN_ADDRESS, PORTAL_NAME, ROUTER_ADDRESS, SERVER_ADDRESS, Topology, wait_for

_AUTH_PORT: Final = 11_812
_DAEMON: Final = """
charon-systemd {{
    load = {plugins}
    plugins {{
        vici {{
            socket = unix://{folder}/vici
        }}
        eap-radius {{
            accounting = yes
            accounting_interval = 60
            nas_identifier = gusung-1
            servers {{
                server {{
                    address = {server}
                    secret = "{secret}"
                    auth_port = {port}
                    acct_port = 1813
                }}
            }}
            dae {{
                enable = yes
                listen = 0.0.0.0
                port = 3799
                secret = "{secret}"
            }}
        }}
    }}
    filelog {{
        charon {{
            path = {folder}/charon.log
            default = 1
            ike = 2
            flush_line = yes
        }}
    }}
}}
"""
_PLUGINS: Final = (
    "random nonce openssl pem pkcs1 x509 pubkey revocation hmac kdf gcm aes sha1 sha2 md5 mgf1 "
    "kernel-netlink socket-default vici updown eap-identity eap-md5 attr"
)
_RESPONDER: Final = """
connections {{
    island {{
        version = 2
        local_addrs = {lan}
        pools = phones
        reauth_time = 0
        local {{
            auth = pubkey
            certs = portal.pem
            id = {name}
        }}
        remote {{
            auth = eap-radius
            eap_id = %any
        }}
        children {{
            net {{
                local_ts = 10.99.20.0/24
            }}
        }}
    }}
}}
pools {{
    phones {{
        addrs = 10.98.0.0/24
    }}
}}
"""
_INITIATOR: Final = """
connections {{
    island {{
        version = 2
        remote_addrs = {lan}
        vips = 0.0.0.0
        local {{
            auth = eap-md5
            eap_id = siti
            id = siti
        }}
        remote {{
            auth = pubkey
            id = {name}
        }}
        children {{
            net {{
                remote_ts = 10.99.20.0/24
            }}
        }}
    }}
}}
secrets {{
    eap-siti {{
        id = siti
        secret = "rahasia-siti"
    }}
}}
"""
_RADIUS: Final = (
    MAIN
    + """client router {{
    ipaddr = {router}
    secret = "{secret}"
}}
modules {{
    eap {{
        default_eap_type = md5
        md5 {{
        }}
    }}
    files {{
        filename = {folder}/people
    }}
}}
server lab {{
    listen {{
        type = auth
        ipaddr = {server}
        port = {port}
    }}
    authorize {{
        files
        eap
    }}
    authenticate {{
        eap
    }}
}}
"""
)


class Tunnel:
    """The gateway on the router and the client on the phone."""

    def __init__(self, topology: Topology, authority: Authority) -> None:
        self.topology = topology
        self._answer_for_eap()
        certificate, key = authority.portal
        for side, connections in (("gateway", _RESPONDER), ("client", _INITIATOR)):
            folder = topology.folder / side
            for name in ("x509", "x509ca", "private"):
                (folder / name).mkdir(parents=True)
            (folder / "x509ca" / "ca.pem").write_bytes(authority.certificate.read_bytes())
            if side == "gateway":
                (folder / "x509" / "portal.pem").write_bytes(certificate.read_bytes())
                (folder / "private" / "portal.key").write_bytes(key.read_bytes())
            text = connections.format(lan=LAN_ADDRESS, name=PORTAL_NAME)
            (folder / "swanctl.conf").write_text(text, encoding="ascii")
            self._start(side)

    def rise(self) -> None:
        """Let the phone set the tunnel up, as far as its IKE_SA."""
        self._control("client", "--initiate", "--ike", "island", check=False)
        wait_for("the IKE_SA", self.up, log=self.topology.folder / "gateway" / "charon.log")

    def up(self) -> bool:
        """Tell whether the gateway has an established IKE_SA."""
        return "ESTABLISHED" in self.state()

    def state(self) -> str:
        """Return what the gateway says of its tunnels."""
        return self._control("gateway", "--list-sas")

    def said(self, side: str) -> str:
        """Return what the gateway or the client has logged."""
        return (self.topology.folder / side / "charon.log").read_text(errors="replace")

    def _answer_for_eap(self) -> None:
        folder = self.topology.folder / "eap"
        folder.mkdir()
        (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n", encoding="ascii")
        (folder / "people").write_text(
            'siti Cleartext-Password := "rahasia-siti"\n\tSession-Timeout = 7200\n', encoding="ascii"
        )
        text = _RADIUS.format(
            proxies="no", folder=folder, router=ROUTER_ADDRESS, server=SERVER_ADDRESS, secret=SECRET, port=_AUTH_PORT
        )
        (folder / "radiusd.conf").write_text(text, encoding="ascii")
        self.topology.start(
            self.topology.server, "freeradius", "-f", "-x", "-x", "-l", "stdout", "-d", str(folder), name="eap"
        )
        log = self.topology.folder / "eap.log"
        wait_for("FreeRADIUS", lambda: "Ready to process requests" in log.read_text(errors="replace"), log=log)

    def _start(self, side: str) -> None:
        folder = self.topology.folder / side
        plugins = _PLUGINS + " eap-radius" if side == "gateway" else _PLUGINS
        text = _DAEMON.format(plugins=plugins, folder=folder, server=SERVER_ADDRESS, secret=SECRET, port=_AUTH_PORT)
        (folder / "strongswan.conf").write_text(text, encoding="ascii")
        namespace = self.topology.router if side == "gateway" else self.topology.phone
        environment = {"STRONGSWAN_CONF": str(folder / "strongswan.conf")}
        self.topology.start(namespace, "charon-systemd", name=side, environment=environment)
        log = self.topology.folder / f"{side}.log"
        wait_for(f"charon of the {side}", (folder / "vici").exists, log=log)
        self._control(side, "--load-all", "--noprompt")

    def _control(self, side: str, *arguments: str, check: bool = True) -> str:
        folder = self.topology.folder / side
        namespace = self.topology.router if side == "gateway" else self.topology.phone
        command = ["env", f"SWANCTL_DIR={folder}", "swanctl", *arguments, "--uri", f"unix://{folder}/vici"]
        if check:
            return self.topology.run(namespace, *command)
        return self.topology.attempt(namespace, *command).stdout
