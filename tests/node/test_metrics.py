from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app import metrics
from app.metrics import RadiusCollector, registry_of
from radius.backend import Service
from radius.counters import NasCounters
from radius.errors import DropReason
from radius.net.server import Listen, UdpServer
from tests.node.city import City, Node


def collector(node: Node) -> tuple[RadiusCollector, UdpServer]:
    server = UdpServer(node.backend, [Listen(Service.AUTH, "127.0.0.1", 0)])
    return (
        RadiusCollector(
            "radius-0",
            server=server,
            backend=node.backend,
            journal=node.journal,
            follower=node.follower,
            checker=node.checker,
        ),
        server,
    )


def test_every_drop_reason_has_a_metric(city: City, start: Callable[[City], Node], tmp_path: Path) -> None:
    made, server = collector(start(city))
    server.close()
    (tmp_path / "run").mkdir()
    metrics.write(registry_of(made), tmp_path, "radius-0")
    families = {family.name: family for family in text_string_to_metric_families(metrics.joined(tmp_path))}
    reasons = {sample.labels["reason"] for sample in families["pesisir_radius_drops"].samples}
    assert reasons == {reason.value for reason in DropReason}


def test_every_counter_of_a_nas_has_a_metric(city: City, start: Callable[[City], Node], tmp_path: Path) -> None:
    made, server = collector(start(city))
    server.close()
    server.engine.counters.by_nas["nasanasanasanasa"] = NasCounters(accepts=3)
    (tmp_path / "run").mkdir()
    metrics.write(registry_of(made), tmp_path, "radius-0")
    families = {family.name: family for family in text_string_to_metric_families(metrics.joined(tmp_path))}
    kinds = {sample.labels["kind"]: sample.value for sample in families["pesisir_radius_packets"].samples}
    counted = set(NasCounters.__slots__) - {"drops", "older_secret_last_used_at"}
    assert set(kinds) == counted
    assert kinds["accepts"] == 3


def test_processes_are_joined_with_each_family_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for process in ("radius-0", "radius-1"):
        (tmp_path / "run" / f"{process}.prom").write_text(
            f'# HELP x_total what\n# TYPE x_total counter\nx_total{{process="{process}"}} 1.0\n'
        )
    text = metrics.joined(tmp_path)
    assert text.count("# HELP") == 1
    assert [
        sample.labels["process"] for family in text_string_to_metric_families(text) for sample in family.samples
    ] == [
        "radius-0",
        "radius-1",
    ]


def test_what_has_not_been_written_lately_is_not_shown(tmp_path: Path) -> None:
    import os

    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "radius-0.prom"
    path.write_text("x 1.0\n")
    os.utime(path, (1, 1))
    assert metrics.joined(tmp_path) == ""
