"""`make soak`: how growth is judged, what its page says; and once for real, in small."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from bench.flatness import MOST_OCTETS_AN_HOUR, Judged, Sample, judged, reading, slope
from bench.server import Stored
from bench.soak import _generator, _said
from bench.soak_page import Soak, page

if TYPE_CHECKING:
    from bench.product import Pesisir
    from bench.setting import Setting

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000


def samples(memory: list[int], *, files: list[int] | None = None, threads: list[int] | None = None) -> list[Sample]:
    """A process seen every ten minutes."""
    return [
        Sample("radius-0", number * 600.0, octets, (files or [9] * len(memory))[number], (threads or [2] * len(memory))[number])
        for number, octets in enumerate(memory)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([(0, 5.0)], 0.0, id="a single point"),
        pytest.param([(0, 5.0), (10, 5.0)], 0.0, id="flat"),
        pytest.param([(0, 0.0), (1, 2.0), (2, 4.0)], 2.0, id="a line"),
        pytest.param([(0, 0.0), (1, 3.0), (2, 0.0)], 0.0, id="a hump"),
        pytest.param([(0, 4.0), (2, 0.0)], -2.0, id="shrinking"),
    ],
)
def test_slope_is_that_of_least_squares(points: list[tuple[float, float]], expected: float) -> None:
    assert slope(points) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("an_hour", "flat"),
    [
        pytest.param(MOST_OCTETS_AN_HOUR - 600, True, id="just under the bound"),
        pytest.param(MOST_OCTETS_AN_HOUR, True, id="at the bound"),
        pytest.param(MOST_OCTETS_AN_HOUR + 600, False, id="just over the bound"),
    ],
)
def test_memory_may_grow_by_the_bound(an_hour: int, flat: bool) -> None:
    step = an_hour // 6
    (one,) = judged(samples([90 * MB + step * number for number in range(7)]))
    assert one.octets_an_hour == pytest.approx(step * 6)
    assert one.flat is flat


def test_growth_of_the_first_half_is_warming_up() -> None:
    (one,) = judged(samples([50 * MB, 80 * MB, 90 * MB, 100 * MB, 100 * MB, 100 * MB, 100 * MB]))
    assert (one.first_octets, one.middle_octets, one.last_octets) == (50 * MB, 100 * MB, 100 * MB)
    assert one.flat


def test_memory_of_a_short_run_is_not_judged() -> None:
    (one,) = judged(samples([50 * MB, 80 * MB, 120 * MB]))
    assert not one.memory_judged
    assert one.flat


@pytest.mark.parametrize("what", ["files", "threads"])
def test_a_file_or_thread_more_in_the_last_half_is_not_flat(what: str) -> None:
    counts = [5, 7, 7, 7, 7, 8, 7]
    (one,) = judged(samples([MB] * 7, **{what: counts}))
    assert not one.flat
    (one,) = judged(samples([MB] * 7, **{what: [8, *counts[1:]]}))
    assert one.flat


def test_processes_are_judged_apart() -> None:
    leaking = [
        replace(one, process="worker", resident_octets=number * 10 * MB) for number, one in enumerate(samples([0] * 7))
    ]
    assert [(one.process, one.flat) for one in judged([*samples([MB] * 7), *leaking])] == [
        ("radius-0", True),
        ("worker", False),
    ]


def test_a_process_is_read_from_proc(tmp_path: Path) -> None:
    folder = tmp_path / "7"
    for name in ("fd/0", "fd/1", "fd/2", "task/7"):
        (folder / name).mkdir(parents=True)
    (folder / "statm").write_text("900 25 3 1 0 4 0\n", encoding="ascii")
    page_octets = 4096
    assert reading("worker", 7, 1.5, proc=tmp_path) == Sample("worker", 1.5, 25 * page_octets, 3, 1)


def test_a_process_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        reading("worker", 7, 0.0, proc=tmp_path)


FLAT = Judged("radius-0", 1800.0, 80 * MB, 90 * MB, 91 * MB, 2.0 * MB, 18, 18, 7, 7)
STORED = Stored(sessions=2, closed=2, up_octets=30, down_octets=40)
ROUND = {
    "counts": {"sent": 12, "right": 12, "wrong": 0, "bad": 0, "lost": 0, "resent": 1},
    "per_second": 200.0,
    "latency": {"p50_ms": 1.0, "p99_ms": 9.0, "max_ms": 30.0},
}
SOAK = Soak(
    taken="2026-11-24",
    machine={"processor": "a processor", "memory": "8 GB", "system": "Debian", "Python": "3.11", "Pesisir": "abc"},
    people=10,
    asked_rate=200.0,
    lasted_seconds=3600.0,
    rounds=[ROUND, ROUND],
    faults=0,
    acknowledged=STORED,
    stored=STORED,
    processes=[FLAT],
    written_octets=5 * MB,
)


def test_page_says_how_long_it_was_and_that_it_passed() -> None:
    shown = page(SOAK)
    assert "200 requests a second for 60 minutes" in shown
    assert "**Passed.**" in shown
    assert "| requests sent | 24 |" in shown
    assert "| radius-0 | 80.0 | 90.0 | 91.0 | +2.0 | 18, 18 | 7, 7 | yes |" in shown
    assert "| octets down | 40 | 40 |" in shown


@pytest.mark.parametrize(
    ("soak", "words"),
    [
        pytest.param(replace(SOAK, faults=1), "**Failed.**", id="a wrong answer"),
        pytest.param(replace(SOAK, stored=replace(STORED, up_octets=31)), "**Not exact**", id="an octet too many"),
        pytest.param(replace(SOAK, processes=[replace(FLAT, octets_an_hour=11.0 * MB)]), "| **no** |", id="a leak"),
    ],
)
def test_whatever_is_wrong_fails_and_is_said(soak: Soak, words: str) -> None:
    assert not soak.passed
    assert "**Failed.**" in page(soak)
    assert words in page(soak)


@pytest.mark.long
def test_a_short_soak_for_real(tmp_path: Path) -> None:
    samples = tmp_path / "samples.csv"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench.soak", "--seconds", "10", "--users", "100", "--folder", str(tmp_path)),
            *("--out", str(tmp_path), "--samples", str(samples)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Too short to judge memory" in done.stdout
    assert "Exact." in (tmp_path / "soak.md").read_text(encoding="utf-8")
    seen = {line.split(",")[1] for line in samples.read_text(encoding="ascii").splitlines()[1:]}
    assert seen == {"supervisor", "http", "radius-0", "worker"}


def test_generator_may_say_more_than_a_pipe_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = "import json; print(json.dumps({'rounds': [{'word': 'y' * 100}] * 2_000, 'faults': 0}))"
    monkeypatch.setattr("bench.soak.command", lambda *_: [sys.executable, "-c", says])
    samples = tmp_path / "soak.csv"
    with _generator(cast("Pesisir", None), cast("Setting", None), 3600.0, 200.0, samples) as process:
        process.wait(30)
    assert len(_said(samples).rounds) == 2_000
