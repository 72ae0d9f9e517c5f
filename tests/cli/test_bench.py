"""`pesisir bench radius`: what it refuses, prints, and ends with."""

from pathlib import Path

import pytest

from tests.bench.servers import PASSWORD, Scripted, serving
from tests.cli.conftest import Pesisir
from tests.radius.support import SECRET, FakeBackend

BENCH = ("bench", "radius")


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret.txt"
    path.write_bytes(SECRET + b"\n")
    return str(path)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        pytest.param("192.0.2.1", "192.0.2.1 is not this machine's own address", id="another machine"),
        pytest.param("0.0.0.0", "0.0.0.0 is not this machine's own address", id="every address"),
        pytest.param("128.0.0.1", "128.0.0.1 is not this machine's own address", id="just beyond loopback"),
        pytest.param("localhost", "'localhost' is not an address", id="a name"),
    ],
)
def test_server_elsewhere_is_not_loaded_without_consent(pesisir: Pesisir, secret: str, server: str, words: str) -> None:
    done = pesisir.run(*BENCH, "--secret-file", secret, "--server", server)
    assert done.code == 2
    assert words in done.err
    if server != "localhost":
        assert "add --anywhere if both are yours to load" in done.err


def test_consent_lets_it_try(pesisir: Pesisir, secret: str) -> None:
    done = pesisir.run(
        *BENCH, "--secret-file", secret, "--server", "192.0.2.1", "--anywhere",
        "--source", "127.0.0.1", "--requests", "1", "--attempts", "1", "--resend", "0.05",
    )  # fmt: skip
    assert "is not this machine's own address" not in done.err
    assert done.code == 1


def test_figures_of_a_good_server_are_printed_and_it_ends_well(pesisir: Pesisir, secret: str) -> None:
    with serving(FakeBackend(password=PASSWORD)) as (auth, acct):
        asked = (*BENCH, "mixed", "--secret-file", secret, "--auth-port", str(auth), "--acct-port", str(acct),
                 "--users", "20", "--password", PASSWORD, "--requests", "40")  # fmt: skip
        shown = pesisir.ok(*asked, "--rounds", "2").out
        told = pesisir.ok(*asked, "--rounds", "2", "--json").json
    assert "mixed, pap, 64 at a time, 4 sockets" in shown
    assert "right 84, wrong 0" in shown  # 7 sessions of 6 requests, twice
    assert told["total"]["right"] == 84
    assert (told["asked"], told["faults"]) == (84, 0)
    assert len(told["rounds"]) == 2
    assert told["rounds"][0]["sessions"]["stopped"] == 7
    assert told["median"]["per_second"] > 0
    assert set(told["rounds"][0]["by_kind"]) == {"access", "accounting"}


def test_wrong_verdicts_end_it_badly_after_the_figures(pesisir: Pesisir, secret: str) -> None:
    with serving(FakeBackend(password=PASSWORD)) as (auth, _):
        done = pesisir.run(*BENCH, "--secret-file", secret, "--auth-port", str(auth), "--requests", "5")
    assert done.code == 1
    assert "right 0, wrong 5" in done.out
    assert "5 wrong verdicts" in done.err


def test_silence_ends_it_badly(pesisir: Pesisir, secret: str) -> None:
    with Scripted(lambda _: []) as silent:
        done = pesisir.run(
            *BENCH, "--secret-file", secret, "--auth-port", str(silent.port),
            "--requests", "2", "--attempts", "1", "--resend", "0.05",
        )  # fmt: skip
    assert done.code == 1
    assert "2 requests without an answer" in done.err
    assert "p50 -" in done.out


def test_storm_needs_the_mac_secret(pesisir: Pesisir, secret: str) -> None:
    done = pesisir.run(*BENCH, "storm", "--secret-file", secret)
    assert done.code == 2
    assert "--mac-secret-file" in done.err


def test_sources_are_taken_in_turn_and_networks_are_spread(pesisir: Pesisir, secret: str) -> None:
    backend = FakeBackend(password=PASSWORD)
    with serving(backend) as (auth, _):
        pesisir.ok(
            *BENCH, "--secret-file", secret, "--auth-port", str(auth), "--users", "9", "--password", PASSWORD,
            "--requests", "40", "--sources", "4", "--source", "127.0.0.1", "--source", "127.0.0.2",
        )  # fmt: skip
    sources = {request.source for request in backend.requests}
    assert {host for host, _ in sources} == {"127.0.0.1", "127.0.0.2"}
    assert len(sources) == 4
    assert {str(request.attributes.address("NAS-IP-Address")) for request in backend.requests} == {
        "127.0.0.1",
        "127.0.0.2",
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param(("--first-mac", "nonsense"), "is not a MAC", id="MAC"),
        pytest.param(("--name", "user{"), "must be patterns", id="pattern"),
        pytest.param(("--source", "10.0.0.1/8"), "has host bits set", id="network"),
        pytest.param(("--pid", "99999999"), "there is no process 99999999", id="process"),
        pytest.param(("--users-file", "/nonexistent"), "cannot read", id="file"),
    ],
)
def test_bad_option_says_what_is_wrong(pesisir: Pesisir, secret: str, more: tuple[str, str], words: str) -> None:
    done = pesisir.run(*BENCH, "--secret-file", secret, "--requests", "1", "--attempts", "1", *more)
    assert done.code in (1, 2)
    assert words in done.err
