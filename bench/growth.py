"""The same product with more and more people and routers: what it costs to know them, and to serve one of them."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app.bench.processes import resident_octets
from bench.load import Load, run
from bench.measuring import Extent, restart, settle
from bench.product import Pesisir
from bench.setting import Setting

_PHONES = 10


def grow(setting: Setting, extent: Extent, people: Sequence[int], routers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield figures for each number of people, and then for each number of routers."""
    setting = replace(setting, phones=_PHONES, workers=1)
    for count in people:
        yield _grown(replace(setting, people=count), extent)
    for count in routers:
        yield _grown(replace(setting, routers=count), extent)


def _grown(setting: Setting, extent: Extent) -> dict[str, Any]:
    folder = setting.folder / f"growth-{setting.people}-{setting.routers}"
    folder.mkdir()
    setting = replace(setting, folder=folder)
    server = Pesisir(setting)
    try:
        server.launch()
        server.wait_ready()
        seconds = restart(server, setting)
        memory = resident_octets(server.pids())
        loaded = run(server, setting, Load("auth", ("--seconds", str(extent.seconds))))
        settle(server)
    finally:
        server.stop()
        server.close()
        shutil.rmtree(folder)
    return {
        "people": setting.people,
        "routers": setting.routers,
        "import_seconds": server.import_seconds,
        "restart_seconds": seconds,
        "memory_octets": memory,
        "per_second": loaded.figures["per_second"],
        "p99_ms": loaded.figures["latency"]["p99_ms"],
        "server_us": loaded.figures["server_us"],
        "faults": loaded.faults,
    }
