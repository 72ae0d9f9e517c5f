"""A line with its head, between the internet and the islands; every host of an island is an address of its own.

islands 10.9.x.y -- 10.9.0.1 lan0 [head] wan0 10.99.30.1 -- 203.0.113.10 [internet]
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from tests.lab.topology import HERE, INTERNET_ADDRESS, Namespaces, ip, wait_for
from tests.lab.traffic import WARM_UP

LAN: Final = "lan0"
INTERNET_ADDRESS_6: Final = "2001:db8:ffff::10"
_SERVERS: Final = f"{INTERNET_ADDRESS},{INTERNET_ADDRESS_6}"
_TRAFFIC: Final = str(HERE / "traffic.py")


@dataclass(frozen=True, slots=True)
class Carried:
    """What hosts got or gave in so many seconds, how long each page took, and what classes sent on the wire meanwhile.

    A receiver holds back what came out of order, so payload in a window is true to some 100 kB; the wire is exact.
    """

    seconds: float
    octets: Mapping[str, int]
    pages: Mapping[str, Sequence[float]]
    wire_bps: Mapping[str, float]

    def bps(self, *hosts: str) -> float:
        """Return the rate of some hosts together."""
        return sum(self.octets.get(host, 0) for host in hosts) * 8 / self.seconds

    def fairness(self, *hosts: str) -> float:
        """Return Jain's index over some hosts: 1 if all got the same, 1/n if one got everything."""
        rates = [self.bps(host) for host in hosts]
        return sum(rates) ** 2 / (len(rates) * sum(rate * rate for rate in rates))


class Line(Namespaces):
    """The namespaces; `hosts` are the addresses on the islands, of both kinds (IPv4 and IPv6)."""

    def __init__(self, folder: Path, hosts: Sequence[str]) -> None:
        super().__init__(folder)
        self.head, self.internet, self.islands = (f"{self.prefix}-{name}" for name in ("head", "internet", "islands"))
        self._hosts = hosts

    def queues(
        self, script: str, verb: str, *, shell: Sequence[str] = ("sh",), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of queues on the head, whatever comes of it."""
        file = self.folder / "pesisir-queues"
        file.write_text(script, encoding="utf-8")
        values = {"STATE": str(self.folder / "state"), **environment}
        settings = [f"{name}={value}" for name, value in values.items()]
        return self.attempt(self.head, "env", *settings, *shell, str(file), verb, timeout=300)

    def carry(self, seconds: float, wishes: Mapping[str, str], *watched: str, device: str = LAN) -> Carried:
        """Let hosts do something all at once: `down`, `up`, `page`, `down*4`; return what came of it.

        `watched` are classes of the head whose rate on the wire is wanted.
        """
        words = [f"{host}={kind}" for host, kind in wishes.items()]
        command = (
            "ip",
            "netns",
            "exec",
            self.islands,
            sys.executable,
            _TRAFFIC,
            "load",
            _SERVERS,
            str(seconds),
        )
        with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True) as loading:
            wire: dict[str, float] = {}
            if watched:
                sleep(WARM_UP + 0.5)
                before = {number: (monotonic(), self.sent(number, device)) for number in watched}
                sleep(seconds - 2)
                for number, (at, octets) in before.items():
                    wire[number] = (self.sent(number, device) - octets) * 8 / (monotonic() - at)
            said, _ = loading.communicate(timeout=seconds + 60)
        found = json.loads(said)
        return Carried(seconds, found["octets"], found["pages"], wire)

    def sent(self, number: str, device: str = LAN) -> int:
        """Return the octets that a class of the head has sent."""
        shown = self.tc("-s", "class", "show", "dev", device, "classid", f"9e5:{number}")
        return int(shown.split(" Sent ")[1].split()[0])

    def tc(self, *words: str) -> str:
        """Run tc on the head."""
        return self.run(self.head, "tc", *words)

    def _make(self) -> None:
        self._add(self.head, self.internet, self.islands)
        for link, peer, addresses, far in (
            ("wan0", self.internet, ("10.99.30.1/24", "2001:db8:30::1/64"), ("10.99.30.2/24", "2001:db8:30::2/64")),
            (LAN, self.islands, ("10.9.0.1/16", "2001:db8:1::1/64"), ()),
        ):
            ip("-n", self.head, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", peer)
            for address in addresses:
                ip("-n", self.head, "addr", "add", address, "dev", link, *_at_once(address))
            ip("-n", self.head, "link", "set", link, "up")
            ip("-n", peer, "link", "set", "eth0", "up")
            for address in far:
                ip("-n", peer, "addr", "add", address, "dev", "eth0", *_at_once(address))
        for host in self._hosts:
            address = f"{host}/64" if ":" in host else f"{host}/16"
            ip("-n", self.islands, "addr", "add", address, "dev", "eth0", *_at_once(address))
        for namespace, gateways in (
            (self.head, ("10.99.30.2", "2001:db8:30::2")),
            (self.internet, ("10.99.30.1", "2001:db8:30::1")),
            (self.islands, ("10.9.0.1", "2001:db8:1::1")),
        ):
            for gateway in gateways:
                ip("-n", namespace, "route", "add", "default", "via", gateway)
        ip("-n", self.internet, "addr", "add", f"{INTERNET_ADDRESS}/32", "dev", "lo")
        ip("-n", self.internet, "addr", "add", f"{INTERNET_ADDRESS_6}/128", "dev", "lo")
        self.run(self.head, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        links = ((self.head, LAN), (self.head, "wan0"), (self.internet, "eth0"), (self.islands, "eth0"))
        self._without_offloads(*links)
        self.start(self.internet, sys.executable, _TRAFFIC, "serve", name="internet")
        log = self.folder / "internet.log"
        wait_for("the internet", lambda: "ready" in log.read_text(), log=log)


def _at_once(address: str) -> tuple[str, ...]:
    """Let an IPv6 address be used without first looking whether somebody else has it."""
    return ("nodad",) if ":" in address else ()
