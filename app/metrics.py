"""What the engines count, published for Prometheus. They count in plain objects; here these become metrics.

Each process writes its own to `<data dir>/run/<process>.prom`; the status listener joins what is young.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.node.backend import NodeBackend
from app.node.follower import Follower
from app.node.journal.writer import Journal, free_octets
from app.node.notices import Noticed
from app.node.passwords import PasswordChecker
from app.node.running import write_whole
from app.node.snapshot import Snapshot, Source
from app.node.stored.keeper import Keeper
from app.packet_metrics import buffer_metrics, packet_metrics
from app.worker.dispatcher import Dispatcher
from app.worker.loop import Worker
from radius.net.server import UdpServer

_YOUNG_SECONDS: Final = 30.0


class RadiusCollector(Collector):
    """The counters of one RADIUS process."""

    def __init__(
        self,
        process: str,
        *,
        server: UdpServer,
        snapshot: Snapshot,
        hints_of: Callable[[str], Sequence[Noticed]],
        backend: NodeBackend,
        journal: Journal,
        follower: Follower,
        keeper: Keeper,
        checker: PasswordChecker,
    ) -> None:
        self._process = process
        self._server, self._snapshot, self._backend, self._journal = server, snapshot, backend, journal
        self._follower, self._keeper, self._checker = follower, keeper, checker
        self._hints_of = hints_of

    def collect(self) -> Iterable[Metric]:
        """Yield every metric of the process."""
        yield from self._packets()
        yield from self._decisions()
        yield from self._journaled()
        yield from self._remembered()
        checker = self._checker.counters
        for name in ("checked", "wrong", "remembered", "busy"):
            yield self._count(f"password_{name}", "passwords by RADIUS", getattr(checker, name))

    def _packets(self) -> Iterator[Metric]:
        nases = self._snapshot.nases.by_id
        names = {nas_id: known.nas.name for nas_id, known in nases.items()}
        yield from packet_metrics(self._process, self._server.engine.counters, names)
        yield self._hints(names)
        yield from buffer_metrics(self._process, self._server.receive_buffers())
        yield self._count("radius_failures", "datagrams and batches that ended in an exception", self._server.failures)
        yield self._count("radius_unsent", "answers that the kernel did not take", self._server.unsent)
        yield self._gauge("radius_waiting", "parked requests and delayed answers", self._server.waiting)

    def _hints(self, names: Mapping[str, str]) -> Metric:
        family = GaugeMetricFamily(
            "pesisir_nas_hint", "1 while something is probably wrong with a NAS", labels=["process", "nas", "hint"]
        )
        for nas_id, name in names.items():
            for noticed in self._hints_of(nas_id):
                family.add_metric([self._process, name, noticed.kind.value], 1)
        return family

    def _decisions(self) -> Iterator[Metric]:
        for name in ("accepts", "rejects", "undecided", "parked", "unknown_macs", "repeats"):
            value = getattr(self._backend.authorizer.counters, name)
            yield self._count(f"node_{name}", "Access-Requests", value)
        for name in ("reports", "restarts", "unusable", "unmatched"):
            value = getattr(self._backend.accountant.counters, name)
            yield self._count(f"node_accounting_{name}", "Accounting-Requests", value)
        for name in ("unrecorded", "unstored", "failures"):
            yield self._count(f"node_{name}", "what the node could not do", getattr(self._backend.counters, name))

    def _journaled(self) -> Iterator[Metric]:
        counters = self._journal.counters
        for name in ("batches", "records", "octets", "failures", "refused", "late", "segments"):
            yield self._count(f"journal_{name}", "the journal of this process", getattr(counters, name))
        yield self._gauge("journal_healthy", "1 while the disk takes what is written", float(self._journal.healthy))
        yield self._gauge("journal_space_low", "1 when the disk is nearly full", float(self._journal.space_low))
        yield self._gauge("journal_slowest_seconds", "the slowest write and sync", counters.slowest_seconds)

    def _remembered(self) -> Iterator[Metric]:
        from_file, kept = self._snapshot.source is Source.FILE, self._keeper.counters
        yield self._gauge("snapshot_age_seconds", "how long ago the last read of the feed began", self._age())
        yield self._gauge("snapshot_from_file", "1 while it is what an earlier run stored", float(from_file))
        yield self._count("snapshot_writes", "how often the snapshot was stored", kept.writes)
        yield self._count("snapshot_write_failures", "how often it could not be stored", kept.failures)
        yield self._gauge("snapshot_write_seconds", "how long storing it took, rests included", kept.seconds)
        yield self._gauge("snapshot_file_octets", "how large the stored snapshot is", kept.octets)

    def _age(self) -> float:
        return min(self._follower.age_seconds, 1e9)

    def _count(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(f"pesisir_{name}", text, labels=["process"])
        family.add_metric([self._process], value)
        return family

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(f"pesisir_{name}", text, labels=["process"])
        family.add_metric([self._process], value)
        return family


class WorkerCollector(Collector):
    """The counters of the worker and of its dispatcher."""

    def __init__(self, worker: Worker, dispatcher: Dispatcher) -> None:
        self._worker, self._dispatcher = worker, dispatcher

    def collect(self) -> Iterable[Metric]:
        """Yield every metric of the worker."""
        for name in ("merged", "failures", "closed_stale", "segments_deleted"):
            family = CounterMetricFamily(f"pesisir_worker_{name}", "the worker")
            family.add_metric([], getattr(self._worker.counters, name))
            yield family
        for name in ("rounds", "failures", "set", "lifted"):
            family = CounterMetricFamily(f"pesisir_governor_{name}", "the governor")
            family.add_metric([], getattr(self._worker.governing.counters, name))
            yield family
        changes = CounterMetricFamily(
            "pesisir_changes", "changes of open sessions, by what they were carried out and what came of it",
            labels=["way", "result"],
        )  # fmt: skip
        for (way, result), number in sorted(self._dispatcher.counters.results.items()):
            changes.add_metric([way, result], number)
        yield changes
        refused = CounterMetricFamily(
            "pesisir_changes_refused", "changes that a NAS has refused, by its Error-Cause",
            labels=["nas", "error_cause"],
        )  # fmt: skip
        for (nas, cause), number in sorted(self._dispatcher.counters.refused.items()):
            refused.add_metric([nas, cause], number)
        yield refused
        silent = CounterMetricFamily("pesisir_changes_silent", "changes that a NAS did not answer", labels=["nas"])
        for nas, number in sorted(self._dispatcher.counters.silent.items()):
            silent.add_metric([nas], number)
        yield silent


class _Disk(Collector):
    """The disk of the data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def collect(self) -> Iterable[Metric]:
        """Yield how much room there is."""
        yield GaugeMetricFamily("pesisir_disk_free_octets", "room for the data directory", free_octets(self._data_dir))


def registry_of(collector: Collector) -> CollectorRegistry:
    """Return a registry with one collector."""
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def write(registry: CollectorRegistry, data_dir: Path, process: str) -> None:
    """Write a process's metrics where the status listener finds them."""
    write_whole(data_dir / "run" / f"{process}.prom", generate_latest(registry).decode())


def joined(data_dir: Path) -> str:
    """Return the metrics of every process that wrote lately, each family once, and how much room the disk has.

    The latter is read now: a process that cannot write on a full disk is missing here, and is not to be missed for it.
    """
    families: dict[str, list[str]] = {}
    _add(families, generate_latest(registry_of(_Disk(data_dir))).decode())
    for path in sorted((data_dir / "run").glob("*.prom")):
        with suppress(FileNotFoundError):  # the process has just ended
            if time.time() - path.stat().st_mtime < _YOUNG_SECONDS:
                _add(families, path.read_text(encoding="utf-8"))
    return "".join(f"{line}\n" for lines in families.values() for line in lines)


_FAMILY: Final = re.compile(r"# (?:HELP|TYPE) (\S+)")


def _add(families: dict[str, list[str]], text: str) -> None:
    """Sort lines into their families; what describes a family stands once, before its samples."""
    name = ""
    for line in text.splitlines():
        match = _FAMILY.match(line)
        if match is not None:
            name = match[1]
        lines = families.setdefault(name, [])
        if match is None or line not in lines:
            lines.append(line)
