"""`python -m bench`: set everything up, measure round by round, write down what was measured."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import freeradius, plot, postgresql, tables
from bench.growth import grow
from bench.measuring import MEASUREMENTS, Extent, Result, rounds_of
from bench.product import ROOT, Pesisir
from bench.server import Server
from bench.setting import Setting
from bench.usage import machine

_KINDS: Final = ("pesisir", "pesisir-postgresql", "freeradius", "freeradius-postgresql")
_FOLDER: Final = Path("/var/tmp")  # noqa: S108 a folder of its own is made there; /tmp may be memory
_DATABASES: Final = {"pesisir-postgresql": "pesisir", "freeradius-postgresql": "freeradius"}


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for."""
    asked = _parser().parse_args(arguments)
    _demand_tools(asked.servers)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended and the folder is removed
    folder = Path(tempfile.mkdtemp(prefix="pesisir-bench-", dir=asked.folder))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    extent = Extent(asked.seconds, asked.rounds, asked.rate, asked.window, asked.ingest)
    setting = Setting(folder, asked.users, asked.devices, workers=asked.workers)
    results: list[Result] = []
    growth = []
    try:
        if asked.only:
            with _servers(asked.servers, setting) as servers:
                for result in rounds_of(servers, setting, extent, asked.only):
                    results.append(result)
                    _say(result)
        for row in grow(setting, extent, asked.grow_users, asked.grow_routers):
            growth.append(row)
            print(" ".join(f"{name}={_short(value)}" for name, value in row.items()), file=sys.stderr)
    finally:
        shutil.rmtree(folder)
    asked.out.mkdir(parents=True, exist_ok=True)
    _write(asked.out, results, growth, setting, extent)
    print(f"written to {asked.out}", file=sys.stderr)
    return 1 if any(one.figures.get("faults") or one.figures.get("rightly_stored") is False for one in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--servers", nargs="*", choices=_KINDS, default=list(_KINDS), metavar="SERVER", help=", ".join(_KINDS)
    )
    parser.add_argument(
        "--only",
        nargs="*",
        choices=MEASUREMENTS,
        default=list(MEASUREMENTS),
        metavar="MEASUREMENT",
        help=", ".join(MEASUREMENTS),
    )
    parser.add_argument("--users", type=int, default=100_000, help="people with a password")
    parser.add_argument("--devices", type=int, default=5_000, help="phones of the evening storm")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="RADIUS processes of Pesisir")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of one measurement")
    parser.add_argument("--rate", type=float, default=1_000.0, help="log-ins a second of the open loop")
    parser.add_argument("--window", type=int, default=1_024, help="requests at a time of the wide window")
    parser.add_argument("--ingest", type=int, default=200_000, help="records of the sustained accounting")
    parser.add_argument("--grow-users", nargs="*", type=int, default=[], metavar="N")
    parser.add_argument("--grow-routers", nargs="*", type=int, default=[], metavar="N")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="on the disk that is to be measured")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance")
    return parser


def _demand_tools(servers: Sequence[str]) -> None:
    lacking = []
    if any(server.startswith("freeradius") for server in servers) and not freeradius.available():
        lacking += ["freeradius", "freeradius-postgresql"]
    if any(server in _DATABASES for server in servers) and not postgresql.available():
        lacking.append("postgresql")
    if lacking:
        sys.exit(f"bench: apt-get install {' '.join(lacking)}")


@contextmanager
def _servers(kinds: Sequence[str], setting: Setting) -> Iterator[list[Server]]:
    """Set the servers up, start them all, and end them."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for kind in kinds:
            print(f"setting up {kind}", file=sys.stderr)
            database = None
            if kind in _DATABASES:
                database = postgresql.PostgreSql(setting.folder / f"postgresql-{_DATABASES[kind]}")
                stack.callback(database.stop)
                database.start()
            server: Server
            if kind.startswith("pesisir"):
                server = product = Pesisir(setting, database)
                stack.callback(product.close)
            else:
                server = freeradius.FreeRadius(setting, database)
            stack.callback(server.stop)
            server.launch()
            server.wait_ready()
            servers.append(server)
        yield servers


def _say(result: Result) -> None:
    figures = " ".join(f"{name}={_short(value)}" for name, value in result.figures.items() if value is not None)
    print(f"round {result.round + 1} {result.measurement}: {result.server}: {figures}", file=sys.stderr)


def _short(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _write(
    out: Path, results: Sequence[Result], growth: Sequence[dict[str, object]], setting: Setting, extent: Extent
) -> None:
    told, taken = machine(), datetime.now(UTC).date().isoformat()
    whole = {
        "taken": taken,
        "machine": told,
        "people": setting.people,
        "phones": setting.phones,
        "extent": asdict(extent),
        "results": [asdict(one) for one in results],
        "growth": growth,
    }
    (out / "results.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    if results:
        (out / "results.md").write_text(tables.results_page(results, setting, extent, told, taken), encoding="utf-8")
        (out / "results.svg").write_text(plot.chart(results), encoding="utf-8")
    if growth:
        (out / "growth.md").write_text(tables.growth_page(growth, extent, told, taken), encoding="utf-8")
        (out / "growth.svg").write_text(plot.growth(growth), encoding="utf-8")


sys.exit(main(sys.argv[1:]))
