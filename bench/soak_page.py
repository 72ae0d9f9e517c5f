"""The result of a soak as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.flatness import MOST_OCTETS_AN_HOUR, Judged
from bench.server import Stored


@dataclass(frozen=True, slots=True)
class Soak:
    """One run: `rounds` as the generator told them, `written_octets` on disk at its end."""

    taken: str
    machine: Mapping[str, str]
    people: int
    asked_rate: float
    lasted_seconds: float
    rounds: Sequence[Mapping[str, Any]]  # JSON of a program
    faults: int
    acknowledged: Stored
    stored: Stored
    processes: Sequence[Judged]
    written_octets: int

    @property
    def exact(self) -> bool:
        """Tell whether the database has what was acknowledged, to the octet."""
        return self.acknowledged == self.stored

    @property
    def passed(self) -> bool:
        """Tell whether every answer was right, the database is exact, and everything stayed flat."""
        return self.exact and not self.faults and all(one.flat for one in self.processes)


def page(soak: Soak) -> str:
    """Return the page of a soak."""
    return "\n\n".join((_head(soak), _answers(soak), _processes(soak), _database(soak))) + "\n"


def _head(soak: Soak) -> str:
    told = soak.machine
    return (
        "# Soak\n\n"
        "Written by `make soak`; it is overwritten by the next run.\n\n"
        f"{soak.taken}: `pesisir serve` on SQLite, one RADIUS process, {soak.people:,} people, "
        f"{soak.asked_rate:g} requests a second for {_minutes(soak.lasted_seconds)}. "
        f"{told['processor']}, {told['memory']}; {told['system']}; Python {told['Python']}; {told['Pesisir']}.\n\n"
        f"**{'Passed' if soak.passed else 'Failed'}.**"
        + ("" if all(one.memory_judged for one in soak.processes) else " Too short to judge memory.")
    )


def _answers(soak: Soak) -> str:
    def whole(name: str) -> int:
        return sum(int(one["counts"][name]) for one in soak.rounds)

    def middle(name: str) -> float:
        return median(float(one["latency"][name]) for one in soak.rounds)

    rows = (
        ("requests sent", f"{whole('sent'):,}"),
        ("rightly answered", f"{whole('right'):,}"),
        ("wrong verdicts, answers not believed, lost", f"{whole('wrong'):,}, {whole('bad'):,}, {whole('lost'):,}"),
        ("sent again", f"{whole('resent'):,}"),
        ("requests a second, median of the rounds", f"{median(float(one['per_second']) for one in soak.rounds):.1f}"),
        ("latency p50, p99, median of the rounds", f"{middle('p50_ms'):.2f} ms, {middle('p99_ms'):.2f} ms"),
        ("the slowest answer", f"{max(float(one['latency']['max_ms']) for one in soak.rounds):.0f} ms"),
    )
    return "| answers | |\n|---|---:|\n" + "\n".join(f"| {words} | {value} |" for words, value in rows)


def _processes(soak: Soak) -> str:
    head = (
        "| process | MB at first | half-way | at last | MB an hour, last half | files, first and last half "
        "| threads, first and last half | flat |\n"
        "|---|---:|---:|---:|---:|---:|---:|---|\n"
    )
    rows = (
        f"| {one.process} | {one.first_octets / 1e6:.1f} | {one.middle_octets / 1e6:.1f} | {one.last_octets / 1e6:.1f} "
        f"| {one.octets_an_hour / 1e6:+.1f} | {one.files_before}, {one.files_after} "
        f"| {one.threads_before}, {one.threads_after} | {'yes' if one.flat else '**no**'} |"
        for one in soak.processes
    )
    bound = (
        f"\n\nFlat: over the last half, resident memory grows by at most {MOST_OCTETS_AN_HOUR / 1e6:.0f} MB an hour "
        "(least squares through a sample every five seconds), and there are no more open files and threads than in the "
        "first half."
    )
    return head + "\n".join(rows) + bound


def _database(soak: Soak) -> str:
    rows = (
        (words, getattr(soak.acknowledged, name), getattr(soak.stored, name))
        for words, name in (
            ("sessions", "sessions"),
            ("closed", "closed"),
            ("octets up", "up_octets"),
            ("octets down", "down_octets"),
        )
    )
    return (
        "| in the database | acknowledged | stored |\n|---|---:|---:|\n"
        + "\n".join(f"| {words} | {known:,} | {found:,} |" for words, known, found in rows)
        + f"\n\n{'Exact' if soak.exact else '**Not exact**'}. "
        f"Journal and database took {soak.written_octets / 1e6:,.0f} MB of disk."
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
