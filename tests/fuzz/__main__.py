"""`make fuzz`: datagrams of all kinds through the whole path, for an hour or as long as is asked."""

import argparse
import secrets
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
    with tempfile.TemporaryDirectory(prefix="pesisir-fuzz-") as folder:
        report = fuzz(Path(folder), asked.findings, seconds=asked.seconds, seed=asked.seed, tell=say)
    show(report)
    return 0 if report.flat else 1


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
