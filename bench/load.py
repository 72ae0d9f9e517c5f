"""One run of the generator: the product's own command, in a process of its own, told to speak JSON."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bench.product import ROOT
from bench.server import Server
from bench.setting import FIRST_STORM_MAC, Setting
from bench.usage import tree_cpu_seconds

_ABREAST: Final = 128
_SOCKETS: Final = 16  # as many flows are spread over several processes about evenly


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the generator."""

    kind: str
    options: tuple[str, ...] = ()
    window: int = 64
    people: range | None = None  # those of these numbers; None: all


@dataclass(frozen=True, slots=True)
class Answer:
    """What it says: figures of its only round, what was wrong, and what each request cost the whole server."""

    figures: dict[str, Any] = field(repr=False)  # JSON of a program
    faults: int
    whole_us: float


class LoadError(Exception):
    """The generator could not measure; what it said."""


def run(server: Server, setting: Setting, load: Load) -> Answer:
    """Load a server once; raise LoadError."""
    roots = server.roots()
    before = tree_cpu_seconds(roots)
    done = subprocess.run(command(server, setting, load), cwd=ROOT, capture_output=True, text=True, check=False)
    used = tree_cpu_seconds(roots) - before
    if not done.stdout:
        raise LoadError(f"{server.name}: {done.stderr}")
    told = json.loads(done.stdout)
    return Answer(told["rounds"][0], told["faults"], used / told["asked"] * 1e6)


def command(server: Server, setting: Setting, load: Load) -> Sequence[str]:
    """Return the words that start the generator."""
    sockets = max(_SOCKETS, -(-load.window // _ABREAST))
    sources = setting.addresses(sockets)
    people = load.people or range(setting.people)
    return [
        *(sys.executable, "-m", "app.cli", "bench", "radius", load.kind, "--json"),
        *("--auth-port", str(server.auth_port), "--acct-port", str(server.acct_port)),
        *("--secret-file", str(setting.secret_file), "--mac-secret-file", str(setting.mac_secret_file)),
        *("--first", str(people.start), "--users", str(len(people)), "--devices", str(setting.phones)),
        *("--window", str(load.window), "--sources", str(sockets)),
        *(word for address in sources for word in ("--source", address)),
        *(word for pid in server.pids() for word in ("--pid", str(pid))),
        *(("--first-mac", FIRST_STORM_MAC) if load.kind == "storm" else ()),
        *load.options,
    ]
