"""Debian's openNDS 9.10 on the router of a topology, with the configuration that `pesisir nas config` prints."""

import os
import signal
import subprocess
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Final

from tests.lab.topology import SERVER_ADDRESS, LabError, Topology, wait_for

_ATTEMPTS: Final = 3
_START: Final = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/tmpfiles.d /run/misc
cp /etc/hosts /run/hosts && mount --bind /run/hosts /etc/hosts
mount --bind {folder}/opennds.conf /etc/opennds/opennds.conf
mount --bind {folder}/libopennds.sh /usr/lib/opennds/libopennds.sh
mount --bind {folder}/dnsconfig.sh /usr/lib/opennds/dnsconfig.sh
mount --bind {folder}/scripts /mnt
mount --bind /run/misc /var/lib/misc
touch /run/misc/dnsmasq.leases && mount --bind {leases} /var/lib/misc/dnsmasq.leases
exec /usr/bin/opennds -f -d 1
"""


class OpenNds:
    """The router, in mount and process namespaces of its own: it rewrites /etc/hosts and kills every authmon it sees."""

    def __init__(self, topology: Topology, files: Mapping[str, str], *, level: int, authority: Path | None) -> None:
        self._topology = topology
        self._log = topology.folder / "opennds.log"
        self._write(files, level)
        self._free_base_chains()
        trusted = {} if authority is None else {"SSL_CERT_FILE": str(authority), "CURL_CA_BUNDLE": str(authority)}
        self._environment = {**os.environ, **trusted}
        for attempt in count(1):
            self._unshare = topology.start(
                topology.router, "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c",
                _START.format(folder=topology.folder, leases=topology.leases), name="opennds", environment=trusted,
                ending=signal.SIGKILL,  # `unshare` hears nothing else while its child runs, and takes it along
            )  # fmt: skip
            try:
                wait_for("openNDS", lambda: "Version" in self.control("status"), log=self._log)
            except LabError:
                # now and then it ends at once: "Unable to get routing configuration"
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def control(self, *arguments: str) -> str:
        """Run ndsctl beside openNDS; "" while it is not there yet."""
        return self._beside("ndsctl", *arguments).stdout

    def report_counters(self) -> None:
        """Run what the router's crontab runs every minute."""
        result = self._beside("sh", "/mnt/pesisir-binauth.sh", "counters")
        assert result.returncode == 0, result.stderr

    def send_report(self, report: str) -> None:
        """Send a report by openNDS's own library, as its own BinAuth script does at level 3."""
        self._beside("/usr/lib/opennds/libopennds.sh", "send_to_fas_deauthed", report)

    def _beside(self, *command: str) -> subprocess.CompletedProcess[str]:
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children")
        if self._unshare.poll() is not None or not children.exists():
            raise LabError("openNDS is not running\n" + self._log.read_text(errors="replace")[-3_000:])
        child = children.read_text(encoding="ascii").split()
        if not child:
            return subprocess.CompletedProcess(command, 1, "", "not started yet")
        enter = ["nsenter", "-t", child[0], "-m", "-n", "-p", *command]
        return subprocess.run(enter, capture_output=True, text=True, timeout=30, check=False, env=self._environment)

    def _write(self, files: Mapping[str, str], level: int) -> None:
        """Write the printed files, changed only in the level, the place of the script and the portal's address."""
        folder = self._topology.folder
        (folder / "scripts").mkdir()
        script = folder / "scripts" / "pesisir-binauth.sh"
        script.write_text(files["pesisir-binauth.sh"], encoding="utf-8")
        script.chmod(0o700)
        changed = {
            "fas_secure_enabled": str(level),
            "binauth": "/mnt/pesisir-binauth.sh",
            "fasremoteip": SERVER_ADDRESS,
        }
        lines = (line.split(" ", 1) for line in files["opennds.conf"].splitlines())
        text = "\n".join(f"{word[0]} {changed[word[0]]}" if word[0] in changed else " ".join(word) for word in lines)
        (folder / "opennds.conf").write_text(text + "\n", encoding="utf-8")
        self._write_library(folder / "libopennds.sh")
        self._write_dnsconfig(folder / "dnsconfig.sh")
        self._topology.leases.touch()

    def _write_library(self, path: Path) -> None:
        """Copy Debian's set-up script without its change of the base chains INPUT and FORWARD.

        It adds them at another priority, with which Debian's own iptables then refuses to work (CHAIN_ADD failed).
        """
        source = Path("/usr/lib/opennds/libopennds.sh").read_text(encoding="utf-8")
        spoils = ("rename chain ip filter", "add chain ip filter INPUT", "add chain ip filter FORWARD")
        lines = (
            line.replace("nft ", ": nft ", 1) if any(f"nft {s}" in line for s in spoils) else line
            for line in source.splitlines()
        )
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o755)

    def _write_dnsconfig(self, path: Path) -> None:
        """Copy Debian's script that changes /etc/dnsmasq.conf: here it changes the file that the lab's dnsmasq reads."""
        source = Path("/usr/lib/opennds/dnsconfig.sh").read_text(encoding="utf-8")
        changed = source.replace('conflocation="/etc/dnsmasq.conf"', f'conflocation="{self._topology.garden}"')
        assert changed != source, "another dnsconfig.sh: it would change this machine's own file"
        path.write_text(changed, encoding="utf-8")
        path.chmod(0o755)

    def _free_base_chains(self) -> None:
        for chain in ("INPUT", "FORWARD"):
            self._topology.attempt(self._topology.router, "nft", "delete", "chain", "ip", "filter", chain)
        self._topology.run(self._topology.router, "iptables", "-t", "filter", "-L", "-n")
