"""Flows B and C whole: real UDP to real processes, the journal, the worker, the database, and back into the snapshot."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from app.db.engine import Database
from app.domain.local_time import WITA
from app.domain.quotas import Period
from app.domain.schedules import Window
from app.domain.users import CredentialKind
from app.nas.answers import accept_attributes
from app.node.running import read_running
from app.services import overrides, users, windows
from app.services.explain import explain
from app.services.keyring import Keyring
from app.services.overrides import Why
from app.services.sessions import StateFilter, list_sessions, session_totals
from app.services.usage import usage_of
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Reply
from radius.codes import Code
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange
from tests.flows.logins import ROUTER_TIMING
from tests.flows.serving import Installation, Router
from tests.node.city import SECRET, City
from tests.node.journals import until

MAC = "02-AA-00-00-00-01"


@pytest.fixture
def city(sqlite_database: Database, keyring: Keyring) -> City:
    made = City(sqlite_database, keyring)
    made.time.at = datetime.now(UTC)
    made.add_user("budi")
    made.add_user("lama", kind=CredentialKind.HASHED)
    return made


@pytest.fixture
def installation(city: City, tmp_path: Path) -> Installation:
    return Installation(city.database, tmp_path / "var")


@pytest.fixture
def served(installation: Installation) -> Iterator[Installation]:
    with installation.running("radius", "0", "--status"), installation.running("worker", "--status"):
        yield installation


def ask(installation: Installation, name: str, password: str, session: str = "81a00001") -> Reply:
    attributes = Attributes(
        [("User-Name", name), ("Calling-Station-Id", MAC), ("Acct-Session-Id", session), ("NAS-Identifier", "gusung-1")]
    )
    query = AccessQuery(attributes, PapPassword(password.encode()))
    answered = exchange(("127.0.0.1", installation.auth_port), SECRET.encode(), query)
    assert isinstance(answered, Answered)
    return answered.reply


def account(installation: Installation, status: str, accept: Reply, **counters: int) -> None:
    said = Attributes([("Acct-Status-Type", status), ("User-Name", "budi"), ("Calling-Station-Id", MAC)])
    said.add("Acct-Session-Id", "81a00001").add("NAS-Identifier", "gusung-1")
    said.add("Class", accept.attributes.octets("Class") or b"")
    for name, value in counters.items():
        said.add(name.replace("_", "-"), value)
    router = Router(installation.acct_port)
    router.send([(SECRET.encode(), said.to_bytes())])
    router.close()


def test_from_log_in_to_usage_and_back_into_the_next_decision(served: Installation, city: City) -> None:
    accept = ask(served, "budi", "rahasia-123")
    assert accept.code is Code.ACCESS_ACCEPT
    account(served, "Start", accept)
    account(served, "Interim-Update", accept, Acct_Output_Octets=400_000, Acct_Session_Time=60)
    again = ask(served, "budi", "rahasia-123", session="81a00002")
    assert again.attributes.integer("Mikrotik-Total-Limit") == 600_000  # from memory, before it is merged
    account(served, "Stop", accept, Acct_Output_Octets=1_000_000, Acct_Session_Time=120)
    until(lambda: session_totals(city.database).closed == 1)
    (session,) = list_sessions(city.database, state=StateFilter.ALL)
    assert (session.user, session.up_octets, session.down_octets) == ("budi", 0, 1_000_000)
    used = usage_of(city.database, "budi", now=datetime.now(UTC), zone=WITA)
    assert used is not None
    assert used.periods[Period.DAY].down_octets == 1_000_000
    assert ask(served, "budi", "rahasia-123", session="81a00003").code is Code.ACCESS_REJECT


def test_router_is_sent_what_the_explanation_says(served: Installation, city: City) -> None:
    why = Why("satelit penuh", "admin")
    overrides.set_at_site(city.database, "Gusung", {"up_bps": 1_000_000}, why, plan=None, **city.circumstances)
    overrides.set_own(city.database, "budi", {"filter_id": "piket"}, why, **city.circumstances)
    all_day = Window("hari ini", tuple(range(7)), 0, 1_440, rates=(("down_bps", 2_000_000),))
    windows.set_plan_window(city.database, "Warga", all_day, **city.circumstances)
    city.add_user("baru")  # asked for by name, so that the node has read all of the above
    assert ask(served, "baru", "rahasia-123", session="81a0000f").code is Code.ACCESS_ACCEPT
    accept = ask(served, "budi", "rahasia-123")
    now = datetime.now(UTC)
    found = explain(city.database, "budi", nas="gusung-1", at=now, now=now, zone=WITA)
    assert found.nas is not None
    assert found.granted is not None
    said = dict(accept_attributes(found.nas, found.granted))
    sent = {name: value for name, value in accept.attributes if name not in {"Class", "Message-Authenticator"}}
    interim, drawn = int(said.pop("Acct-Interim-Interval")), int(sent.pop("Acct-Interim-Interval"))
    assert 0.9 * interim - 1 <= drawn <= 1.1 * interim + 1
    assert sent == said
    assert sent["Mikrotik-Rate-Limit"] == "1000000/2000000"
    assert sent["Filter-Id"] == "piket"


def test_hashed_password_and_a_user_made_a_moment_ago(served: Installation, city: City) -> None:
    assert ask(served, "lama", "rahasia-123").code is Code.ACCESS_ACCEPT
    city.add_user("baru")
    assert ask(served, "baru", "rahasia-123", session="81a00002").code is Code.ACCESS_ACCEPT


def within(seconds: float, words: str, otherwise: float) -> pytest.MarkDecorator:
    """Ask for what is promised where nothing else runs; and elsewhere only that it comes."""
    alone = pytest.param(seconds, id=words, marks=[pytest.mark.lab, pytest.mark.alone])
    return pytest.mark.parametrize("seconds", [pytest.param(otherwise, id="in the end"), alone])


@within(1.0, "within a second", 60.0)
def test_what_an_admin_changes_is_known(served: Installation, city: City, seconds: float) -> None:
    assert ask(served, "budi", "rahasia-123").code is Code.ACCESS_ACCEPT
    users.suspend_user(city.database, "budi", suspended=True, **city.circumstances)
    numbers = count(2)
    until(
        lambda: ask(served, "budi", "rahasia-123", session=f"81a{next(numbers):05}").code is Code.ACCESS_REJECT,
        seconds=seconds,
    )


@within(ROUTER_TIMING.first_seconds, "before it is sent again", ROUTER_TIMING.give_up_seconds)
def test_wrong_password_is_refused_within_a_routers_patience(served: Installation, seconds: float) -> None:
    began = time.monotonic()
    assert ask(served, "budi", "salah").code is Code.ACCESS_REJECT
    assert 0.3 < time.monotonic() - began < seconds


def test_status_listener_tells_health_readiness_and_metrics(served: Installation) -> None:
    listening = read_running(served.data_dir)["radius-0"]["status"]
    assert isinstance(listening, list)
    base = f"http://127.0.0.1:{listening[0][1]}"
    assert _get(f"{base}/healthz") == "ok\n"
    said = json.loads(_get(f"{base}/readyz"))
    assert said.pop("snapshot_age_seconds") < 5
    assert said == {"auth": True, "acct": True, "snapshot": "database"}
    ask(served, "budi", "rahasia-123")
    until(lambda: 'pesisir_node_accepts_total{process="radius-0"} 1.0' in _get(f"{base}/metrics"))


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def test_what_answers_comes_before_what_merges(served: Installation) -> None:
    running = read_running(served.data_dir)
    priorities = {}
    for name in ("radius-0", "worker"):
        pid = running[name]["pid"]
        assert isinstance(pid, int)
        priorities[name] = os.getpriority(os.PRIO_PROCESS, pid)
    assert priorities["radius-0"] < priorities["worker"]


# A5.05
def test_two_radius_processes_share_the_port(city: City, tmp_path: Path) -> None:
    installation = Installation(city.database, tmp_path / "var", {"PESISIR_RADIUS_WORKERS": "2"})
    with installation.running("radius", "0", "--status"), installation.running("radius", "1"):
        for n in range(12):
            assert ask(installation, "budi", "rahasia-123", session=f"{n}").code is Code.ACCESS_ACCEPT
        assert len(list((installation.data_dir / "journal").glob("*/*/0000000001.segment"))) == 2


# D13
@pytest.mark.long
def test_everything_stops_within_ten_seconds_with_exit_code_0(city: City, tmp_path: Path) -> None:
    installation = Installation(city.database, tmp_path / "var")
    program = "import os, sys; from app.config import load; from app.main import supervise; sys.exit(supervise(load(os.environ)))"
    with (tmp_path / "serve.log").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program], env=installation.environment, stdout=out, stderr=out
        )
    try:
        until(lambda: {"radius-0", "worker", "http"} <= set(read_running(installation.data_dir)), seconds=60)
        assert ask(installation, "budi", "rahasia-123").code is Code.ACCESS_ACCEPT
        pid = read_running(installation.data_dir)["radius-0"]["pid"]
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        until(lambda: read_running(installation.data_dir).get("radius-0", {}).get("pid") not in (pid, None), seconds=60)
        assert ask(installation, "budi", "rahasia-123", session="81a00002").code is Code.ACCESS_ACCEPT
        began = time.monotonic()
        process.terminate()
        assert process.wait(15) == 0, installation.talk()
        assert time.monotonic() - began < 10
        assert read_running(installation.data_dir) == {}
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("setting", ["PESISIR_RADIUS_AUTH_LISTEN", "PESISIR_RADIUS_ACCT_LISTEN"])
def test_port_in_use_says_which_and_what_to_do(installation: Installation, setting: str) -> None:
    port = installation.auth_port if "AUTH" in setting else installation.acct_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        process = installation.start("radius", "0", "--status")
        assert process.wait(30) == 3  # the supervisor's sign not to try again; `pesisir serve` ends with 1
    assert f"127.0.0.1:{port} is in use" in installation.talk()
    assert setting in installation.talk()
    assert "Traceback" not in installation.talk()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param({"PESISIR_DATABASE_URL": "sqlite:///{folder}/new.db"}, "pesisir db upgrade", id="no schema yet"),
        pytest.param({"PESISIR_SECRET_KEY": "ab" * 32}, "secret key", id="another key"),
    ],
)
@pytest.mark.parametrize("process", [("radius", "0"), ("worker",), ("http",)], ids=["radius", "worker", "http"])
def test_start_that_cannot_succeed_says_so(
    city: City, tmp_path: Path, more: dict[str, str], said: str, process: tuple[str, ...]
) -> None:
    changed = {name: value.format(folder=tmp_path) for name, value in more.items()}
    installation = Installation(city.database, tmp_path / "var", changed)
    assert installation.start(*process).wait(30) == 3
    assert said in installation.talk()
    assert "Traceback" not in installation.talk()
