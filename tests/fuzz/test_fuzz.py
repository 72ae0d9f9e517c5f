"""The fuzzer itself: it reaches what it is for, it sees what is wrong; and a minute of it (`make fuzz` is an hour)."""

import random
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from radius import Accept, AccessQuery, Attributes, Authorization, PapPassword, ServerEngine
from radius.backend import Service
from radius.client_engine import StatusQuery
from radius.messages import AccessRequest
from radius.server_engine import Answered, PendingAccess, PendingAccounting
from tests.fuzz.driver import MOST_GROWTH_OCTETS, Report, Watchdog, one
from tests.fuzz.oracle import WrongAnswerError, check_answer
from tests.fuzz.target import FindingError, Target
from tests.radius.support import (
    CLASS,
    NOW,
    OTHER_SECRET,
    SECRET,
    FakeBackend,
    make_accounting,
    make_arrival,
    make_datagram,
    make_nas,
)

ROOT = Path(__file__).resolve().parents[2]
LOGIN = AccessQuery(
    Attributes([("User-Name", "budi"), ("Proxy-State", b"one"), ("Proxy-State", b"two")]), PapPassword(b"rahasia")
)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    target = Target(tmp_path)
    yield target
    target.close()


def answered(request: bytes, service: Service = Service.AUTH) -> bytes:
    engine = ServerEngine(FakeBackend(make_nas()))
    received = engine.receive(request, make_arrival(service))
    match received:
        case PendingAccess():
            return engine.reply(received, Accept(Authorization(session_timeout_seconds=60), CLASS), NOW)
        case PendingAccounting():
            return engine.acknowledge(received, NOW)
        case Answered():
            return received.reply
        case _:
            raise AssertionError(received)


# It reaches what it is for


def test_mutants_come_to_every_kind_of_end(target: Target, tmp_path: Path) -> None:
    chance = random.Random(5997)
    with Watchdog(tmp_path) as watchdog:
        for _ in range(1500):
            one(target, watchdog, chance, tmp_path)
    target.settle()
    reached = {"decided_2", "decided_3", "stored_5", "answered_2", "answered_3", "answered_5", "malformed", "bad_code"}
    assert reached <= target.outcomes.keys()
    assert target.worker.counters.merged > 100


def test_every_seed_as_it_stands_is_put_through(target: Target) -> None:
    chance = random.Random(2865)
    for seed in target.seeds:
        for host in target.sources:
            target.put(seed.service, seed.write(chance, target._secret), host)
    target.settle()
    assert target.outcomes["decided_2"] > 20


# It sees what is wrong


@pytest.mark.parametrize(
    ("request_", "service", "code"),
    [
        pytest.param(make_datagram(LOGIN), Service.AUTH, 2, id="log-in"),
        pytest.param(make_datagram(StatusQuery()), Service.AUTH, 2, id="status"),
        pytest.param(make_datagram(make_accounting()), Service.ACCT, 5, id="accounting"),
    ],
)
def test_right_answer_passes_and_no_octet_of_it_may_differ(request_: bytes, service: Service, code: int) -> None:
    reply = answered(request_, service)
    assert check_answer(request_, reply, (OTHER_SECRET, SECRET)) == code
    for at in range(len(reply)):
        spoilt = reply[:at] + bytes((reply[at] ^ 1,)) + reply[at + 1 :]
        with pytest.raises(WrongAnswerError):
            check_answer(request_, spoilt, (SECRET,))


def test_answer_to_another_request_is_wrong() -> None:
    with pytest.raises(WrongAnswerError, match="not signed"):
        check_answer(make_datagram(LOGIN, chance=b"d" * 32), answered(make_datagram(LOGIN)), (SECRET,))


def test_exception_that_the_node_survives_is_a_finding(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_request: AccessRequest) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(target.node.authorizer, "decide", fail)
    seed = next(seed for seed in target.seeds if seed.name == "rfc2865_7_1_pap_nemo")
    with pytest.raises(FindingError, match="planted"):
        target.put(seed.service, seed.write(random.Random(1), target._secret), target.sources[0])


def test_finding_is_kept_and_says_where_it_came_from(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(target, "put", fail)
    with Watchdog(tmp_path) as watchdog, pytest.raises(ZeroDivisionError) as caught:
        one(target, watchdog, random.Random(1), tmp_path / "found")
    (kept,) = (tmp_path / "found").iterdir()
    assert kept.name in caught.value.__notes__[0]
    assert bytes.fromhex(kept.read_text(encoding="ascii"))


HANGING = """
import sys, threading
from pathlib import Path
from tests.fuzz.driver import Watchdog
with Watchdog(Path(sys.argv[1]), seconds=0.1) as watchdog:
    watchdog.timed(b"abc", threading.Event().wait)
"""


def test_datagram_that_hangs_ends_the_process_and_is_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "in timed" in done.stderr
    (kept,) = tmp_path.iterdir()
    assert kept.read_text(encoding="ascii") == "61 62 63\n"


FAILING = """
import sys
from tests.fuzz import guided
def fail(*_): raise ZeroDivisionError("planted")
guided.Target.put = fail
guided.main(sys.argv[1], sys.argv[2], ["-runs=50", f"-artifact_prefix={sys.argv[2]}/guided-"])
"""


@pytest.mark.long
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this machine")
def test_what_coverage_leads_to_is_found_and_kept(tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    (tmp_path / "found").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FAILING, str(tmp_path / "city"), str(tmp_path / "found")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0
    assert "planted" in done.stdout + done.stderr
    (kept,) = (tmp_path / "found").iterdir()
    assert kept.name.startswith("guided-crash-")


@pytest.mark.parametrize(
    ("late", "growth", "flat"),
    [
        pytest.param(1000, MOST_GROWTH_OCTETS + 100_000, True, id="at the bound"),
        pytest.param(1000, MOST_GROWTH_OCTETS + 100_001, False, id="just over it"),
        pytest.param(1_000_000, 200_000_000, False, id="two hundred octets of each"),
        pytest.param(1000, -5, True, id="shrinking"),
    ],
)
def test_memory_may_not_grow_with_the_datagrams(late: int, growth: int, flat: bool) -> None:
    assert Report(2 * late, late, 60.0, 0.1, growth, {}).flat is flat


@pytest.mark.long
def test_d20_a_minute_of_datagrams_finds_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "60", "--findings", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "memory flat" in done.stdout
