import re
from collections.abc import Callable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from app import metrics
from app.domain.hints import HintKind
from app.metrics import RadiusCollector, registry_of
from app.node.notices import Noticed
from app.worker.loop import Counters
from radius.backend import Service
from radius.counters import NasCounters
from radius.net.server import UdpServer
from radius.net.sockets import Listen
from tests.node.city import City, Node


def collector(node: Node) -> tuple[RadiusCollector, UdpServer]:
    server = UdpServer(node.backend, [Listen(Service.AUTH, "127.0.0.1", 0)])
    return (
        RadiusCollector(
            "radius-0",
            server=server,
            snapshot=node.snapshot,
            hints_of=lambda _: [Noticed(HintKind.CLOCK_OFF, "2400")],
            backend=node.backend,
            journal=node.journal,
            follower=node.follower,
            keeper=node.keeper,
            checker=node.checker,
        ),
        server,
    )


def published(node: Node, folder: Path, fill: Callable[[UdpServer], None]) -> dict[str, Metric]:
    """Return the families that a RADIUS process writes, by name, once its server has counted something."""
    made, server = collector(node)
    fill(server)
    (folder / "run").mkdir()
    metrics.write(registry_of(made), folder, "radius-0")
    server.close()
    return {family.name: family for family in text_string_to_metric_families(metrics.joined(folder))}


def test_metrics_name_the_nas_and_leave_out_those_that_are_gone(
    city: City, start: Callable[[City], Node], tmp_path: Path
) -> None:
    def fill(server: UdpServer) -> None:
        server.engine.counters.by_nas[city.nas.id] = NasCounters(accepts=3)
        server.engine.counters.by_nas["gonegonegonegone"] = NasCounters(accepts=9)

    families = published(start(city), tmp_path, fill)
    accepts = families["radius_auth_serv_access_accepts"].samples
    assert [(sample.labels["nas"], sample.value) for sample in accepts] == [("gusung-1", 3)]


PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_every_metric_of_a_radius_process_and_of_the_worker_is_on_its_page(
    city: City, start: Callable[[City], Node], tmp_path: Path
) -> None:
    metrics_of_both = published(start(city), tmp_path, lambda _: None).keys() | {
        f"pesisir_worker_{name}" for name in vars(Counters())
    }
    written = set(re.findall(r"`(\w+)`", PAGE)) | {
        f"{prefix}{name}"
        for prefix, names in re.findall(r"`(\w+)\{((?:\w+,)+\w+)\}", PAGE)
        for name in names.split(",")
    }
    assert {name for name in metrics_of_both if name not in written and f"{name}_total" not in written} == set()


def test_a6_21_hint_is_a_metric_that_stands_at_one(city: City, start: Callable[[City], Node], tmp_path: Path) -> None:
    (hint,) = published(start(city), tmp_path, lambda _: None)["pesisir_nas_hint"].samples
    assert (hint.labels["nas"], hint.labels["hint"], hint.value) == ("gusung-1", "clock_off", 1)


def test_d15_metrics_say_how_the_receive_buffers_stand(
    city: City, start: Callable[[City], Node], tmp_path: Path
) -> None:
    families = published(start(city), tmp_path, lambda _: None)
    (size,) = families["pesisir_radius_receive_buffer_octets"].samples
    assert size.labels["service"] == "auth"
    assert size.value > 4096
    assert [sample.value for sample in families["pesisir_radius_kernel_drops"].samples] == [0]


def test_processes_are_joined_with_each_family_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for process in ("radius-0", "radius-1"):
        (tmp_path / "run" / f"{process}.prom").write_text(
            f'# HELP x_total what\n# TYPE x_total counter\nx_total{{process="{process}"}} 1.0\n'
        )
    text = metrics.joined(tmp_path)
    assert text.count("# HELP x_total") == 1
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert [sample.labels["process"] for sample in families["x"].samples] == ["radius-0", "radius-1"]


def test_what_has_not_been_written_lately_is_not_shown(tmp_path: Path) -> None:
    import os

    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "radius-0.prom"
    path.write_text("x 1.0\n")
    os.utime(path, (1, 1))
    assert "\nx " not in metrics.joined(tmp_path)


def test_d05_room_on_the_disk_is_known_though_no_process_could_write(tmp_path: Path) -> None:
    (family,) = text_string_to_metric_families(metrics.joined(tmp_path))
    (sample,) = family.samples
    assert (sample.name, sample.value > 0) == ("pesisir_disk_free_octets", True)


def test_process_that_ends_while_others_are_read_spoils_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "radius-0.prom").write_text("x 1.0\n")
    (tmp_path / "run" / "radius-1.prom").symlink_to(tmp_path / "gone")  # listed, and not there any more
    assert "\nx 1.0\n" in metrics.joined(tmp_path)
