"""FreeRADIUS' radclient as an independent router."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from radius import Demand, Service
from tests.radius.serving import Running, serving
from tests.radius.support import SECRET, FakeBackend, make_nas

pytestmark = pytest.mark.lab
RADCLIENT = shutil.which("radclient") or "radclient"


@pytest.fixture
def backend() -> FakeBackend:
    backend = FakeBackend()
    backend.add("127.0.0.1", make_nas(require=Demand.NO, family="mikrotik"))
    return backend


@pytest.fixture
def running(backend: FakeBackend) -> Iterator[Running]:
    with serving(backend) as running:
        yield running


def radclient(running: Running, service: Service, command: str, attributes: str) -> str:
    host, port = running.auth if service is Service.AUTH else running.acct
    done = subprocess.run(
        [RADCLIENT, "-x", "-r", "1", "-t", "2", f"{host}:{port}", command, SECRET.decode()],
        input=attributes,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return done.stdout + done.stderr


PAP = 'User-Name = "budi", User-Password = "{}", Calling-Station-Id = "02-AA-00-00-00-01"'
SIGNED = ", Message-Authenticator = 0x00"


@pytest.mark.parametrize("more", ["", SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("password", "word"), [("rahasia", "Access-Accept"), ("salah", "Access-Reject")])
def test_pap(running: Running, password: str, word: str, more: str) -> None:
    assert f"Received {word}" in radclient(running, Service.AUTH, "auth", PAP.format(password) + more)


@pytest.mark.parametrize("more", ["", SIGNED], ids=["unsigned", "signed"])
def test_chap(running: Running, more: str) -> None:
    attributes = 'User-Name = "budi", CHAP-Password = "rahasia"' + more
    assert "Received Access-Accept" in radclient(running, Service.AUTH, "auth", attributes)


def test_ms_chap_version_1_is_rejected(running: Running) -> None:
    attributes = 'User-Name = "budi", MS-CHAP-Password = "rahasia"' + SIGNED
    assert "Received Access-Reject" in radclient(running, Service.AUTH, "auth", attributes)


def test_accept_is_read(running: Running) -> None:
    said = radclient(running, Service.AUTH, "auth", PAP.format("rahasia") + ", Proxy-State = 0x0102")
    assert "Received Access-Accept" not in said  # unsigned with Proxy-State (CVE-2024-3596)
    said = radclient(running, Service.AUTH, "auth", PAP.format("rahasia") + ", Proxy-State = 0x0102" + SIGNED)
    assert "Session-Timeout = 3600" in said
    assert "Proxy-State = 0x0102" in said


def test_accounting(running: Running, backend: FakeBackend) -> None:
    attributes = 'Acct-Status-Type = Start, Acct-Session-Id = "s1", User-Name = "budi"'
    assert "Received Accounting-Response" in radclient(running, Service.ACCT, "acct", attributes)
    assert [record.attributes.text("Acct-Session-Id") for record in backend.records] == ["s1"]


@pytest.mark.parametrize(("service", "word"), [(Service.AUTH, "Access-Accept"), (Service.ACCT, "Accounting-Response")])
def test_status_server(running: Running, service: Service, word: str) -> None:
    assert f"Received {word}" in radclient(running, service, "status", "Message-Authenticator = 0x00")


def test_mixed_credentials_get_no_reply(running: Running) -> None:
    attributes = PAP.format("rahasia") + ', CHAP-Password = "rahasia"'
    assert "Received" not in radclient(running, Service.AUTH, "auth", attributes)
