"""`pesisir serve` and the command line beside it, as an operator runs them, in the server's namespace."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.lab.topology import HERE, PORTAL_NAME, SERVER_ADDRESS, Topology, stop, wait_for

SECRET = "lab-radius-secret-0001"


class Product:
    """One installation with a site, a free plan and its own data directory."""

    def __init__(self, topology: Topology, *, tls: tuple[Path, Path] | None = None) -> None:
        self._topology = topology
        self._server: subprocess.Popen[bytes] | None = None
        self._data = topology.folder / "var"
        scheme, port = ("http", 8080) if tls is None else ("https", 8443)
        self.portal_url = f"{scheme}://{PORTAL_NAME}:{port}"
        self.environment = {
            "PYTHONPATH": str(HERE.parents[1]),  # the tree that these tests stand in
            "PESISIR_DATA_DIR": str(self._data),
            "PESISIR_HTTP_LISTEN": f"{SERVER_ADDRESS}:{port}",
            "PESISIR_PORTAL_URL": self.portal_url,
            "PESISIR_RADIUS_AUTH_LISTEN": f"{SERVER_ADDRESS}:1812",
            "PESISIR_RADIUS_ACCT_LISTEN": f"{SERVER_ADDRESS}:1813",
        }
        if tls is not None:
            self.environment |= {"PESISIR_TLS_CERT": str(tls[0]), "PESISIR_TLS_KEY": str(tls[1])}
        self._secret_file = topology.folder / "secret"
        self._secret_file.write_text(SECRET, encoding="ascii")

    def set_up(self, family: str, address: str, *options: str) -> None:
        """Make the database, a free plan, a site and its NAS."""
        self.run("db", "upgrade")
        self.run("plan", "add", "Tamu", "--down", "4M", "--up", "2M", "--daily", "500MB", "--devices", "3")
        self.run("site", "add", "Gusung", "--guest-plan", "Tamu")
        self.run(
            "nas", "add", "gusung-1", "--address", address, "--family", family, "--site", "Gusung",
            "--secret-file", str(self._secret_file), *options,
        )  # fmt: skip

    def serve(self) -> None:
        """Start every process and wait until phones and routers are answered."""
        log = self._topology.folder / "product.log"
        self._server = self._topology.start(
            self._topology.server, _program(), "serve", name="product", environment=self.environment
        )
        ready = ["curl", "-s", "-k", "-m", "2", f"{self.portal_url}/readyz"]
        wait_for("the portal", lambda: self._topology.attempt(self._topology.server, *ready).stdout != "", log=log)
        running = self._data / "run" / "radius-0.json"
        wait_for("the RADIUS server", running.exists, log=log)

    def stop(self) -> None:
        """Stop every process, as an operator does."""
        assert self._server is not None
        stop(self._server)
        (self._data / "run" / "radius-0.json").unlink(missing_ok=True)

    def run(self, *arguments: str, given: str = "") -> str:
        """Run one command of `pesisir`; return what it prints."""
        result = subprocess.run(
            ["ip", "netns", "exec", self._topology.server, _program(), *arguments],
            input=given, capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self._topology.folder), **self.environment},
        )  # fmt: skip
        assert result.returncode == 0, f"pesisir {' '.join(arguments)}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def router_files(self) -> Mapping[str, str]:
        """Return what `pesisir nas config` prints, file by file."""
        files: dict[str, str] = json.loads(self.run("nas", "config", "gusung-1", "--json"))
        return files

    def sessions(self) -> list[dict[str, object]]:
        """Return every session, the newest first."""
        found: list[dict[str, object]] = json.loads(self.run("session", "list", "--state", "all", "--json"))
        return found


def _program() -> str:
    return str(Path(sys.executable).with_name("pesisir"))
