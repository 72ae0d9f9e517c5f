"""`make fuzz`: datagrams of all kinds through the whole path, for an hour or as long as is asked.

Half of the time chance alone chooses what to change; the other half, where atheris is there (Linux on x86-64), what has
reached new code is gone on from.
"""

import argparse
import importlib.util
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.driver import Report, fuzz

_ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="repeats a run, as far as clocks allow")
    parser.add_argument("--findings", type=Path, default=_ROOT / "var" / "fuzz", help="where a finding is kept")
    asked = parser.parse_args(arguments)
    print(f"{asked.seconds:g} seconds, --seed {asked.seed}", file=sys.stderr)
    guided = importlib.util.find_spec("atheris") is not None
    seconds = asked.seconds / 2 if guided else asked.seconds
    with tempfile.TemporaryDirectory(prefix="pesisir-fuzz-") as folder:
        report = fuzz(Path(folder), asked.findings, seconds=seconds, seed=asked.seed, tell=say)
    show(report)
    if not report.flat:
        return 1
    return guide(asked.findings, seconds, asked.seed) if guided else 0


def guide(findings: Path, seconds: float, seed: int) -> int:
    """Let atheris choose, in a process of its own, whose code it counts; return that process's exit code."""
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pesisir-fuzz-") as folder:
        options = (
            *(
                f"-max_total_time={max(1, round(seconds))}",
                f"-seed={seed or 1}",
                f"-artifact_prefix={findings}/guided-",
            ),
            *("-max_len=5000", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"),
        )
        command = [sys.executable, "-m", "tests.fuzz.guided", folder, str(findings), *options]
        return subprocess.run(command, cwd=_ROOT, check=False).returncode


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def show(report: Report) -> None:
    print(
        f"{report.datagrams:,} datagrams in {report.seconds:.0f} s, the slowest {report.slowest_seconds * 1e3:.0f} ms"
    )
    for outcome, times in sorted(report.outcomes.items(), key=lambda pair: -pair[1]):
        print(f"  {times:>10,}  {outcome}")
    flat = "flat" if report.flat else "NOT FLAT"
    print(f"memory {flat}: {report.growth_octets / 1e6:+.1f} MB over the last {report.late:,} datagrams")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
