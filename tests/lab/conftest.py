"""The lab's fixtures. Where root or a program is missing, `pytest -m lab` fails, and any other choice of tests skips."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.lab.topology import PORTAL_NAME, Topology, missing_programs

NETWORK = ("ip", "iptables", "nft", "ethtool", "dnsmasq", "udhcpc", "curl", "unshare", "nsenter", "openssl")


def demand(request: pytest.FixtureRequest, *programs: str) -> None:
    """Go on only where this machine has what a test needs."""
    missing = list(missing_programs(programs))
    if os.geteuid() != 0:
        missing.append("root")
    if not missing:
        return
    reason = f"the lab needs {', '.join(missing)}: sh tests/lab/install.sh as root"
    if "lab" in str(request.config.getoption("-m")) and "not lab" not in str(request.config.getoption("-m")):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def topology(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    demand(request, *NETWORK)
    before = signal.signal(signal.SIGTERM, _end)  # whoever ends the run by it still gets the machine back clean
    with Topology(tmp_path) as made:
        yield made
    signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    return Authority(tmp_path_factory.mktemp("authority"))


class Authority:
    """A certificate authority of the test's own, and the portal's certificate."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.pem"
        self.portal = folder / "portal.pem", folder / "portal.key"
        key, request = folder / "ca.key", folder / "portal.csr"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=Lab CA", "-keyout", str(key), "-out", str(self.certificate),
        )  # fmt: skip
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={PORTAL_NAME}",
            "-addext", f"subjectAltName=DNS:{PORTAL_NAME}", "-keyout", str(self.portal[1]), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(key), "-days", "2",
            "-copy_extensions", "copy", "-out", str(self.portal[0]),
        )  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
