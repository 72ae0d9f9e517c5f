"""`python -m bench.governor`: what one round of the governor costs, with more and more sessions.

Each round sees new reports of half of the sessions, as rounds of 30 seconds do where routers report every 60; the line
is full, one phone in 25 is heavy, and their ceilings move.
"""

import argparse
import gc
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, thread_time
from typing import Final

from app.domain.governed import Line, Promise, Reading, State
from app.domain.governor import decide
from app.domain.service_classes import ServiceClass
from app.simulator.evening.drawing import Axis, Chart, Series, steps
from bench.product import ROOT
from bench.usage import machine

_SIZES: Final = (100, 400, 1_000, 2_000, 5_000, 10_000, 21_630)
_PER_SITE: Final = 30
_BOUNDS: Final = {400: 20.0, 21_630: 500.0}  # ms that a round may take
_BPS_EACH: Final = 150_000  # of the line, for each session
_ROUND: Final = timedelta(seconds=30)
_BEGINS_AT: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """Rounds with so many sessions: ms of CPU a round, the longest by the clock, and how many ceilings moved in all."""

    sessions: int
    sites: int
    cpu_ms: float
    longest_ms: float
    changes: int

    @property
    def bound_ms(self) -> float | None:
        """Return what it may take; None: nothing was promised for this size."""
        return _BOUNDS.get(self.sessions)


def main(arguments: Sequence[str]) -> int:
    """Measure, and write down what was measured; 1 if a bound did not hold."""
    parser = argparse.ArgumentParser(prog="bench.governor", description=__doc__)
    parser.add_argument("--sessions", nargs="*", type=int, default=list(_SIZES), metavar="N")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance")
    asked = parser.parse_args(arguments)
    found = []
    for size in asked.sessions:
        found.append(measure(size, asked.rounds))
        print(found[-1], file=sys.stderr)
    told, taken = machine(), datetime.now(UTC).date().isoformat()
    asked.out.mkdir(parents=True, exist_ok=True)
    whole = {"taken": taken, "machine": told, "rounds": asked.rounds, "results": [asdict(one) for one in found]}
    (asked.out / "governor.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (asked.out / "governor.md").write_text(page(found, told, taken, asked.rounds), encoding="utf-8")
    (asked.out / "governor.svg").write_text(plot(found), encoding="utf-8")
    print(f"written to {asked.out}", file=sys.stderr)
    return 1 if any(one.bound_ms is not None and one.longest_ms > one.bound_ms for one in found) else 0


def measure(size: int, rounds: int) -> Measured:
    """Return what rounds with so many sessions cost; the first two, in which nothing is known, are not counted."""
    sites = -(-size // _PER_SITE)
    promises = (Promise(ServiceClass.OFFICE, size * _BPS_EACH // 6, 2), Promise(ServiceClass.RESIDENT))
    line = Line(size * _BPS_EACH, promises, {f"site-{number}": 50_000_000 for number in range(sites)})
    cpu, clock = list[float](), list[float]()
    state, changes = State(), 0
    for number, (now, readings) in enumerate(_rounds(size, rounds + 2)):
        gc.collect()
        began, busy = perf_counter(), thread_time()
        state, decided = decide(line, state, readings, now=now)
        if number >= 2:
            cpu.append(1_000 * (thread_time() - busy))
            clock.append(1_000 * (perf_counter() - began))
        changes += len(decided.ceilings)
    return Measured(size, sites, median(cpu), max(clock), changes)


def _rounds(size: int, rounds: int) -> Iterator[tuple[datetime, list[Reading]]]:
    """Yield what is known of a full line: a phone in 25 takes a lot and the others fill it, more or less."""
    chance = Random(size)  # noqa: S311 a game
    octets, reported = [0] * size, [_BEGINS_AT] * size
    for number in range(rounds):
        now = _BEGINS_AT + (number + 2) * _ROUND
        for phone in range(number % 2, size, 2):
            bps = 16 * _BPS_EACH if phone % 25 == 0 else chance.randint(0, _BPS_EACH)
            octets[phone] += int(bps * (now - reported[phone]).total_seconds() / 8)
            reported[phone] = now
        yield (
            now,
            [
                Reading(f"s{n}", f"nas-{n // _PER_SITE}", f"site-{n // _PER_SITE}", _class(n), octets[n], reported[n])
                for n in range(size)
            ],
        )


def _class(phone: int) -> ServiceClass:
    return ServiceClass.OFFICE if phone % _PER_SITE == 1 else ServiceClass.RESIDENT


def page(found: Sequence[Measured], told: Mapping[str, str], taken: str, rounds: int) -> str:
    """Return the table."""
    rows = [
        f"| {one.sessions:,} | {one.sites:,} | {one.cpu_ms:,.1f} | {one.longest_ms:,.1f} "
        f"| {1_000 * one.cpu_ms / one.sessions:,.1f} | {'' if one.bound_ms is None else f'{one.bound_ms:g}'} "
        f"| {one.changes:,} |"
        for one in found
    ]
    return "\n".join(
        [
            "# The governor",
            "",
            (
                f"Taken on {taken} by `python -m bench.governor`: {rounds} rounds of each size, one thread. "
                f"{told['processor']}; {told['system']}; Python {told['Python']}; {told['Pesisir']}."
            ),
            "",
            "| sessions | sites | CPU a round, ms | longest by the clock, ms | CPU a session, µs | bound, ms | moved |",
            "|---:|---:|---:|---:|---:|---:|---:|",
            *rows,
            "",
            "CPU is the median; the clock shows what else ran meanwhile. Moved: ceilings in all rounds together.",
            "",
            "![What a round costs](governor.svg)",
            "",
        ]
    )


def plot(found: Sequence[Measured]) -> str:
    """Return a picture of what a round costs against how many sessions there are."""
    most = max((one.longest_ms for one in found), default=1.0)
    ticks, across = steps(most), steps(max((one.sessions for one in found), default=1))
    chart = Chart(
        "What a round of the governor costs",
        Axis(0, across[-1], [(value, f"{value:,.0f}") for value in across], "sessions"),
        Axis(0, ticks[-1], [(value, f"{value:g}") for value in ticks], "ms; sessions across"),
        keys=1,
    )
    chart.key([("CPU, median", 3), ("longest by the clock", 0)])
    chart.line(Series("longest", 0, [(one.sessions, one.longest_ms) for one in found]))
    chart.line(Series("CPU", 3, [(one.sessions, one.cpu_ms) for one in found]))
    return chart.svg()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
