"""A person with a phone in the phone's namespace: a browser, and what its apps fetch beside it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.lab.topology import HERE, LabError, Topology, stop


@dataclass(frozen=True, slots=True)
class Screen:
    """What the browser shows."""

    url: str
    title: str
    text: str
    error: str


class Phone:
    """The browser; leaving the context closes it."""

    def __init__(self, topology: Topology, *, insecure: bool = False) -> None:
        self._topology = topology
        command = ["ip", "netns", "exec", topology.phone, sys.executable, str(HERE / "browser.py")]
        with (topology.folder / "browser.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(["--insecure"] if insecure else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            stop(self._process)
        self._process.stdout.close()

    def open(self, url: str) -> Screen:
        """Type an address."""
        return self._do({"open": url})

    def press(self, selector: str) -> Screen:
        """Tap the first thing that fits, and see where it leads."""
        return self._do({"press": selector})

    def look(self) -> Screen:
        """See what is on the screen now."""
        return self._do({"look": ""})

    def fetch(self, url: str) -> str:
        """Fetch as an app does, without the browser; "" if nothing comes."""
        return self._topology.attempt(self._topology.phone, "curl", "-s", "-m", "20", url).stdout

    def download(self, url: str, *, rate: str) -> int:
        """Load as fast as `rate` of curl allows, until nothing comes for some seconds; return how many octets came.

        The phone buffers little: a window of some megabytes would let the server run ahead of what curl takes.
        """
        self._topology.run(self._topology.phone, "sysctl", "-q", "-w", "net.ipv4.tcp_rmem=4096 65536 262144")
        stalled = ("--speed-limit", "1000", "--speed-time", "8")
        command = (
            "curl",
            "-s",
            "-m",
            "120",
            *stalled,
            "--limit-rate",
            rate,
            "-o",
            "/dev/null",
            "-w",
            "%{size_download}",
        )
        return int(self._topology.attempt(self._topology.phone, *command, url, timeout=150).stdout)

    def _do(self, command: dict[str, str]) -> Screen:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise LabError("the browser has gone: " + (self._topology.folder / "browser.log").read_text()[-2_000:])
        return Screen(**json.loads(line))
