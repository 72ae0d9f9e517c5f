"""`pesisir radius trace` beside real RADIUS processes: what they do is seen, from all of them, and no secret of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.db.engine import Database
from app.services.keyring import Keyring
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Timing
from radius.credentials import ChapResponse, Credential, PapPassword
from radius.net.client import exchange
from tests.flows.serving import Installation, Router
from tests.node.city import SECRET, City
from tests.node.journals import until

MAC = "02-AA-00-00-00-01"
PASSWORD, WRONG = "rahasia-123", "sandi-yang-salah"
OTHER_SECRET = b"quite-another-secret-of-nobody"
ONCE = Timing(first_seconds=0.3, attempts=1, give_up_seconds=0.3)


@pytest.fixture
def installation(sqlite_database: Database, keyring: Keyring, tmp_path: Path) -> Installation:
    city = City(sqlite_database, keyring)
    city.time.at = datetime.now(UTC)
    city.add_user("budi", PASSWORD)
    return Installation(sqlite_database, tmp_path / "var", more={"PESISIR_RADIUS_WORKERS": "2"})


@pytest.fixture
def served(installation: Installation) -> Iterator[Installation]:
    with installation.running("radius", "0"), installation.running("radius", "1"):
        yield installation


@contextmanager
def tracing(served: Installation, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command; the block begins when it watches both processes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "radius", "trace", *arguments],
        env=served.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert {process.stderr.readline().split()[1].rstrip(";") for _ in range(2)} == {"radius-0", "radius-1"}
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(served: Installation, credential: Credential, *, secret: bytes = SECRET.encode(), name: str = "budi") -> None:
    attributes = Attributes([("User-Name", name), ("Calling-Station-Id", MAC), ("Acct-Session-Id", "81a00001")])
    timing = ONCE if secret == OTHER_SECRET else Timing(first_seconds=20.0)
    exchange(("127.0.0.1", served.auth_port), secret, AccessQuery(attributes, credential), timing=timing)


def test_trace_shows_all_workers_with_decision_and_reason(served: Installation) -> None:
    number = 24  # a worker that is asked none of them is one chance in 2 ** 23
    with tracing(served, "--count", str(number), "--json", "--nas", "gusung-1") as trace:
        for _ in range(number):
            ask(served, PapPassword(PASSWORD.encode()))
        out, _ = trace.communicate(timeout=120)
    assert trace.returncode == 0
    shown = [json.loads(line) for line in out.splitlines()]
    assert len(shown) == number
    assert {one["process"] for one in shown} == {"radius-0", "radius-1"}
    assert {(one["packet"], one["outcome"], one["reason"], one["nas"], one["signed"]) for one in shown} == {
        ("Access-Request", "Access-Accept", "password", "gusung-1", True)
    }
    assert {"name": "User-Password", "value": "***"} in shown[0]["attributes"]
    assert all(0 < one["milliseconds"] < 10_000 for one in shown)
    assert datetime.fromisoformat(shown[0]["at"]).utcoffset() is not None


@pytest.mark.parametrize("form", [pytest.param(("--json",), id="JSON"), pytest.param((), id="for people")])
def test_a10_04_no_secret_octets_are_in_a_trace(served: Installation, form: tuple[str, ...]) -> None:
    response = ChapResponse.answering(b"challenge-16-oct", 7, PASSWORD)
    with tracing(served, "--count", "5", *form) as trace:
        ask(served, PapPassword(PASSWORD.encode()))
        ask(served, PapPassword(WRONG.encode()))
        ask(served, response)
        ask(served, PapPassword(PASSWORD.encode()), secret=OTHER_SECRET)
        router = Router(served.acct_port)
        said = Attributes([("Acct-Status-Type", "Start"), ("Acct-Session-Id", "s1"), ("User-Name", "budi")])
        router.send([(SECRET.encode(), said.add("Class", b"class-of-a-session").to_bytes())])
        router.close()
        out, err = trace.communicate(timeout=120)
    for outcome in ("Access-Accept", "Access-Reject", "dropped", "Accounting-Response"):
        assert outcome in out
    for reason in ("password", "wrong_credentials", "bad_message_authenticator"):
        assert reason in out
    for secret in (PASSWORD, WRONG, SECRET, OTHER_SECRET.decode(), "challenge-16-oct", "class-of-a-session"):
        assert secret not in out + err
        assert secret.encode().hex() not in out + err
    assert response.response.hex() not in out
    assert "Message-Authenticator" not in out


def test_drops_alone_are_shown_when_asked_for(served: Installation) -> None:
    with tracing(served, "--count", "1", "--drops") as trace:
        ask(served, PapPassword(PASSWORD.encode()))
        ask(served, PapPassword(PASSWORD.encode()), secret=OTHER_SECRET)
        out, _ = trace.communicate(timeout=120)
    assert "-> dropped bad_message_authenticator: signed with another secret" in out
    assert "Access-Accept" not in out
    assert "\x1b" not in out


def test_user_is_found_by_the_account_in_what_the_router_sends_back(served: Installation) -> None:
    with tracing(served, "--count", "2", "--json", "--user", "budi") as trace:
        ask(served, PapPassword(b"x"), name="somebody")
        ask(served, PapPassword(PASSWORD.encode()))
        ask(served, PapPassword(PASSWORD.encode()), name="BUDI")
        out, _ = trace.communicate(timeout=120)
    names = [one["attributes"][0]["value"] for one in map(json.loads, out.splitlines())]
    assert names == ["budi", "BUDI"]


@pytest.mark.long
def test_wrong_secret_is_suspected_aloud(served: Installation) -> None:
    for _ in range(16):  # each worker is sent some
        ask(served, PapPassword(PASSWORD.encode()), secret=OTHER_SECRET)
    until(lambda: "secret_mismatch" in "".join(path.read_text() for path in served.data_dir.glob("run/*.prom")), 30)
    with tracing(served, "--count", "16") as trace:
        for _ in range(16):
            ask(served, PapPassword(PASSWORD.encode()))
        out, _ = trace.communicate(timeout=120)
    assert out.count("! gusung-1: secret mismatch?") in (1, 2)  # not on every datagram
    assert "nas_hint nas=gusung-1 hint=secret_mismatch" in served.talk()


def test_nobody_to_watch_is_said(installation: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "radius", "trace"],
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "no RADIUS process runs here" in done.stderr
    assert "pesisir serve" in done.stderr
