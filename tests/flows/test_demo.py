"""`pesisir demo` as a person meets it: its printed words, a browser, a second terminal, the power, and Ctrl-C."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from app.node.running import read_running

VISITOR = "02:1a:7f:00:00:01"  # the device behind 127.0.0.1
START_SECONDS = 90.0
CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
T = TypeVar("T")


@dataclass
class Demo:
    """A running demo: its process, and what it has said so far."""

    process: subprocess.Popen[bytes]
    talk: Path

    @property
    def said(self) -> str:
        return self.talk.read_text(encoding="utf-8")

    def find(self, pattern: str) -> str:
        """Wait until it has said something, and return the first group."""
        match = until(lambda: re.search(pattern, self.said), f"{pattern} in {self.said}", alive=self.process)
        return match[1]

    @property
    def config(self) -> str:
        return self.find(r"export PESISIR_CONFIG=(\S+)")

    @property
    def phone_url(self) -> str:
        return self.find(r"A phone on Gusung +(http://\S+)")

    def command(self, *arguments: str) -> str:
        """Run a command of a second terminal."""
        environment = {**os.environ, "PESISIR_CONFIG": self.config}
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments], env=environment, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode()

    def session_of(self, mac: str) -> dict[str, object] | None:
        """Return the open session of a device as the command line tells it."""
        sessions = json.loads(self.command("session", "list", "--json"))
        return next((each for each in sessions if each["device"] == mac and each["state"] == "open"), None)

    def stop(self) -> int:
        """Press Ctrl-C, and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def until(look: Callable[[], T | None], what: str, *, alive: subprocess.Popen[bytes] | None = None) -> T:
    """Look until something is found; it is an error if it takes longer than a slow machine's start."""
    deadline = time.monotonic() + START_SECONDS
    while (found := look()) is None:
        assert alive is None or alive.poll() is None, what
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


def start(folder: Path, *options: str) -> Demo:
    """Start a demo that keeps its data below `folder`, its output going to a file as through a pipe."""
    talk = folder / "talk.txt"
    out: IO[bytes]
    with talk.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--free-ports", *options],
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    return Demo(process, talk)


def pids(demo: Demo) -> list[int]:
    """Return the processes of the demo's server."""
    running = read_running(Path(demo.config).parent)
    assert set(running) == {"http", "radius-0", "worker"}
    return [int(str(each["pid"])) for each in running.values()]


def nobody_left(processes: list[int]) -> bool | None:
    """Return True once none of the processes runs; None while one does."""
    return None if any(Path(f"/proc/{pid}/cmdline").exists() and _living(pid) for pid in processes) else True


def _living(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = start(tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def tap(browser: httpx2.Client, splash: httpx2.Response) -> httpx2.Response:
    """Press the one button of the free tap, as it was served."""
    form = next(each for each in re.findall(r"<form.*?</form>", splash.text, re.DOTALL) if 'value="free"' in each)
    action = re.search(r'action="([^"]*)"', form)
    assert action is not None
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form))
    return browser.post(urljoin(str(splash.url), action[1]), data=hidden)


def test_person_taps_once_is_online_and_stays_so_through_a_power_cut(demo: Demo) -> None:
    demo.find(r"(Ctrl-C ends everything)")
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        splash = browser.get(demo.phone_url)
        assert "/hotspot/gusung" in str(splash.url)
        status = tap(browser, splash)
        assert status.url.path == "/status"
        assert "Anda sudah terhubung" in browser.get(demo.phone_url).text
        assert browser.get(demo.phone_url + "generate_204").status_code == 204
        demo.find(rf"(Your phone {VISITOR} is online)")

        session = until(lambda: demo.session_of(VISITOR), "the session is listed")
        assert (session["nas"], session["site"], session["state"]) == ("gusung", "Gusung", "open")
        before = int(str(session["down_octets"]))
        until(lambda: _grown(demo, before), "its usage grows")

        demo.process.send_signal(signal.SIGUSR1)
        demo.find(r"(islands have no power)")
        with pytest.raises(httpx2.ConnectError):
            browser.get(demo.phone_url)
        demo.process.send_signal(signal.SIGUSR1)
        demo.find(r"(online again after|Nobody was online)")
        again = browser.get(demo.phone_url)
        assert "Anda sudah terhubung" in again.text
        assert not again.history  # no splash page, not one redirect

    processes = pids(demo)
    folder = Path(demo.config).parent
    assert demo.stop() == 0
    assert nobody_left(processes)
    assert not folder.exists()
    assert "\x1b" not in demo.said
    assert "Traceback" not in demo.said


def _grown(demo: Demo, before: int) -> bool | None:
    session = demo.session_of(VISITOR)
    return None if session is None or int(str(session["down_octets"])) <= before else True


def test_commands_worth_trying_work_as_they_are_printed(demo: Demo) -> None:
    demo.find(r"(Ctrl-C ends everything)")
    block = demo.said.partition("Worth trying in another terminal:")[2].partition("\n\n")[0]
    assert [re.findall(r"pesisir (\w+ \w+)", line) for line in block.splitlines()[2:]] == [
        ["session list"],
        ["usage amiruddin"],
        ["governor show"],
        ["radius test"],
    ]
    done = subprocess.run(["sh", "-e", "-c", block], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert "Access-Accept" in done.stdout.decode()
    assert re.search(r"Telkom +on +23M", done.stdout.decode())


def test_change_of_an_open_session_is_told(demo: Demo) -> None:
    demo.find(r"(Rusdi is online)")
    mine = until(lambda: _on_gusung(demo), "a session is listed")
    demo.command("session", "change", mine, "--down", "512k", "--up", "512k", "--reason", "coba")
    demo.find(r"Gusung +\S.* (has new limits, without a new login \(0.512 Mbit/s)")


def _on_gusung(demo: Demo) -> str | None:
    sessions = json.loads(demo.command("session", "list", "--json"))
    return next((str(each["id"]) for each in sessions if each["nas"] == "gusung" and each["state"] == "open"), None)


def test_ctrl_c_during_the_set_up_leaves_nothing(tmp_path: Path) -> None:
    demo = start(tmp_path)
    demo.find(r"(setting up)")
    assert demo.stop() == 0
    assert list(tmp_path.glob("pesisir-demo-*")) == []
    assert "Traceback" not in demo.said


@pytest.mark.lab
def test_phone_that_came_back_by_itself_finds_its_status_page_and_adds_data(demo: Demo) -> None:
    """In Chromium without JavaScript: the second browser knows nothing of the first, as a phone's own of the mini one."""
    demo.find(r"(Ctrl-C ends everything)")
    batch = demo.command("voucher", "create", "--plan", "Kupon coba", "--count", "1", "--top-up")
    (card,) = csv.DictReader(batch.splitlines())
    router = json.loads(demo.command("nas", "show", "gusung", "--json"))["login_address"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with chromium.new_context(java_script_enabled=False) as mini:
            page = mini.new_page()
            page.goto(demo.phone_url)
            page.get_by_role("button", name="Setuju & sambungkan").click()
            assert urlsplit(page.url).path == "/status"
        first = until(lambda: demo.session_of(VISITOR), "the session is listed")
        demo.process.send_signal(signal.SIGUSR1)
        demo.find(r"(islands have no power)")
        demo.process.send_signal(signal.SIGUSR1)
        demo.find(r"(online again after|Nobody was online)")
        with chromium.new_context(java_script_enabled=False, viewport={"width": 320, "height": 570}) as own:
            page = own.new_page()
            page.goto(demo.phone_url)
            assert "Anda sudah terhubung" in page.inner_text("body")
            until(lambda: _another(demo, first), "the session after MAC authentication is listed")
            page.goto(f"http://{router}/")
            assert urlsplit(page.url).path == "/status"
            assert "tersisa dari" in page.inner_text("main")
            page.get_by_text("Saya punya kode tambahan kuota").click()
            page.get_by_label("Kode voucher").fill(card["code"])
            page.get_by_role("button", name="Tambah kuota").click()
            assert "tambahan sesudahnya" in page.inner_text("main")
            page.get_by_role("button", name="Putuskan perangkat ini").click()
            assert "Anda sudah keluar." in page.inner_text("main")
            page.goto(demo.phone_url)
            assert page.get_by_role("button", name="Setuju & sambungkan").is_visible(), "nothing comes back by itself"
        chromium.close()


def _another(demo: Demo, first: dict[str, object]) -> bool | None:
    session = demo.session_of(VISITOR)
    return None if session is None or session["id"] == first["id"] else True


@pytest.mark.long
def test_server_does_not_outlive_a_demo_that_is_killed(tmp_path: Path) -> None:
    demo = start(tmp_path)
    demo.find(r"(Ctrl-C ends everything)")
    processes = pids(demo)
    demo.process.kill()
    demo.process.wait(60)
    until(lambda: nobody_left(processes), "the server has ended")


@pytest.mark.long
def test_storm_is_told_in_seconds(tmp_path: Path) -> None:
    demo = start(tmp_path, "--storm", "--phones", "40")
    assert demo.find(r"(\d+ of \d+ phones are online again)") == "40 of 40 phones are online again"
    assert demo.stop() == 0
