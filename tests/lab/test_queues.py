"""The queues of a line as the script puts them on, under real TCP: docs/fair-share.md's promises, in numbers.

This kernel has neither CAKE nor fq_codel, so it is a queue for each host that is measured; what the script says to tc on
kernels that have them is only parsed. Payload is 1448 of each 1514 octets, so a line of 20M carries 19.1M of it.
"""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import pytest

from app.domain.nases import Family
from app.domain.service_classes import ServiceClass
from app.domain.uplinks import ClassTerms, SiteLine, SiteNetwork, Uplink
from app.nas.linux_queues import head_script, router_script
from tests.lab.conftest import demand
from tests.lab.line import LAN, Line
from tests.lab.topology import LabError
from tests.node.journals import until

pytestmark = [pytest.mark.lab, pytest.mark.alone]

M: Final = 1_000_000
OFFICE, PUBLIC, RESIDENT, GUEST = ServiceClass
STAFF = "10.9.2.2"
ON_GUSUNG = [f"10.9.1.{last}" for last in range(2, 8)]
ON_MELAHING = ["10.9.3.2", "10.9.3.3"]
BY_IPV6 = ["2001:db8:1::2", "2001:db8:1::13"]
UPLINK = Uplink("uplink", "Telkom", 20 * M, 10 * M, LAN, {OFFICE: ClassTerms(OFFICE, 8 * M, 16 * M)})
SITES = (
    SiteLine("gusung", "Gusung", None, 30, None, (SiteNetwork(ip_network("10.9.1.0/24")),)),
    SiteLine("diskominfo", "Diskominfo", None, 30, None, (SiteNetwork(ip_network("10.9.2.0/28"), OFFICE),)),
    SiteLine("melahing", "Melahing", 5 * M, 30, None, (SiteNetwork(ip_network("10.9.3.0/24")),)),
)
SCRIPT = head_script(UPLINK, SITES)
MELAHING: Final = "22"  # its class: office, then Gusung, then this one
PAYLOAD: Final = 1448 / 1514


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    demand(request, "ip", "tc", "ethtool")
    with Line(tmp_path_factory.mktemp("line"), [STAFF, *ON_GUSUNG, *ON_MELAHING, *BY_IPV6]) as made:
        yield made


@pytest.fixture
def bare(machine: Line) -> Iterator[Line]:
    """A head without queues."""
    yield machine
    machine.queues(SCRIPT, "stop")


@pytest.fixture
def line(bare: Line) -> Line:
    """A head with the queues of `UPLINK`."""
    done = bare.queues(SCRIPT, "start")
    assert done.returncode == 0, done.stderr
    assert f"{LAN}: htb, 20M down, 10M up, 3 site queues" in done.stderr
    return bare


def shape(line: Line) -> str:
    """Return the queues as they stand, without what they have carried."""
    return "".join(
        line.run(line.head, "tc", what, "show", "dev", device)
        for device in (LAN, f"up-{LAN}")
        for what in ("qdisc", "class", "filter")
    )


def test_greedy_hosts_share_alike_however_many_connections_they_open(line: Line) -> None:
    greedy = ON_GUSUNG[:3]
    got = line.carry(6, dict(zip(greedy, ("down*6", "down", "down*2"), strict=True)), "1")
    assert got.fairness(*greedy) > 0.97
    assert got.wire_bps["1"] == pytest.approx(20 * M, rel=0.02)


def test_reader_of_pages_gets_a_share_beside_two_who_load(line: Line) -> None:
    reader, *greedy = ON_GUSUNG[:3]
    got = line.carry(8, {reader: "page", greedy[0]: "down*4", greedy[1]: "down*4"})
    share_seconds = 60_000 * 8 / (20 * M / 3) / PAYLOAD
    assert len(got.pages[reader]) >= 4
    assert max(got.pages[reader]) < 3 * share_seconds
    assert got.fairness(*greedy) > 0.97


def test_promise_to_the_office_holds_while_residents_take_all_they_can(line: Line) -> None:
    residents = [*ON_GUSUNG, *ON_MELAHING]
    got = line.carry(6, {STAFF: "down", **dict.fromkeys(residents, "down*2")}, "1", "10")
    assert got.bps(STAFF) > 0.93 * PAYLOAD * 8 * M
    assert got.wire_bps["10"] > 0.97 * 8 * M
    assert got.wire_bps["1"] == pytest.approx(20 * M, rel=0.02)


def test_what_the_office_does_not_use_is_lent(line: Line) -> None:
    got = line.carry(6, dict.fromkeys(ON_GUSUNG[:2], "down*2"), "12")
    assert got.wire_bps["12"] == pytest.approx(20 * M, rel=0.02)


def test_ceilings_of_a_site_and_of_a_class_hold_while_the_line_is_idle(line: Line) -> None:
    got = line.carry(6, {ON_MELAHING[0]: "down*4"}, MELAHING)
    assert got.wire_bps[MELAHING] == pytest.approx(5 * M, rel=0.02)
    got = line.carry(6, {STAFF: "down*4"}, "10")
    assert got.wire_bps["10"] == pytest.approx(16 * M, rel=0.02)


def test_people_share_alike_whichever_site_they_are_at(line: Line) -> None:
    got = line.carry(6, {ON_MELAHING[0]: "down*2", **dict.fromkeys(ON_GUSUNG[:5], "down*2")})
    assert got.fairness(ON_MELAHING[0], *ON_GUSUNG[:5]) > 0.97


def test_what_goes_up_is_shared_by_the_same_rules(line: Line) -> None:
    greedy = [*ON_GUSUNG[:2], ON_MELAHING[0]]
    up = f"up-{LAN}"
    got = line.carry(6, dict(zip(greedy, ("up*5", "up", "up*2"), strict=True)), "1", device=up)
    assert got.fairness(*greedy) > 0.95
    assert got.wire_bps["1"] == pytest.approx(10 * M, rel=0.02)


def test_ipv6_is_shared_by_the_same_rules(bare: Line) -> None:
    selangan = SiteLine("selangan", "Selangan", 4 * M, 30, None, (SiteNetwork(ip_network("2001:db8:1::/64")),))
    assert bare.queues(head_script(UPLINK, [*SITES, selangan]), "start").returncode == 0
    got = bare.carry(6, dict(zip(BY_IPV6, ("down*4", "down"), strict=True)), "23")
    assert got.fairness(*BY_IPV6) > 0.97
    assert got.wire_bps["23"] == pytest.approx(4 * M, rel=0.02)
    got = bare.carry(6, dict(zip(BY_IPV6, ("up*4", "up"), strict=True)), "23", device=f"up-{LAN}")
    assert got.fairness(*BY_IPV6) > 0.95
    assert got.wire_bps["23"] == pytest.approx(4 * M, rel=0.02)


def test_site_behind_one_address_is_one_host(bare: Line) -> None:
    hidden = replace(SITES[2], networks=(SiteNetwork(ip_network(f"{ON_MELAHING[0]}/32")),))
    assert bare.queues(head_script(UPLINK, [SITES[1], hidden]), "start").returncode == 0
    got = bare.carry(4, {ON_MELAHING[0]: "down*4"}, "21")
    assert got.wire_bps["21"] == pytest.approx(5 * M, rel=0.02)


def test_weight_counts_for_each_person_beyond_the_promise(bare: Line) -> None:
    uplink = replace(UPLINK, terms={OFFICE: ClassTerms(OFFICE, weight=3)})
    assert bare.queues(head_script(uplink, SITES), "start").returncode == 0
    got = bare.carry(6, {STAFF: "down*2", **dict.fromkeys(ON_GUSUNG[:3], "down*2")})
    assert got.bps(STAFF) / (got.bps(*ON_GUSUNG[:3]) / 3) == pytest.approx(3, rel=0.15)


def test_page_of_a_host_that_was_quiet_comes_before_those_who_borrow(bare: Line) -> None:
    slow = replace(UPLINK, down_bps=4 * M, terms={})
    assert bare.queues(head_script(slow, SITES), "start").returncode == 0
    reader, *greedy = ON_GUSUNG[:4]
    got = bare.carry(8, {reader: "late", **dict.fromkeys(greedy, "down*2")})
    share_seconds = 60_000 * 8 / (4 * M / 4) / PAYLOAD
    first, *_ = got.pages[reader]
    assert first < share_seconds / 2


def test_router_holds_its_sites_ceiling_and_is_fair(bare: Line) -> None:
    script = router_script(SITES[2], Family.OPENNDS)
    assert script is not None
    done = bare.queues(script, "start", LAN=LAN)
    assert f"{LAN}: htb, 5M down, 5M up" in done.stderr
    got = bare.carry(6, dict(zip(ON_MELAHING, ("down*4", "down"), strict=True)), "1")
    assert got.fairness(*ON_MELAHING) > 0.97
    assert got.wire_bps["1"] == pytest.approx(5 * M, rel=0.02)


def test_public_services_are_known_by_address_and_have_their_promise(bare: Line) -> None:
    services = ClassTerms(PUBLIC, 10 * M, networks=(ip_network("203.0.113.10/32"),))
    uplink = replace(UPLINK, terms={PUBLIC: services})
    assert bare.queues(head_script(uplink, SITES), "start").returncode == 0
    bare.carry(2, {ON_MELAHING[0]: "down"})
    assert bare.sent("11") > 1 * M
    assert bare.sent("12") == 0


def test_mark_of_public_services_counts_only_on_what_comes_down(request: pytest.FixtureRequest, bare: Line) -> None:
    demand(request, "nft")
    uplink = replace(UPLINK, terms={PUBLIC: ClassTerms(PUBLIC, dscp=34)})
    assert bare.queues(head_script(uplink, SITES), "start").returncode == 0
    for namespace in (bare.internet, bare.islands):
        chain = "{ type filter hook output priority mangle; policy accept; ip dscp set 34; }"
        bare.run(namespace, "nft", f"table ip marks {{ chain sent {chain}; }}")
    bare.carry(2, {ON_MELAHING[0]: "down"})
    bare.carry(2, {ON_MELAHING[0]: "up"})
    sent = {(number, device): bare.sent(number, device) for number in ("11", "12") for device in (LAN, f"up-{LAN}")}
    for namespace in (bare.internet, bare.islands):
        bare.run(namespace, "nft", "delete", "table", "ip", "marks")
    assert sent["11", LAN] > 1 * M
    assert sent["12", f"up-{LAN}"] > 1 * M
    assert sent["12", LAN] == sent["11", f"up-{LAN}"] == 0


# ---- the script itself


def test_second_start_changes_nothing_and_stop_leaves_nothing(bare: Line) -> None:
    before = bare.tc("qdisc", "show")
    assert bare.queues(SCRIPT, "start").returncode == 0
    bare.carry(1, {ON_GUSUNG[0]: "down"})
    on = shape(bare)
    sent = bare.sent("12")
    again = bare.queues(SCRIPT, "start")
    assert (again.returncode, shape(bare)) == (0, on)
    assert "are on already" in again.stderr
    assert 0 < sent == bare.sent("12")
    assert bare.queues(SCRIPT, "stop").returncode == 0
    assert bare.tc("qdisc", "show") == before
    assert bare.queues(SCRIPT, "stop").returncode == 0


def test_shell_of_openwrt_runs_it_as_well(request: pytest.FixtureRequest, bare: Line) -> None:
    demand(request, "busybox")
    before = bare.tc("qdisc", "show")
    assert bare.queues(SCRIPT, "start").returncode == 0
    on = shape(bare)
    assert bare.queues(SCRIPT, "stop").returncode == 0
    for verb, expected in (("start", on), ("start", on), ("status", on)):
        done = bare.queues(SCRIPT, verb, shell=("busybox", "sh"))
        assert (done.returncode, shape(bare)) == (0, expected), done.stderr
    assert bare.queues(SCRIPT, "stop", shell=("busybox", "sh")).returncode == 0
    assert bare.tc("qdisc", "show") == before


def test_port_that_went_away_and_came_back_gets_its_queues_again(line: Line) -> None:
    """As chilli's does when it starts anew."""
    on = shape(line)
    line.tc("qdisc", "del", "dev", LAN, "root")
    line.tc("qdisc", "del", "dev", LAN, "ingress")
    assert line.queues(SCRIPT, "start").returncode == 0
    assert shape(line) == on


def test_stop_takes_away_nothing_but_its_own(bare: Line, tmp_path: Path) -> None:
    (tmp_path / "of_somebody_else").write_text("")
    assert bare.queues(SCRIPT, "start", STATE=str(tmp_path)).returncode == 0
    bare.queues(SCRIPT, "stop", STATE=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["of_somebody_else"]


def test_other_queues_take_the_place_of_those_before(line: Line) -> None:
    faster = head_script(replace(UPLINK, down_bps=30 * M), SITES)
    assert line.queues(faster, "start").returncode == 0
    assert "9e5:1 root rate 30Mbit ceil 30Mbit" in line.tc("class", "show", "dev", LAN)


def test_check_leaves_everything_as_it_is(bare: Line) -> None:
    before = bare.tc("qdisc", "show")
    done = bare.queues(SCRIPT, "check")
    assert (done.returncode, "all of it would work here (htb)" in done.stderr) == (0, True)
    assert bare.tc("qdisc", "show") == before


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        pytest.param({"WAY": "cake"}, "WAY=cake: this kernel has no cake", id="what the kernel lacks"),
        pytest.param({"WAY": "magic"}, "WAY is magic, not cake, fq_codel or htb", id="what nobody knows"),
        pytest.param({"LAN": "lan9"}, "there is no interface lan9", id="no such interface"),
    ],
)
def test_start_that_cannot_work_says_why_and_changes_nothing(
    line: Line, environment: dict[str, str], problem: str
) -> None:
    before = shape(line)
    done = line.queues(head_script(replace(UPLINK, down_bps=30 * M), SITES), "start", **environment)
    assert (done.returncode, problem in done.stderr) == (1, True), done.stderr
    assert shape(line) == before


def test_queues_of_somebody_else_are_left_alone(bare: Line) -> None:
    bare.tc("qdisc", "add", "dev", LAN, "root", "tbf", "rate", "1mbit", "burst", "10kb", "latency", "50ms")
    before = bare.tc("qdisc", "show", "dev", LAN)
    done = bare.queues(SCRIPT, "start")
    bare.queues(SCRIPT, "stop")
    assert bare.tc("qdisc", "show", "dev", LAN) == before
    bare.tc("qdisc", "del", "dev", LAN, "root")
    assert done.returncode == 1
    assert f"{LAN} has queues of somebody else (tbf " in done.stderr


def test_filters_of_somebody_else_at_the_way_in_stay(bare: Line) -> None:
    bare.tc("qdisc", "add", "dev", LAN, "clsact")
    assert bare.queues(SCRIPT, "start").returncode == 0
    assert bare.carry(1, {ON_GUSUNG[0]: "up"}).bps(ON_GUSUNG[0]) < 1.2 * 10 * M
    assert bare.queues(SCRIPT, "stop").returncode == 0
    left = bare.tc("qdisc", "show", "dev", LAN), bare.tc("filter", "show", "dev", LAN, "ingress")
    bare.tc("qdisc", "del", "dev", LAN, "clsact")
    assert ("clsact" in left[0], left[1]) == (True, "")


@pytest.mark.parametrize("had_queues", [True, False], ids=["those of before are on again", "none were on"])
def test_start_that_fails_half_way_takes_everything_back(bare: Line, tmp_path: Path, *, had_queues: bool) -> None:
    if had_queues:
        assert bare.queues(SCRIPT, "start").returncode == 0
    before = shape(bare) if had_queues else bare.tc("qdisc", "show")
    tc = tmp_path / "tc"
    tc.write_text(  # the rehearsal works, what comes up is on, and what goes down is refused
        f'#!/bin/sh\ncase "$*" in "-batch "*/new/down) echo "Error: no more." >&2; exit 1 ;; esac\n'
        f'exec {shutil.which("tc")} "$@"\n'
    )
    tc.chmod(0o755)
    faster = head_script(replace(UPLINK, down_bps=30 * M), SITES)
    done = bare.queues(faster, "start", PATH=f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin")
    assert done.returncode == 1
    assert f"could not put them on {LAN}: Error: no more.; " in done.stderr
    assert ("those of before are on again" in done.stderr) == had_queues
    assert (shape(bare) if had_queues else bare.tc("qdisc", "show")) == before


@pytest.mark.parametrize("way", ["cake", "fq_codel"])
def test_tc_reads_what_it_is_told_on_kernels_with_fair_queues(bare: Line, way: str) -> None:
    """Only parsed: this kernel lacks them, and says so of each line that needs them; of the rest, it says nothing."""
    lines = bare.queues(SCRIPT, "print", WAY=way).stdout.splitlines()
    bare.run(bare.head, "ip", "link", "add", f"up-{LAN}", "type", "ifb")
    said = {line: bare.attempt(bare.head, "tc", *line.split()).stderr.strip() for line in lines}
    bare.tc("qdisc", "del", "dev", LAN, "root")
    bare.run(bare.head, "ip", "link", "del", f"up-{LAN}")
    lacking = {line: words for line, words in said.items() if words}
    assert all(f" {way}" in line or " flow hash " in line for line in lacking)
    assert set(lacking.values()) <= {
        "Error: Specified qdisc kind is unknown.",
        "Error: Specified qdisc not found.",
        "Error: Parent Qdisc doesn't exists.\nWe have an error talking to the kernel",
        "Error: Failed to find specified qdisc.\nWe have an error talking to the kernel",
    }
    assert len(lacking) == {"cake": 6, "fq_codel": 12}[way]


def test_governed_floors_and_ceilings_reach_the_queues_of_this_machine(bare: Line, tmp_path: Path) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    for folder in (data, run):
        folder.mkdir()

    inside = f'mount --bind {run} /run && exec {sys.executable} -m app.cli "$@"'  # with a /run of its own
    command = ("env", f"PESISIR_DATA_DIR={data}", "sh", "-c", inside, "sh")

    def pesisir(*words: str) -> tuple[int, str]:
        """Run a command on the head."""
        done = bare.attempt(bare.head, *command, *words)
        return done.returncode, done.stdout + done.stderr

    for words in (
        ("uplink", "add", "Telkom", "--down", "20M", "--up", "10M", "--interface", LAN),
        ("uplink", "class", "Telkom", "office", "--floor", "4M"),
        ("site", "add", "Diskominfo", "--network", "office=10.9.2.0/28"),
        ("site", "add", "Melahing", "--capacity", "5M", "--network", "10.9.3.0/24"),
    ):
        assert pesisir(*words)[0] == 0
    code, said = pesisir("uplink", "apply", "Telkom")
    assert (code, f"{LAN} has no queues of ours here" in said) == (1, True)
    _, script = pesisir("uplink", "config", "Telkom", "--file", "pesisir-queues")
    state = run / "pesisir-queues" / LAN
    assert bare.queues(script, "start", STATE=str(state)).returncode == 0
    on = shape(bare)
    code, said = pesisir("uplink", "apply", "Telkom")
    assert (code, "4 queues as they should be" in said, shape(bare)) == (0, True, on)
    assert pesisir("uplink", "class", "Telkom", "office", "--floor", "9M", "--ceiling", "12M")[0] == 0
    assert pesisir("site", "set", "Melahing", "--capacity", "3M")[0] == 0
    assert pesisir("uplink", "apply", "Telkom")[0] == 0
    classes = bare.tc("class", "show", "dev", LAN)
    assert "rate 9Mbit ceil 12Mbit" in classes
    assert "ceil 3Mbit" in classes
    bare.start(bare.head, *command, "uplink", "apply", "Telkom", "--watch", name="watch")
    until(lambda: "4 queues as they should be" in (bare.folder / "watch.log").read_text())
    assert pesisir("uplink", "class", "Telkom", "office", "--floor", "7M")[0] == 0
    until(lambda: "rate 7Mbit ceil 12Mbit" in bare.tc("class", "show", "dev", LAN))
    assert bare.queues(script, "stop", STATE=str(state)).returncode == 0
    with pytest.raises(LabError):
        bare.tc("class", "show", "dev", f"up-{LAN}")
