"""What is measured, and how: one figure after the other, every server in turn, round by round."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bench.load import Answer, Load, run
from bench.server import Server, Stored
from bench.setting import SECRET, Setting
from radius.attributes import Attributes
from radius.client_engine import AccessQuery, Timing
from radius.credentials import PapPassword
from radius.net.client import Answered, exchange

_SETTLE_SECONDS: Final = 600.0
_LOOK_SECONDS: Final = 0.1
_PROBE: Final = Timing(first_seconds=0.05, longest_seconds=0.05, attempts=1, give_up_seconds=0.05)
_ANSWER_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Extent:
    """How long and how often."""

    seconds: float
    rounds: int
    rate: float
    wide_window: int
    ingested: int


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement of one server in one round."""

    measurement: str
    server: str
    round: int
    figures: dict[str, Any] = field(repr=False)  # as JSON has it


MEASUREMENTS: Final = ("pap", "accounting", "rate", "window", "storm", "ingest", "restart")


def measure(name: str, server: Server, setting: Setting, extent: Extent) -> dict[str, Any]:
    """Measure one thing and return its figures."""
    lasting = ("--seconds", str(extent.seconds))
    match name:
        case "pap":
            return _loaded(server, setting, Load("auth", lasting))
        case "accounting":
            return _loaded(server, setting, Load("acct", lasting, people=range(setting.people // 2)))
        case "rate":
            return _loaded(server, setting, Load("auth", (*lasting, "--rate", str(extent.rate))))
        case "window":
            return _loaded(server, setting, Load("auth", lasting, extent.wide_window))
        case "storm":
            return _loaded(server, setting, Load("storm", (), setting.phones))
        case "ingest":
            return _ingested(server, setting, extent)
        case "restart":
            return {"seconds": restart(server, setting)}
        case _:
            raise ValueError(name)


def restart(server: Server, setting: Setting) -> float:
    """Stop a server and start it; return the seconds from the start to its first answer to a person's log-in."""
    server.stop()
    began = time.monotonic()
    server.launch()
    (name, password), source = next(setting.accounts()), setting.addresses()[0]
    asked = AccessQuery(Attributes([("User-Name", name), ("NAS-IP-Address", source)]), PapPassword(password.encode()))
    while not isinstance(_ask(server, asked, source), Answered):
        if time.monotonic() - began > _ANSWER_SECONDS:
            raise RuntimeError(f"{server.name} does not answer")
    seconds = time.monotonic() - began
    server.wait_ready()
    return seconds


def settle(server: Server) -> None:
    """Wait until all that a server has acknowledged is in its database, so that it does not disturb the next."""
    until = time.monotonic() + _SETTLE_SECONDS
    while not server.settled():
        if time.monotonic() > until:
            raise RuntimeError(f"{server.name} does not bring its database up to date")
        time.sleep(_LOOK_SECONDS)


def _loaded(server: Server, setting: Setting, load: Load) -> dict[str, Any]:
    figures = _figures(run(server, setting, load))
    settle(server)
    return figures


def _figures(answer: Answer) -> dict[str, Any]:
    told = answer.figures
    return {
        **{name: told[name] for name in ("per_second", "all_answered_seconds", "server_us", "generator_us")},
        **told["latency"],
        "memory_octets": told["server_octets"],
        "whole_us": answer.whole_us,
        "resent": told["counts"]["resent"],
        "faults": answer.faults,
    }


def _ingested(server: Server, setting: Setting, extent: Extent) -> dict[str, Any]:
    """Report sessions as fast as they are acknowledged; see when they are all in the database, and whether rightly.

    They are of people of their own: others may have sessions open that a new one of theirs ends.
    """
    before = server.stored()
    if before is None:
        return {}
    pause = 1 + extent.ingested / 20_000  # for the log-ins before
    options = ("--requests", str(extent.ingested), "--settle", str(pause))
    people = range(setting.people // 2, setting.people)
    with _watched(server) as busy:
        answer = run(server, setting, Load("acct", options, people=people))
        settle(server)
    told, after = answer.figures, server.stored()
    assert after is not None
    known, found = told["sessions"], after - before
    expected = Stored(known["started"], known["stopped"], known["up_octets"], known["down_octets"])
    last_answer = told["began_at"] + told["all_answered_seconds"]
    complete_at = max(last_answer, busy[-1] if busy else 0.0)
    return _figures(answer) | {
        "merged_per_second": told["counts"]["right"] / (complete_at - told["began_at"]),
        "behind_seconds": complete_at - last_answer,
        "acknowledged": asdict(expected),
        "stored": asdict(found),
        "rightly_stored": found == expected,
    }


@contextmanager
def _watched(server: Server) -> Iterator[list[float]]:
    """While the block runs, keep the last moment (epoch seconds) at which the database lacked something."""
    busy: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if not server.settled():
                busy[:] = [time.time()]

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield busy
    finally:
        over.set()
        thread.join()


def _ask(server: Server, asked: AccessQuery, source: str) -> object:
    try:
        return exchange(("127.0.0.1", server.auth_port), SECRET.encode(), asked, timing=_PROBE, source=source)
    except OSError:  # nobody listens there yet
        time.sleep(_PROBE.first_seconds / 10)
        return None


def rounds_of(servers: Sequence[Server], setting: Setting, extent: Extent, names: Sequence[str]) -> Iterator[Result]:
    """Measure everything, each server first as often as the others."""
    for number in range(extent.rounds):
        turn = number % len(servers)
        for name in names:
            for server in (*servers[turn:], *servers[:turn]):
                figures = measure(name, server, setting, extent)
                if figures:
                    yield Result(name, server.name, number, figures)
                os.sync()  # what one has left to the system to write is not paid for by the next
