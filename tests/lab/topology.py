"""Network namespaces that stand for an island: phone, router, the server and the internet.

    phone 10.99.10.x -- br-lan 10.99.10.1 [router] 10.99.20.1 -- 10.99.20.2 [server] portal.lab
                                              `-- 10.99.30.1 -- [internet] 203.0.113.10, which answers for every name
                                                                  but layanan.lab, a public service: 203.0.113.11

Nothing is connected with the machine's own network, so the addresses are the same in every run; the names are not.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Final, Self

HERE: Final = Path(__file__).parent
LAN_ADDRESS: Final = "10.99.10.1"
ROUTER_ADDRESS: Final = "10.99.20.1"
SERVER_ADDRESS: Final = "10.99.20.2"
INTERNET_ADDRESS: Final = "203.0.113.10"
SERVICE_ADDRESS: Final = "203.0.113.11"
PORTAL_NAME: Final = "portal.lab"
SERVICE_NAME: Final = "layanan.lab"
PHONE_MAC: Final = "02:aa:00:00:00:01"
_UPSTREAM: Final = "10.99.30.2"
_PREFIX: Final = "pesisir"
_NUMBERS: Final = count(1)


class LabError(Exception):
    """Something of the lab did not come up; carries what it said."""


def wait_for(what: str, condition: Callable[[], bool], *, seconds: float = 30, log: Path | None = None) -> None:
    """Return once `condition` holds; raise LabError with the end of a log if it does not in time."""
    ends_at = monotonic() + seconds
    while not condition():
        if monotonic() > ends_at:
            tail = log.read_text(errors="replace")[-3_000:] if log is not None and log.exists() else ""
            raise LabError(f"{what}: not within {seconds:g} s\n{tail}")
        sleep(0.1)


class Namespaces:
    """Some namespaces, and the processes in them; leaving the context ends and removes all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = f"{_PREFIX}{os.getpid()}-{next(_NUMBERS)}"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self, namespace: str, *command: str, timeout: float = 60) -> str:
        """Run a command in a namespace; return what it prints, raise LabError if it fails."""
        result = self.attempt(namespace, *command, timeout=timeout)
        if result.returncode != 0:
            raise LabError(f"{' '.join(command)}: {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def attempt(
        self, namespace: str, *command: str, timeout: float = 60, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a namespace, whatever comes of it."""
        return subprocess.run(
            ["ip", "netns", "exec", namespace, *command],
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(
        self,
        namespace: str,
        *command: str,
        name: str,
        environment: Mapping[str, str] | None = None,
        ending: signal.Signals = signal.SIGTERM,
    ) -> subprocess.Popen[bytes]:
        """Start a process in a namespace, with its output in `<name>.log`; it ends with the topology, by `ending`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self._stack.callback(stop, process, ending)
        return process

    def resolve_with(self, namespace: str, address: str) -> None:
        """Give a namespace its resolver (`ip netns exec` lays the file over /etc/resolv.conf)."""
        folder = Path("/etc/netns") / namespace
        folder.mkdir(parents=True, exist_ok=True)
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "resolv.conf").write_text(f"nameserver {address}\n", encoding="ascii")

    def _make(self) -> None:
        """Make the namespaces and what is in them."""
        raise NotImplementedError

    def _add(self, *names: str) -> None:
        """Add namespaces; they go with the context."""
        _sweep()
        for name in names:
            ip("netns", "add", name)
            self._stack.callback(_remove, name)
            ip("-n", name, "link", "set", "lo", "up")

    def _without_offloads(self, *links: tuple[str, str]) -> None:
        """Let links carry packets as a wire does: 64 kB frames with unfinished checksums confuse whoever counts."""
        for namespace, link in links:
            self.attempt(namespace, "ethtool", "-K", link, "tx", "off", "tso", "off", "gso", "off", "gro", "off")


class Topology(Namespaces):
    """An island: phone, router, server, internet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.router, self.server = f"{self.prefix}-router", f"{self.prefix}-server"
        self.internet, self.phone = f"{self.prefix}-internet", f"{self.prefix}-phone"

    @property
    def leases(self) -> Path:
        """Return dnsmasq's file of leases, which openNDS reads."""
        return self.folder / "leases"

    @property
    def garden(self) -> Path:
        """Return the part of dnsmasq's configuration that openNDS writes: its walled garden."""
        return self.folder / "dnsmasq-garden.conf"

    def restart_names(self) -> None:
        """Restart dnsmasq, as openNDS asks systemd to do once it has written the walled garden."""
        stop(self._names)
        self._serve_names()

    def _make(self) -> None:
        self._add(self.router, self.server, self.internet, self.phone)
        self._connect()
        self.run(self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.netfilter.nf_conntrack_acct=1")
        self.run(self.router, "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "wan0", "-j", "MASQUERADE")
        self.resolve_with(self.phone, LAN_ADDRESS)
        for name in (self.router, self.server):
            self.resolve_with(name, ROUTER_ADDRESS)
        for address in (INTERNET_ADDRESS, SERVICE_ADDRESS):
            self.start(self.internet, sys.executable, str(HERE / "internet.py"), address, name="internet")
        self.start(
            self.internet, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--bind-interfaces", "--except-interface=lo", "--user=root", f"--listen-address={_UPSTREAM}",
            f"--address=/{SERVICE_NAME}/{SERVICE_ADDRESS}", f"--pid-file={self.folder / 'upstream.pid'}",
            name="upstream",
        )  # fmt: skip
        self._serve_names()
        wait_for("the internet", self._internet_answers, log=self.folder / "internet.log")
        self._lease()

    def _internet_answers(self) -> bool:
        return "online" in self.attempt(self.router, "curl", "-s", "-m", "2", f"http://{INTERNET_ADDRESS}/").stdout

    def _connect(self) -> None:
        router = self.router
        for link, peer, near, far in (
            ("srv0", self.server, ROUTER_ADDRESS, SERVER_ADDRESS),
            ("wan0", self.internet, "10.99.30.1", _UPSTREAM),
        ):
            ip("-n", router, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", peer)
            ip("-n", router, "addr", "add", f"{near}/24", "dev", link)
            ip("-n", router, "link", "set", link, "up")
            ip("-n", peer, "addr", "add", f"{far}/24", "dev", "eth0")
            ip("-n", peer, "link", "set", "eth0", "up")
            ip("-n", peer, "route", "add", "default", "via", near)
        ip("-n", router, "route", "add", "default", "via", _UPSTREAM)
        for address in (INTERNET_ADDRESS, SERVICE_ADDRESS):
            ip("-n", self.internet, "addr", "add", f"{address}/32", "dev", "lo")
        ip("-n", router, "link", "add", "br-lan", "type", "bridge")
        ip("-n", router, "link", "set", "br-lan", "address", "02:10:99:00:00:01", "up")
        ip("-n", router, "addr", "add", f"{LAN_ADDRESS}/24", "dev", "br-lan")
        ip("-n", router, "link", "add", "lan1", "type", "veth", "peer", "name", "eth0", "netns", self.phone)
        ip("-n", router, "link", "set", "lan1", "master", "br-lan", "up")
        ip("-n", self.phone, "link", "set", "eth0", "address", PHONE_MAC, "up")
        self._without_offloads((router, "lan1"), (router, "wan0"), (router, "srv0"), (self.phone, "eth0"))

    def _serve_names(self) -> None:
        lines = (
            "no-resolv", "no-hosts", "no-ping", "bind-interfaces", "except-interface=lo", "user=root",
            "interface=srv0", "interface=br-lan", f"address=/#/{INTERNET_ADDRESS}",
            f"server=/{SERVICE_NAME}/{_UPSTREAM}", f"conf-file={self.garden}",
            f"address=/{PORTAL_NAME}/{SERVER_ADDRESS}", f"address=/status.client/{LAN_ADDRESS}",
            "dhcp-range=10.99.10.50,10.99.10.200,255.255.255.0,1h", f"dhcp-option=option:router,{LAN_ADDRESS}",
            f"dhcp-option=option:dns-server,{LAN_ADDRESS}", f"dhcp-leasefile={self.leases}",
            f"pid-file={self.folder / 'dnsmasq.pid'}",
        )  # fmt: skip
        config = self.folder / "dnsmasq.conf"
        config.write_text("\n".join(lines) + "\n", encoding="ascii")
        self.garden.touch()
        self._names = self.start(
            self.router, "dnsmasq", "--keep-in-foreground", f"--conf-file={config}", name="dnsmasq"
        )

    def _lease(self) -> None:
        """Get the phone its address by DHCP."""
        script = self.folder / "udhcpc.sh"
        script.write_text(
            "#!/bin/sh\n"
            'case "$1" in bound|renew) ip addr flush dev "$interface"; ip addr add "$ip/24" dev "$interface"\n'
            'ip route replace default via "$router" dev "$interface" ;; esac\n',
            encoding="ascii",
        )
        script.chmod(0o755)
        self.run(self.phone, "udhcpc", "-q", "-n", "-t", "5", "-T", "1", "-i", "eth0", "-s", str(script))


def stop(process: subprocess.Popen[bytes], ending: signal.Signals = signal.SIGTERM) -> None:
    """End a process that we started: first kindly."""
    if process.poll() is None:
        process.send_signal(ending)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def missing_programs(programs: Sequence[str]) -> Sequence[str]:
    """Return which of the programs are not installed."""
    return [program for program in programs if shutil.which(program) is None]


def _remove(namespace: str) -> None:
    """End what still runs in a namespace of ours, and remove it."""
    found = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
    for pid in found.stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
    subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _sweep() -> None:
    """Remove what runs left behind that were killed themselves: their process is gone."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        name = line.partition(" ")[0]
        pid = name.removeprefix(_PREFIX).partition("-")[0]
        if name.startswith(_PREFIX) and pid.isdigit() and not Path(f"/proc/{pid}").exists():
            _remove(name)
            shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)


def ip(*arguments: str) -> None:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"ip {' '.join(arguments)}: {result.stderr}")
