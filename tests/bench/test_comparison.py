"""`make bench`: the arithmetic of its tables, its picture, what it reads of processes; and once for real, in small."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import plot, tables
from bench.freeradius import FreeRadius
from bench.measuring import MEASUREMENTS, Extent, Result
from bench.setting import Setting
from bench.usage import tree_cpu_seconds

ROOT = Path(__file__).resolve().parents[2]
EXTENT = Extent(seconds=6, rounds=3, rate=1000, wide_window=1024, ingested=1000)
OURS, PEER = "Pesisir, SQLite", "FreeRADIUS, memory"


def results(measurement: str, figure: str, ours: list[float], peer: list[float]) -> list[Result]:
    return [
        Result(measurement, server, number, {figure: value})
        for server, figures in ((OURS, ours), (PEER, peer))
        for number, value in enumerate(figures)
    ]


def page(found: list[Result], tmp_path: Path) -> str:
    setting = Setting(tmp_path, people=100_000, phones=5_000)
    return tables.results_page(found, setting, EXTENT, {"memory": "24.7 GB"}, "2026-11-24")


def test_figures_are_medians_and_ratios_are_taken_within_a_round(tmp_path: Path) -> None:
    """The middle of the ratios (2, 0.5, 5) is 2; the ratio of the middles (20 and 20) would be 1."""
    shown = page(results("pap", "per_second", [20, 10, 100], [10, 20, 20]), tmp_path)
    assert f"|  | {OURS} | {PEER} | {OURS} : {PEER} |" in shown
    assert "| PAP, requests a second | 20 | 20 | 2.00 |" in shown


def test_ratio_is_above_one_where_less_is_needed(tmp_path: Path) -> None:
    shown = page(results("pap", "server_us", [50.0], [100.0]), tmp_path)
    assert "| PAP, CPU of the processes that answer, a request, µs | 50.0 | 100.0 | 2.00 |" in shown


def test_round_that_only_one_server_has_counts_in_no_ratio(tmp_path: Path) -> None:
    shown = page(results("storm", "all_answered_seconds", [1.0, 1.0], [3.0]), tmp_path)
    assert "| evening storm, seconds until 5,000 are online | 1.00 | 3.00 | 3.00 |" in shown


def test_what_was_wrong_is_on_the_page(tmp_path: Path) -> None:
    found = [
        Result("pap", OURS, 0, {"faults": 2}),
        Result("ingest", OURS, 0, {"faults": 1, "rightly_stored": False}),
        Result("ingest", PEER, 0, {"faults": 0, "rightly_stored": True}),
    ]
    shown = page(found, tmp_path)
    assert f"{OURS}: 3 wrong verdicts" in shown
    assert "its database has not exactly the sessions" in shown
    assert "its database has exactly the sessions" in shown


def test_every_row_is_of_a_measurement_that_is_made() -> None:
    assert {row.measurement for row in tables.ROWS} == set(MEASUREMENTS)


def test_growth_has_a_line_for_each_size() -> None:
    row = {
        "people": 1_000_000, "routers": 721, "import_seconds": 70.0, "restart_seconds": 20.5, "memory_octets": 1.2e9,
        "per_second": 7000.0, "p99_ms": 20.0, "server_us": 130.0, "faults": 0,
    }  # fmt: skip
    shown = tables.growth_page([row], EXTENT, {"memory": "24.7 GB"}, "2026-11-24")
    assert "| 1,000,000 | 721 | 70.0 | 20.50 | 1,200 | 7,000 | 20.0 | 130.0 | 0 |" in shown


def test_picture_of_growth_shows_how_many_times_the_first_each_figure_is() -> None:
    small = {"people": 1_000, "routers": 4, "memory_octets": 1e8, "restart_seconds": 1.0, "server_us": 50.0}
    large = {"people": 100_000, "routers": 4, "memory_octets": 1e9, "restart_seconds": 10.0, "server_us": 50.0}
    many_routers = large | {"routers": 721, "memory_octets": 9e9}
    drawn = ET.fromstring(plot.growth([small, large, many_routers]))
    paths = drawn.iter("{http://www.w3.org/2000/svg}path")
    lines = [path.attrib["d"] for path in paths if path.attrib.get("class", "").startswith("line ")]
    memory, start, cpu = (line for line in lines if "L" in line)
    assert memory == start  # ten times
    ends = [float(point.split(" ")[1]) for point in cpu.removeprefix("M").split("L")]
    assert ends[0] == ends[1]  # the same


def test_picture_has_a_bar_as_long_as_its_figure() -> None:
    drawn = ET.fromstring(plot.chart(results("pap", "per_second", [500.0], [1000.0])))
    space = "{http://www.w3.org/2000/svg}"
    bars = [int(bar.attrib["width"]) for bar in drawn.iter(f"{space}rect")][1:]
    assert bars[0] * 2 == bars[1]
    assert [words.text for words in drawn.iter(f"{space}text")] == [
        "PAP, requests a second", OURS, "500", PEER, "1,000",
    ]  # fmt: skip


def test_cpu_of_a_tree_has_that_of_children_and_of_those_that_have_ended(tmp_path: Path) -> None:
    for pid, parent, own, ended in ((1, 0, 900, 900), (7, 1, 100, 20), (8, 7, 50, 0), (9, 8, 30, 0), (10, 1, 500, 0)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(
            f"{pid} (postgres: (x) y) S {parent} 1 1 0 -1 0 0 0 0 0 {own} 0 {ended} 0 20 0 1 0 1"
        )
    assert tree_cpu_seconds([7], tmp_path) == pytest.approx(2.0)  # 100 + 20 + 50 + 30 ticks of 10 ms


def test_routers_and_phones_have_addresses_of_their_own(tmp_path: Path) -> None:
    setting = Setting(tmp_path, people=1, phones=300, routers=10_000)
    assert len(set(setting.addresses())) == 10_000
    assert setting.addresses(2) == ["127.10.0.1", "127.10.19.137"]
    assert len(set(setting.macs())) == 300


@pytest.mark.lab
def test_peer_from_memory_reads_its_configuration(tmp_path: Path) -> None:
    setting = Setting(tmp_path, people=3, phones=2)
    peer = FreeRadius(setting)
    assert (tmp_path / "freeradius" / "users").read_text().count("Cleartext-Password") == 5
    program = shutil.which("freeradius") or ""
    done = subprocess.run([program, "-C", "-d", tmp_path / "freeradius"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    peer.stop()


@pytest.mark.lab
def test_comparison_runs_from_end_to_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "bench", "--users", "300", "--devices", "60", "--rounds", "1", "--seconds", "0.5",
            "--ingest", "1000", "--only", "pap", "storm", "ingest", "restart", "--grow-routers", "3",
            "--out", str(tmp_path / "out"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "results.json").read_text())
    servers = {one["server"] for one in told["results"]}
    assert servers == {OURS, "Pesisir, PostgreSQL", PEER, "FreeRADIUS, PostgreSQL"}
    assert all(not one["figures"].get("faults") for one in told["results"])
    ingest = {one["server"]: one["figures"] for one in told["results"] if one["measurement"] == "ingest"}
    assert set(ingest) == servers - {PEER}
    assert all(figures["rightly_stored"] and figures["stored"]["sessions"] for figures in ingest.values())
    assert [row["routers"] for row in told["growth"]] == [3]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.json", "results.md", "results.svg", "growth.md", "growth.svg",
    }  # fmt: skip
