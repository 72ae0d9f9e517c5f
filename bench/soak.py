"""`make soak`: `pesisir serve` under an even load for long, and whether its memory, files and threads stay flat.

The load is that of `pesisir bench radius mixed`: log-ins and the whole sessions that follow. At the end the sessions
and octets in the database are compared with those that were acknowledged, exactly.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.flatness import Sample, judged, reading
from bench.load import Load, command
from bench.measuring import settle
from bench.product import ROOT, Pesisir
from bench.server import Stored
from bench.setting import Setting
from bench.soak_page import Soak, page
from bench.usage import machine

_FOLDER: Final = Path("/var/tmp")  # noqa: S108 a folder of its own is made there; /tmp may be memory
_SAMPLE_SECONDS: Final = 5.0
# The generator keeps a round's requests in memory, and their times are of its beginning: later, clocks would seem off.
_LONGEST_ROUND: Final = 60.0
_STOP_SECONDS: Final = 10.0
_SAID: Final = (".json", ".err")  # what the generator says, and what it complains of


def main(arguments: Sequence[str]) -> int:
    """Run one soak; 1 if anything was wrong, or not flat."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended and the folder is removed
    folder = Path(tempfile.mkdtemp(prefix="pesisir-soak-", dir=asked.folder))
    asked.out.mkdir(parents=True, exist_ok=True)
    asked.samples.parent.mkdir(parents=True, exist_ok=True)
    try:
        soak = _soak(Setting(folder, asked.users, phones=1), asked.seconds, asked.rate, asked.samples)
    finally:
        shutil.rmtree(folder)
    text = page(soak)
    (asked.out / "soak.md").write_text(text, encoding="utf-8")
    print(text)
    beside = f"the samples, the rounds and the server's log to {asked.samples.with_suffix('')}.*"
    print(f"written to {asked.out / 'soak.md'}, {beside}", file=sys.stderr)
    return 0 if soak.passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second, of both kinds together")
    parser.add_argument("--users", type=int, default=10_000, help="people who log in")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the server has its data while it runs")
    parser.add_argument("--samples", type=Path, default=ROOT / "var" / "soak.csv", help="where each sample is written")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance")
    return parser


@dataclass(frozen=True, slots=True)
class _Told:
    """What the generator said at its end."""

    rounds: Sequence[Mapping[str, Any]]  # JSON of a program
    faults: int


def _soak(setting: Setting, seconds: float, rate: float, samples: Path) -> Soak:
    with ExitStack() as stack:
        print(f"setting up {setting.people} people", file=sys.stderr)
        server = Pesisir(setting)
        stack.callback(server.close)
        stack.callback(server.stop)
        server.launch()
        server.wait_ready()
        before = server.stored()
        began = time.monotonic()
        with _generator(server, setting, seconds, rate, samples) as generator:
            taken = list(_sampled(server, generator, samples))
        told = _said(samples)
        shutil.copyfile(server.log, samples.with_suffix(".log"))
        lasted = time.monotonic() - began
        settle(server)
        after = server.stored()
        assert before is not None
        assert after is not None
        return Soak(
            taken=datetime.now(UTC).date().isoformat(),
            machine=machine(),
            people=setting.people,
            asked_rate=rate,
            lasted_seconds=lasted,
            rounds=told.rounds,
            faults=told.faults,
            acknowledged=_acknowledged(told.rounds),
            stored=after - before,
            processes=judged(taken),
            written_octets=sum(path.stat().st_size for path in setting.folder.rglob("*") if path.is_file()),
        )


@contextmanager
def _generator(
    server: Pesisir, setting: Setting, seconds: float, rate: float, samples: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Load the server for so long, in rounds; end the generator with the block. What it says goes to files beside.

    Nobody reads a pipe meanwhile, and an hour's rounds are more than one holds.
    """
    rounds = max(1, round(seconds / _LONGEST_ROUND))
    options = ("--rate", f"{rate:g}", "--seconds", f"{seconds / rounds:g}", "--rounds", str(rounds))
    words = command(server, setting, Load("mixed", options))
    with ExitStack() as stack:
        said, complained = (stack.enter_context(samples.with_suffix(suffix).open("wb")) for suffix in _SAID)
        process = stack.enter_context(subprocess.Popen(words, cwd=ROOT, stdout=said, stderr=complained))
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(_STOP_SECONDS)


def _sampled(server: Pesisir, generator: "subprocess.Popen[bytes]", path: Path) -> Iterator[Sample]:
    """Look at every process of the server until the generator has ended, and write down what was seen."""
    began = time.monotonic()
    with path.open("w", encoding="ascii") as file:
        file.write("seconds,process,resident_octets,files,threads\n")
        due = began
        while generator.poll() is None:
            at = time.monotonic() - began
            for name, pid in server.processes().items():
                sample = reading(name, pid, at)
                file.write(f"{at:.1f},{name},{sample.resident_octets},{sample.files},{sample.threads}\n")
                yield sample
            file.flush()
            due += _SAMPLE_SECONDS
            _wait(generator, max(0.0, due - time.monotonic()))


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _said(samples: Path) -> _Told:
    told, error = (samples.with_suffix(suffix).read_text(encoding="utf-8") for suffix in _SAID)
    if not told:
        raise RuntimeError(f"the generator did not measure: {error}")
    answer = json.loads(told)
    return _Told(answer["rounds"], answer["faults"])


def _acknowledged(rounds: Sequence[Mapping[str, Any]]) -> Stored:
    """Add up what a correct server knows of the sessions of every round."""
    names = ("started", "stopped", "up_octets", "down_octets")
    return Stored(*(sum(int(one["sessions"][name]) for one in rounds) for name in names))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
