"""The command as an operator runs it: real processes, a real server, one installation."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Pesisir

WAIT_SECONDS = 60.0
PROGRAM = [sys.executable, "-m", "app.cli"]


def command(environment: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


@pytest.fixture
def served(city: Pesisir, data_dir: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation whose RADIUS server and worker run."""
    environment = {**os.environ, **city.environment}
    processes = [
        subprocess.Popen([*PROGRAM, "serve", "--only", name], env=environment) for name in ("radius", "worker")
    ]
    deadline = time.monotonic() + WAIT_SECONDS
    while not all((data_dir / "run" / f"{name}.json").exists() for name in ("radius-0", "worker")):
        assert all(process.poll() is None for process in processes), "a server ended at its start"
        assert time.monotonic() < deadline, "the servers did not come up"
        time.sleep(0.05)
    yield city.environment
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(WAIT_SECONDS) for process in processes] == [0, 0]


def test_sixty_seconds_to_a_first_login_start_with_no_database(settings: dict[str, str], data_dir: Path) -> None:
    del settings["PESISIR_SECRET_KEY"]
    done = command(settings, "plan", "add", "Warga", "--down", "4M")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (data_dir / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [plan["name"] for plan in json.loads(command(settings, "plan", "list", "--json").stdout)] == ["Warga"]


@pytest.mark.long
def test_commands_work_while_the_server_runs(served: dict[str, str], data_dir: Path) -> None:
    """One server for all of it: a start costs seconds."""
    (data_dir / "siti.txt").write_text("rahasia-siti\n", encoding="ascii")
    password = ("--password-file", str(data_dir / "siti.txt"))

    alive = command(served, "doctor", "--alive")
    assert alive.returncode == 0, alive.stdout

    status = command(served, "radius", "test", "gusung-1", "--json")
    assert json.loads(status.stdout)["answer"] == "Access-Accept", status.stderr

    accepted = json.loads(command(served, "radius", "test", "gusung-1", "siti", *password, "--json").stdout)
    assert accepted["answer"] == "Access-Accept"
    assert {"name": "Mikrotik-Rate-Limit", "value": "2000000/4000000"} in accepted["attributes"]

    refused = command(served, "radius", "test", "gusung-1", "siti", "--password", "salah")
    assert (refused.returncode, refused.stdout.split()[:2]) == (1, ["answer", "Access-Reject"])
    assert "pesisir user show 'siti'" in refused.stderr

    chap = command(served, "radius", "test", "gusung-1", "siti", *password, "--method", "chap", "--json")
    assert json.loads(chap.stdout)["answer"] == "Access-Reject"  # only its hash is kept

    made = command(served, "user", "add", "budi", "--password", "rahasia-budi", "--secret", "encrypted")
    assert made.returncode == 0, made.stderr
    budi = command(
        served, "radius", "test", "gusung-1", "budi", "--password", "rahasia-budi", "--method", "chap", "--json"
    )
    assert json.loads(budi.stdout)["answer"] == "Access-Accept", budi.stderr

    budi_by = ("radius", "test", "gusung-1", "budi", "--method", "mschapv2", "--password")
    proved = json.loads(command(served, *budi_by, "rahasia-budi", "--json").stdout)
    assert proved["answer"] == "Access-Accept"
    assert {"name": "MS-CHAP2-Success", "value": "***"} in proved["attributes"]
    refused = command(served, *budi_by, "salah")
    assert (refused.returncode, refused.stdout.split()[:2]) == (1, ["answer", "Access-Reject"])

    unknown = command(served, "radius", "test", "gusung-1", "--device", "02:aa:00:00:00:99")
    assert (unknown.returncode, unknown.stdout.split()[:2]) == (1, ["answer", "Access-Reject"])

    session = ("radius", "test", "gusung-1", "stranger", "--session", "81a1")
    assert command(served, *session, "--send", "start").returncode == 0
    assert command(served, *session, "--send", "stop", "--up", "1MB", "--down", "5GB", "--time", "1h").returncode == 0
    deadline = time.monotonic() + WAIT_SECONDS
    while json.loads(command(served, "journal", "status", "--json").stdout)["pending"]:
        assert time.monotonic() < deadline, "the worker did not merge the journal"
    totals = json.loads(command(served, "session", "totals", "--json").stdout)
    assert totals == {"sessions": 1, "open": 0, "closed": 1, "up_octets": 1_000_000, "down_octets": 5_000_000_000}

    other = command(served, "radius", "test", "gusung-1", "--server", "127.0.0.1:1")
    assert other.returncode == 1
    assert "stays silent" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.parametrize("arguments", [("plan", "list", "--json"), ("plan", "list"), ("nas", "config", "gusung-1")])
def test_closed_pipe_is_no_traceback(city: Pesisir, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env={**os.environ, **city.environment}, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    _, said = process.communicate(timeout=WAIT_SECONDS)
    assert said == b""
    assert process.returncode == 141


def test_serve_names_a_port_that_another_holds(city: Pesisir, taken_port: int) -> None:
    city.environment["PESISIR_RADIUS_AUTH_LISTEN"] = f"127.0.0.1:{taken_port}"
    done = command(city.environment, "serve", "--only", "radius")
    assert done.returncode == 1
    assert f"127.0.0.1:{taken_port} is in use" in done.stderr
    assert "Traceback" not in done.stderr
