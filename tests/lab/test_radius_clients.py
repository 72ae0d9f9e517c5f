"""RADIUS clients that nobody here wrote, against `pesisir serve`: radclient, and PAM's (no Message-Authenticator)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import demand
from tests.lab.product import SECRET, Product
from tests.lab.topology import PHONE_MAC, ROUTER_ADDRESS, SERVER_ADDRESS, Topology, wait_for

pytestmark = pytest.mark.lab

USER, PASSWORD = "siti", "pelabuhan-kecil-7"


@pytest.fixture
def product(request: pytest.FixtureRequest, topology: Topology) -> Product:
    demand(request, "radclient")
    made = Product(topology)
    made.set_up("generic", f"{ROUTER_ADDRESS}/32")
    people = topology.folder / "people.csv"
    people.write_text(f"username,password\n{USER},{PASSWORD}\n", encoding="utf-8")
    made.run("user", "import", str(people), "--secret", "encrypted")
    made.serve()
    return made


def radclient(topology: Topology, kind: str, *lines: str, expect: str, port: int = 1812, secret: str = SECRET) -> str:
    """Send one request from the router; return what radclient says of the answer."""
    command = ["radclient", "-x", "-r", "2", "-t", "3", f"{SERVER_ADDRESS}:{port}", kind, secret]
    result = topology.attempt(topology.router, *command, given="\n".join(lines) + "\n")
    text = result.stdout + result.stderr
    assert expect in text, text
    return text


def credentials(*more: str) -> tuple[str, ...]:
    return (f'User-Name = "{USER}"', f"NAS-IP-Address = {ROUTER_ADDRESS}", "Message-Authenticator = 0x00", *more)


def accounting(accepted: str, kind: str, seconds: int, down: int, up: int) -> tuple[str, ...]:
    """Return a report that gives back the Class of the Accept, as routers do."""
    proof = next(line.strip() for line in accepted.splitlines() if line.strip().startswith("Class = "))
    return (
        proof,
        f"Acct-Status-Type = {kind}", 'Acct-Session-Id = "lab-0001"', f'User-Name = "{USER}"',
        f'Calling-Station-Id = "{PHONE_MAC}"', f"Acct-Session-Time = {seconds}",
        f"Acct-Input-Octets = {up}", f"Acct-Output-Octets = {down}", f"NAS-IP-Address = {ROUTER_ADDRESS}",
    )  # fmt: skip


def test_pap_and_chap_are_accepted_and_a_wrong_password_is_not(topology: Topology, product: Product) -> None:
    accepted = radclient(topology, "auth", *credentials(f'User-Password = "{PASSWORD}"'), expect="Access-Accept")
    assert "Message-Authenticator" in accepted
    assert "Class" in accepted
    radclient(topology, "auth", *credentials(f'CHAP-Password = "{PASSWORD}"'), expect="Access-Accept")
    radclient(topology, "auth", *credentials('User-Password = "wrong"'), expect="Access-Reject")
    radclient(topology, "auth", *credentials('CHAP-Password = "wrong"'), expect="Access-Reject")


def test_both_ports_tell_that_they_are_ready(topology: Topology, product: Product) -> None:
    radclient(topology, "status", "Message-Authenticator = 0x00", expect="Access-Accept")
    radclient(topology, "status", "Message-Authenticator = 0x00", expect="Accounting-Response", port=1813)


def test_accounting_becomes_a_session_with_its_octets(topology: Topology, product: Product) -> None:
    station = f'Calling-Station-Id = "{PHONE_MAC}"'
    request = credentials(f'User-Password = "{PASSWORD}"', station)
    accepted = radclient(topology, "auth", *request, expect="Access-Accept")
    for report in (("Start", 0, 0, 0), ("Interim-Update", 1, 4_000, 500), ("Stop", 2, 9_000_000, 70_000)):
        radclient(topology, "acct", *accounting(accepted, *report), expect="Accounting-Response", port=1813)
    wait_for("the session in the database", lambda: [s["state"] for s in product.sessions()] == ["closed"])
    (session,) = product.sessions()
    assert (session["device"], session["down_octets"], session["up_octets"]) == (PHONE_MAC, 9_000_000, 70_000)
    assert (session["user"], session["session_time"], session["flags"]) == (USER, 2, [])


def test_another_secret_gets_no_answer(topology: Topology, product: Product) -> None:
    request = credentials(f'User-Password = "{PASSWORD}"')
    radclient(topology, "auth", *request, expect="No reply", secret="another-secret-000001")


@pytest.fixture
def pam_service(request: pytest.FixtureRequest, topology: Topology) -> Iterator[str]:
    """Make a PAM service of our own that asks our server; yield its name."""
    demand(request, "pamtester")
    configuration = topology.folder / "pam_radius.conf"
    configuration.write_text(f"{SERVER_ADDRESS} {SECRET} 3\n", encoding="ascii")
    configuration.chmod(0o600)
    service = Path("/etc/pam.d") / topology.router
    module = f"pam_radius_auth.so conf={configuration}"
    service.write_text(f"auth required {module}\naccount required pam_permit.so\n", encoding="ascii")
    yield service.name
    service.unlink()


def test_pam_without_message_authenticator_is_served(topology: Topology, product: Product, pam_service: str) -> None:
    command = ["pamtester", pam_service, USER, "authenticate"]
    good = topology.attempt(topology.router, *command, given=f"{PASSWORD}\n")
    assert "successfully authenticated" in good.stdout + good.stderr
    bad = topology.attempt(topology.router, *command, given="wrong\n")
    assert "successfully" not in bad.stdout + bad.stderr
